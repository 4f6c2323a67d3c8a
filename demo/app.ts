import { MusterError } from '../protocol/client/index.ts';
import { matchFailures } from '../protocol/index.ts';
import type * as Knockout from '../workers/games/knockout/index.ts';
import { attract } from './attract.ts';
import { Balance } from './balance/balance.ts';
import { Lab } from './lab/lab.ts';
import { MatchView } from './match-view.ts';
import { Backend } from './net/backend.ts';
import { downloadReplay, recordingOf } from './replay/download.ts';
import { keepRecording, keptRecording, type Recording } from './replay/recording.ts';
import { resimulate } from './replay/timeline.ts';
import { LAST, readRoute, type Route, writeRoute } from './route.ts';
import { loadGame } from './source/game.ts';
import { Live } from './source/live.ts';
import { Practice } from './source/practice.ts';
import { Replay } from './source/replay.ts';
import { tellOfConnection } from './ui/banner.ts';
import { need, setText } from './ui/dom.ts';
import { Lobby } from './ui/lobby.ts';
import { BackendPanel } from './ui/panel.ts';
import { Quit } from './ui/quit.ts';
import { ResultCard } from './ui/result.ts';
import { Transport } from './ui/transport.ts';

/** Of practice: weak and strong ones, so that a first match is neither won nor lost at once. */
const PRACTICE_LEVELS = [0, 1, 0, 2, 1, 1, 0];
const COUNTDOWN_MS = 2_400;
/** Between two matches behind the lobby, ms. */
const ATTRACT_PAUSE_MS = 2_500;

/** The page: shows what the hash says. */
export class App {
  private readonly backend: Backend;
  private readonly view: MatchView;
  private readonly lobby: Lobby;
  private readonly lab: Lab;
  private readonly card = new ResultCard();
  private readonly transport = new Transport();
  private readonly title = need('title', HTMLHeadingElement);
  private readonly quit: Quit;
  private practice: Practice | undefined;
  private live: Live | undefined;
  /** Counts screens: what was loaded for one that was left comes too late. */
  private visit = 0;

  constructor(origin: string) {
    this.backend = new Backend(origin);
    this.view = new MatchView(this.backend, new BackendPanel(this.backend));
    tellOfConnection(this.backend);
    this.lobby = new Lobby(this.backend, (id) => this.go({ screen: 'match', id }));
    this.quit = new Quit({
      leave: () => this.go({ screen: 'lobby' }),
      forfeit: () => this.forfeit(),
    });
    this.lab = new Lab(this.backend);
    new Balance(this.backend).resume();
    this.wire();
  }

  start(): void {
    addEventListener('hashchange', () => this.enter());
    this.enter();
    void this.goBack();
    const frame = (now: number): void => {
      this.view.draw(now);
      this.transport.update();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  private wire(): void {
    const click = (id: string, act: () => void): void =>
      need(id, HTMLButtonElement).addEventListener('click', act);
    click('leave', () => {
      // Whoever is out has nothing to give up: the place is certain.
      if (this.live && this.view.isPlaying) this.quit.ask();
      else this.go({ screen: 'lobby' });
    });
    click('to-lobby', () => this.go({ screen: 'lobby' }));
    click('message-action', () => this.go({ screen: 'lobby' }));
    click('skip', () => this.practice?.skip());
    click('watch-replay', () => this.go({ screen: 'replay', id: this.replayId }));
    click('again', () => {
      const { screen } = readRoute(location.hash);
      if (screen === 'practice') return this.enter();
      this.go({ screen: 'lobby' });
      void this.lobby.find();
    });
  }

  private replayId = LAST;

  /** Who comes back to the page, or comes to it on another device, has a match to play on. */
  private async goBack(): Promise<void> {
    await this.backend.client.ready;
    const [id] = this.backend.running;
    if (id !== undefined && readRoute(location.hash).screen === 'lobby') {
      this.go({ screen: 'match', id });
    }
  }

  private forfeit(): void {
    if (this.live) void this.backend.forfeit(this.live.id);
    this.go({ screen: 'lobby' });
  }

  private go(route: Route): void {
    location.hash = writeRoute(route);
  }

  private enter(): void {
    const route = readRoute(location.hash);
    const visit = ++this.visit;
    this.practice = undefined;
    this.live = undefined;
    this.quit.close();
    this.lobby.leave();
    this.lab.leave();
    this.card.hide();
    this.transport.show(undefined);
    this.view.show(undefined, false);
    need('message', HTMLDivElement).hidden = true;
    document.body.dataset['screen'] = route.screen;
    for (const link of document.querySelectorAll('[data-place]')) {
      if (link.getAttribute('data-place') === placeOf(route))
        link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    setText(this.title, TITLES[route.screen]);
    document.title = `${TITLES[route.screen]} · a Muster demo`;
    // Keys belong to the new screen, not to the link that led here.
    if (visit > 1) this.title.focus({ preventScroll: true });
    this.open(route, visit).catch((error: unknown) => {
      if (visit === this.visit) this.say(explain(error));
    });
  }

  private async open(route: Route, visit: number): Promise<void> {
    const isLeft = (): boolean => visit !== this.visit;
    switch (route.screen) {
      case 'lobby':
        this.lobby.enter();
        return await this.openAttract(isLeft);
      case 'practice':
        return await this.openPractice(isLeft);
      case 'replay':
        return await this.openReplay(route.id, isLeft);
      case 'lab':
        return this.lab.enter();
      case 'balance':
        // It runs wherever its player is.
        return;
      case 'match':
        return await this.openLive(route.id, isLeft);
    }
  }

  private async openAttract(isLeft: () => boolean): Promise<void> {
    const source = await attract(this.view.stage.calm);
    if (isLeft()) return source.close();
    this.view.show(source, false);
    // A still picture has no end.
    if (source.kind === 'replay') return;
    source.onOver(() => {
      setTimeout(() => {
        if (!isLeft()) void this.openAttract(isLeft);
      }, ATTRACT_PAUSE_MS);
    });
  }

  private async openPractice(isLeft: () => boolean): Promise<void> {
    const game = await loadGame();
    if (isLeft()) return;
    const practice = new Practice(game, {
      seed: Math.floor(Math.random() * 2 ** 32),
      levels: PRACTICE_LEVELS,
      withPlayer: true,
      countdownMs: COUNTDOWN_MS,
    });
    this.practice = practice;
    this.view.show(practice, true);
    practice.onOver((result) => {
      keepRecording(practice.recording);
      this.replayId = LAST;
      this.card.show(result, practice.seats, practice.mySlot, true);
    });
  }

  private async openLive(id: string, isLeft: () => boolean): Promise<void> {
    const live = new Live(this.backend.client, id, {
      over: (result, hasReplay) => {
        this.quit.close();
        this.replayId = id;
        this.card.show(result, live.seats, live.mySlot, hasReplay);
      },
      failed: ({ code }) => {
        this.quit.close();
        this.say(`The match ended without a result: ${matchFailures[code].says}. Nobody is rated.`);
      },
    });
    this.live = live;
    this.view.show(live, true);
    try {
      await live.ready;
    } catch (error) {
      if (isLeft()) return;
      this.backend.forget(id);
      this.view.show(undefined, false);
      const isGone = error instanceof MusterError && error.code === 'not_found';
      this.say(isGone ? 'This match is not there any more.' : explain(error));
    }
  }

  private async openReplay(id: string, isLeft: () => boolean): Promise<void> {
    const game = await loadGame();
    const recording = id === LAST ? keptRecording() : await this.download(id, game);
    if (isLeft()) return;
    if (!recording) throw new Error('There is no replay here: play a practice match first.');
    const timeline = await resimulate(game, recording);
    if (isLeft()) return;
    const replay = new Replay(recording, timeline, id !== LAST);
    this.view.show(replay, true);
    this.transport.show(replay);
  }

  private async download(id: string, game: typeof Knockout): Promise<Recording> {
    const replay = await downloadReplay(id);
    return recordingOf(replay, game, this.backend.player);
  }

  private say(text: string): void {
    setText(need('message-text', HTMLParagraphElement), text);
    need('message', HTMLDivElement).hidden = false;
  }
}

/** Which link of the page's head leads to it, or to where it belongs. */
function placeOf({ screen }: Route): string {
  return screen === 'lab' || screen === 'balance' ? screen : 'lobby';
}

function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const TITLES: Readonly<Record<Route['screen'], string>> = {
  lobby: 'Knockout: lobby',
  practice: 'Knockout: practice match',
  match: 'Knockout: match',
  replay: 'Knockout: replay',
  lab: 'Knockout: lab',
  balance: 'Knockout: balance',
};

import { attract } from './attract.ts';
import { Lab } from './lab/lab.ts';
import { MatchView } from './match-view.ts';
import { Backend } from './net/backend.ts';
import { keepRecording, keptRecording, type Recording } from './replay/recording.ts';
import { resimulate } from './replay/timeline.ts';
import { LAST, readRoute, type Route, writeRoute } from './route.ts';
import { loadGame } from './source/game.ts';
import { Practice } from './source/practice.ts';
import { Replay } from './source/replay.ts';
import { tellOfConnection } from './ui/banner.ts';
import { need, setText } from './ui/dom.ts';
import { Lobby } from './ui/lobby.ts';
import { BackendPanel } from './ui/panel.ts';
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
  private practice: Practice | undefined;
  /** Counts screens: what was loaded for one that was left comes too late. */
  private visit = 0;

  constructor(origin: string) {
    this.backend = new Backend(origin);
    this.view = new MatchView(this.backend, new BackendPanel(this.backend));
    tellOfConnection(this.backend);
    this.lobby = new Lobby(this.backend);
    this.lab = new Lab(this.backend);
    this.wire();
  }

  start(): void {
    addEventListener('hashchange', () => this.enter());
    this.enter();
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
    click('leave', () => this.go({ screen: 'lobby' }));
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

  private go(route: Route): void {
    location.hash = writeRoute(route);
  }

  private enter(): void {
    const route = readRoute(location.hash);
    const visit = ++this.visit;
    this.practice = undefined;
    this.lab.leave();
    this.card.hide();
    this.transport.show(undefined);
    this.view.show(undefined, false);
    need('message', HTMLDivElement).hidden = true;
    document.body.dataset['screen'] = route.screen;
    for (const link of document.querySelectorAll('[data-place]')) {
      const here = link.getAttribute('data-place') === (route.screen === 'lab' ? 'lab' : 'lobby');
      if (here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    setText(this.title, TITLES[route.screen]);
    document.title = `${TITLES[route.screen]} · a Muster demo`;
    // Keys belong to the new screen, not to the link that led here.
    if (visit > 1) this.title.focus({ preventScroll: true });
    this.open(route, visit).catch((error: unknown) => {
      if (visit === this.visit) this.say(error instanceof Error ? error.message : String(error));
    });
  }

  private async open(route: Route, visit: number): Promise<void> {
    const isLeft = (): boolean => visit !== this.visit;
    switch (route.screen) {
      case 'lobby':
        return await this.openAttract(isLeft);
      case 'practice':
        return await this.openPractice(isLeft);
      case 'replay':
        return await this.openReplay(route.id, isLeft);
      case 'lab':
        return this.lab.enter();
      case 'match':
        return this.say('Matches are not run by the backend yet.');
    }
  }

  private async openAttract(isLeft: () => boolean): Promise<void> {
    const source = await attract(this.view.stage.calm);
    if (isLeft()) return source.close();
    this.view.show(source, false);
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
      this.card.show(result, practice.seats, practice.mySlot);
    });
  }

  private async openReplay(id: string, isLeft: () => boolean): Promise<void> {
    const recording = await recordingOf(id);
    const game = await loadGame();
    const timeline = await resimulate(game, recording);
    if (isLeft()) return;
    const replay = new Replay(recording, timeline);
    this.view.show(replay, true);
    this.transport.show(replay);
  }

  private say(text: string): void {
    setText(need('message-text', HTMLParagraphElement), text);
    need('message', HTMLDivElement).hidden = false;
  }
}

const TITLES: Readonly<Record<Route['screen'], string>> = {
  lobby: 'Knockout: lobby',
  practice: 'Knockout: practice match',
  match: 'Knockout: match',
  replay: 'Knockout: replay',
  lab: 'Knockout: lab',
};

async function recordingOf(id: string): Promise<Recording> {
  const kept = id === LAST ? keptRecording() : undefined;
  if (kept) return kept;
  throw new Error('There is no replay here: play a practice match first.');
}

import { positionOf } from '../workers/games/knockout/moment.ts';
import type { RequestInput } from '../protocol/index.ts';
import type { KnockoutView } from '../workers/games/knockout/view.ts';
import { Steering } from './input/steering.ts';
import { listenToKeys } from './input/keyboard.ts';
import { listenToTouch } from './input/stick.ts';
import type { Backend } from './net/backend.ts';
import { Forecaster } from './net/forecaster.ts';
import { Live } from './source/live.ts';
import type { MatchSource } from './source/source.ts';
import { Stage, type StageView } from './stage/stage.ts';
import { chancesNow } from './chances.ts';
import { countStanding, isStanding } from './standing.ts';
import { Standings } from './standings.ts';
import { need } from './ui/dom.ts';
import { Feed } from './ui/feed.ts';
import { Hud } from './ui/hud.ts';
import { OddsBar } from './ui/odds.ts';
import type { BackendPanel } from './ui/panel.ts';
import { Roster } from './ui/roster.ts';
import { Sound } from './ui/sound.ts';

/** How well the forecast takes a player to steer, as a bot's level. */
const PLAYER_LEVEL = 2;

/** Between two pictures of what is mere background: it is not worth a phone's battery, ms. */
const BACKGROUND_MS = 30;

/** The stage with all that belongs to a match: shows any source, and steers those that can be. */
export class MatchView {
  readonly stage = new Stage(need('canvas', HTMLCanvasElement));
  private readonly steering = new Steering();
  private readonly roster = new Roster(need('roster', HTMLOListElement));
  private readonly odds = new OddsBar(
    need('odds', HTMLDivElement),
    need('odds-note', HTMLSpanElement),
  );
  private readonly feed = new Feed(need('feed', HTMLOListElement));
  private readonly hud = new Hud();
  private readonly sound = new Sound();
  private readonly forecaster: Forecaster;
  private standings = new Standings();
  private source: MatchSource | undefined;
  private view: KnockoutView | undefined;
  /** As in the style sheets. */
  private readonly small = matchMedia('(max-width: 760px), (max-height: 520px)');
  /** False: the picture alone, behind the lobby. */
  private whole = false;
  private drawnAt = 0;

  constructor(
    backend: Backend,
    private readonly panel: BackendPanel,
  ) {
    this.forecaster = new Forecaster(backend, () => this.showOdds());
    const isPlaying = (): boolean => this.isPlaying;
    listenToKeys(this.steering, isPlaying);
    const dash = need('dash', HTMLButtonElement);
    const parts = {
      field: need('field', HTMLDivElement),
      stick: need('stick', HTMLDivElement),
      dash,
    };
    listenToTouch(parts, this.steering, isPlaying);
  }

  /** Shows a source until the next one, and closes the one before. */
  show(source: MatchSource | undefined, whole: boolean): void {
    this.source?.close();
    this.source = source;
    this.view = undefined;
    this.whole = whole;
    this.standings = new Standings();
    this.steering.reset();
    this.feed.clear();
    this.hud.hide();
    this.forecaster.stop();
    this.panel.note(whole ? source : undefined, undefined);
    document.body.classList.toggle('empty', !source);
    if (!source) {
      this.stage.clear();
      this.roster.clear();
    }
    if (!source || !whole) return;
    this.showOdds();
    this.forecaster.start(() => this.position(), source instanceof Live ? source.id : undefined);
  }

  /** One picture. @param now ms, of performance.now */
  draw(now: number): void {
    const { source } = this;
    if (!source || (!this.whole && now - this.drawnAt < BACKGROUND_MS)) return;
    this.drawnAt = now;
    if (this.isPlaying) this.steer(source, now);
    const sample = source.sample(now);
    const happened = this.stage.draw(source, sample, this.stageView(), now);
    document.body.classList.toggle('playing', this.isPlaying);
    if (this.whole) this.hud.tell(source);
    if (!sample || !this.whole) return;
    const view = sample.to;
    for (const one of happened) {
      this.feed.tell(one, source.seats);
      this.sound.play(one, source.mySlot);
    }
    if (view === this.view && source.phase !== 'waiting') return;
    const before = this.view;
    this.view = view;
    // What a replay said before a seek backwards has not happened yet.
    if (before && view.tick < before.tick) this.feed.clear();
    if (!before || countStanding(view) !== countStanding(before)) this.showOdds();
    const rows = this.standings.read(view, source.result?.placements);
    this.roster.show(source.seats, source.mySlot, rows);
    this.hud.update(source, view, rows.find(({ slot }) => slot === source.mySlot)?.place);
    this.panel.note(source, view.tick);
  }

  /** Somebody at this page steers a disc that stands, or will soon. */
  get isPlaying(): boolean {
    const { source, view } = this;
    if (!source || source.kind === 'replay' || source.mySlot < 0 || source.phase === 'over')
      return false;
    return !view || isStanding(view, source.mySlot);
  }

  private steer(source: MatchSource, now: number): void {
    const canDash = this.view?.discs[source.mySlot]?.dashIn === 0;
    const input = this.steering.next(now, canDash);
    if (input) source.steer(input);
  }

  private stageView(): StageView {
    if (!this.whole) return { room: { top: 12, bottom: 30 }, names: false };
    const { matches: small } = this.small;
    const portrait = innerHeight > innerWidth;
    const replays = this.source?.kind === 'replay';
    // Held upright, thumbs have the lower part of a phone to themselves; held across, the sides.
    const bottom = small ? (portrait ? 150 : 16) : 30;
    const top = portrait ? 112 : small ? 56 : 76;
    return {
      room: { top, bottom: replays ? 110 + bottom / 3 : bottom },
      names: true,
      aim: this.isPlaying ? this.steering.aim : undefined,
    };
  }

  private position(): RequestInput<'forecast'>['position'] | undefined {
    const { source, view } = this;
    if (!source || !view || source.phase !== 'playing') return undefined;
    // One or none left is no question any more.
    if (!view.discs.some(({ alive }) => alive) || countStanding(view) < 2) return undefined;
    const levels = source.seats.map(({ bot }) => bot ?? PLAYER_LEVEL);
    const { tick, discs } = positionOf(view, levels);
    return { tick, discs: [...discs] };
  }

  private showOdds(): void {
    const { source, view } = this;
    if (!source || !this.whole) return;
    const { odds, note } = this.forecaster;
    const chances = view ? chancesNow(view, odds?.win) : odds?.win;
    this.odds.show(source.seats, source.mySlot, chances, note);
  }
}

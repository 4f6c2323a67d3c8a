import type { Client, Match, MatchFigures } from '../../protocol/client/index.ts';
import type { ServerBody } from '../../protocol/index.ts';
import type { MatchResult } from '../../workers/games/contract.ts';
import {
  defaultOptions,
  type KnockoutInput,
  type KnockoutOptions,
  TICK_RATE,
} from '../../workers/games/knockout/rules.ts';
import { fromVector } from '../../workers/games/knockout/vector.ts';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';
import { type ArenaFacts, fetchRecord, type MatchRecord } from '../net/match-record.ts';
import { seatInfo } from '../names.ts';
import { Pulse } from './pulse.ts';
import type { MatchSource, Phase, Sample, SeatInfo } from './source.ts';

/** Between two looks at where the match runs, ms. */
const LOOK_MS = 3_000;

/** The first bit of the controls' buttons. */
const DASH = 1;

export type Failure = NonNullable<ServerBody<'over'>['failure']>;

export interface LiveEnds {
  /** @param hasReplay whether the backend keeps it */
  readonly over: (result: MatchResult, hasReplay: boolean) => void;
  /** The match ended without a result. */
  readonly failed: (failure: Failure) => void;
}

/** A match that an arena runs: this page shows its snapshots, and steers the seat that its player has, if any. */
export class Live implements MatchSource {
  readonly kind = 'live';
  startsIn = 0;
  /** Those of its queue, once its record is known. */
  options: KnockoutOptions = defaultOptions;
  /** Where it runs, as far as that is known. */
  arena: ArenaFacts | undefined;
  readonly pulse = new Pulse();
  result: MatchResult | undefined;
  private readonly match: Match;
  private readonly views = new WeakMap<Int32Array, KnockoutView>();
  private readonly off: (() => void)[];
  private seated: { readonly of: Match['seats']; readonly slot: number } | undefined;
  private shown: readonly SeatInfo[] = [];
  private looking: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  /**
   * @throws MusterError when this is no match id
   */
  constructor(
    client: Client,
    readonly id: string,
    ends: LiveEnds,
    private readonly record: () => Promise<MatchRecord | undefined> = async () =>
      await fetchRecord(id),
  ) {
    this.match = client.match(id);
    this.off = [
      this.match.on('snapshot', ({ term, tick }) => this.pulse.beat(term, tick, performance.now())),
      client.on('state', ({ name }) => {
        if (name !== 'open') this.pulse.away();
      }),
      this.match.on('over', ({ result, failure, replay }) => {
        if (failure) ends.failed(failure);
        if (!result) return;
        this.result = result;
        ends.over(result, replay !== undefined);
      }),
    ];
    void this.look();
  }

  /** Rejects with a MusterError when it cannot be watched. */
  get ready(): Promise<unknown> {
    return this.match.ready;
  }

  get figures(): MatchFigures {
    return this.match.figures;
  }

  get seats(): readonly SeatInfo[] {
    const { seats, slot } = this.match;
    if (this.seated?.of !== seats || this.seated.slot !== slot) {
      this.seated = { of: seats, slot };
      this.shown = seats.map((seat, at) => seatInfo(seat, at, at === slot));
    }
    return this.shown;
  }

  get mySlot(): number {
    return this.match.slot;
  }

  get phase(): Phase {
    const { state } = this.match;
    if (state === 'opening' || state === 'waiting') return 'waiting';
    return state === 'playing' ? 'playing' : 'over';
  }

  get notice(): string {
    const { state } = this.match;
    if (state === 'opening') return 'Opening the match';
    if (state === 'waiting') return 'Waiting for players';
    return state === 'playing' ? this.pulse.notice(performance.now()) : '';
  }

  sample(now: number): Sample | undefined {
    const found = this.match.sample(now);
    if (!found) return undefined;
    const ticksLeft = this.phase === 'playing' ? this.options.readyTicks - found.tick : 0;
    this.startsIn = Math.max(0, Math.ceil(ticksLeft / TICK_RATE));
    return { from: this.view(found.from), to: this.view(found.to), alpha: found.alpha };
  }

  steer({ x, y, dash }: KnockoutInput): void {
    this.match.steer({ x, y, buttons: dash ? DASH : 0 });
    // Let go at once: the client still sends the press, and the next one is a change again.
    if (dash) this.match.steer({ x, y, buttons: 0 });
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.looking);
    for (const off of this.off) off();
    this.match.leave();
  }

  /** Asks again and again where it runs: a successor may be on another core. */
  private async look(): Promise<void> {
    const found = await this.record();
    this.arena = found?.arena ?? this.arena;
    if (found?.options) this.options = found.options;
    if (this.isClosed || this.phase === 'over') return;
    this.looking = setTimeout(() => void this.look(), LOOK_MS);
  }

  /** The same view for the same vector: what happened is told by views that differ. */
  private view(vector: Int32Array): KnockoutView {
    let view = this.views.get(vector);
    if (!view) this.views.set(vector, (view = fromVector(vector)));
    return view;
  }
}

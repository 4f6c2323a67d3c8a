import type { MatchResult } from '../../workers/games/contract.ts';
import { type KnockoutOptions, TICK_RATE } from '../../workers/games/knockout/rules.ts';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';
import type { Recording } from '../replay/recording.ts';
import type { Timeline } from '../replay/timeline.ts';
import type { MatchSource, Phase, Sample, SeatInfo } from './source.ts';

export const SPEEDS = [0.5, 1, 2, 4] as const;

/** A match that was played before: plays, pauses, seeks, at any speed. */
export class Replay implements MatchSource {
  readonly kind = 'replay';
  readonly startsIn = 0;
  readonly notice = '';
  readonly seats: readonly SeatInfo[];
  readonly mySlot: number;
  readonly options: KnockoutOptions;
  speed: number = 1;
  private at = 0;
  private isPlaying = true;
  private before: number | undefined;

  constructor(
    recording: Recording,
    readonly timeline: Timeline,
    /** An arena's, read from its file: the file's chain of hashes was checked. */
    readonly isFromArena = false,
  ) {
    this.options = recording.options;
    this.mySlot = recording.mySlot;
    this.seats = recording.seats.map((seat, slot) => ({
      name: recording.names[slot] ?? `Slot ${slot + 1}`,
      ...(seat.kind === 'bot' && { bot: seat.level }),
    }));
  }

  get ticks(): number {
    return this.timeline.views.length - 1;
  }

  /** Where it is, in ticks and parts of one. */
  get position(): number {
    return this.at;
  }

  get playing(): boolean {
    return this.isPlaying;
  }

  get phase(): Phase {
    return this.at >= this.ticks ? 'over' : 'playing';
  }

  get result(): MatchResult | undefined {
    return this.timeline.result;
  }

  /** From the end it starts over. */
  play(): void {
    if (this.at >= this.ticks) this.at = 0;
    this.isPlaying = true;
    this.before = undefined;
  }

  pause(): void {
    this.isPlaying = false;
  }

  /** @param tick is brought within the match */
  seek(tick: number): void {
    this.at = Math.max(0, Math.min(this.ticks, tick));
  }

  sample(now: number): Sample {
    const elapsed = this.before === undefined ? 0 : now - this.before;
    this.before = now;
    if (this.isPlaying) {
      // A page that was in the background goes on where it stood.
      this.seek(this.at + (Math.min(elapsed, 250) / 1_000) * TICK_RATE * this.speed);
      if (this.at >= this.ticks) this.isPlaying = false;
    }
    const tick = Math.floor(this.at);
    const from = this.timeline.views[tick] as KnockoutView;
    return { from, to: this.timeline.views[tick + 1] ?? from, alpha: this.at - tick };
  }

  steer(): void {
    // What was played cannot be steered.
  }

  close(): void {
    this.isPlaying = false;
  }
}

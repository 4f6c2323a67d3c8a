import type { MatchResult } from '../../workers/games/contract.ts';
import type { KnockoutInput, KnockoutOptions } from '../../workers/games/knockout/rules.ts';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';

export interface SeatInfo {
  readonly name: string;
  /** Level of the bot that steers, 0 to 3; absent: a player does. */
  readonly bot?: number;
}

/** Two views and where between them the picture is: 0 shows `from`, 1 shows `to`. */
export interface Sample {
  readonly from: KnockoutView;
  readonly to: KnockoutView;
  readonly alpha: number;
}

export type Phase = 'waiting' | 'playing' | 'over';

/** Where a match comes from: played in this page, or read from a replay. */
export interface MatchSource {
  readonly kind: 'practice' | 'replay';
  /** By slot. */
  readonly seats: readonly SeatInfo[];
  /** The slot that this page steers, or -1: it watches. */
  readonly mySlot: number;
  readonly options: KnockoutOptions;
  readonly phase: Phase;
  /** Seconds until the first tick, rounded up; 0 once it plays. */
  readonly startsIn: number;
  readonly result: MatchResult | undefined;
  /** What to draw at `now` (ms, of performance.now). Undefined until something is known. */
  sample(now: number): Sample | undefined;
  /** Does nothing for who watches. */
  steer(input: KnockoutInput): void;
  /** Called once, when the result is known. */
  onOver(listener: (result: MatchResult) => void): void;
  close(): void;
}

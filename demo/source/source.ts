import type { MatchResult } from '../../workers/games/contract.ts';
import type { KnockoutInput, KnockoutOptions } from '../../workers/games/knockout/rules.ts';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';

export interface SeatInfo {
  readonly name: string;
  /** Level of the bot that steers, 0 to 3; absent: a player does. */
  readonly bot?: number;
  /** The bot only keeps the seat of a player who may come back. */
  readonly away?: boolean;
}

/** Who steers, in a word beside the name. */
export function tagOf({ bot, away }: SeatInfo): string {
  if (away === true) return 'away';
  return bot === undefined ? '' : 'bot';
}

/** Two views and where between them the picture is: 0 shows `from`, 1 shows `to`. */
export interface Sample {
  readonly from: KnockoutView;
  readonly to: KnockoutView;
  readonly alpha: number;
}

export type Phase = 'waiting' | 'playing' | 'over';

/** Where a match comes from: played in this page, run by an arena, or read from a replay. */
export interface MatchSource {
  readonly kind: 'practice' | 'live' | 'replay';
  /** By slot; another array when somebody else steers. */
  readonly seats: readonly SeatInfo[];
  /** The slot that this page steers, or -1: it watches. */
  readonly mySlot: number;
  readonly options: KnockoutOptions;
  readonly phase: Phase;
  /** Seconds until the first tick, rounded up; 0 once it plays, and where nobody knows. */
  readonly startsIn: number;
  /** What holds the match up or has just happened to it, in a few words; empty: nothing. */
  readonly notice: string;
  readonly result: MatchResult | undefined;
  /** What to draw at `now` (ms, of performance.now). Undefined until something is known. */
  sample(now: number): Sample | undefined;
  /** Does nothing for who watches. */
  steer(input: KnockoutInput): void;
  close(): void;
}

import type { Counters } from '../../src/lib/counters.ts';
import type { Log } from '../../src/lib/log.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import type { AnyGame } from '../games/contract.ts';
import { decide } from './decide.ts';
import type { Entry, LoggedOp } from './entry.ts';
import { failureOf, type HostedMatch } from './hosted.ts';
import { Hosting } from './hosting.ts';
import type { StoredCheckpoint } from './journal.ts';
import { Logged, matchOf } from './logged.ts';
import { createMatch, makeAgain } from './making.ts';
import { Pending } from './pending.ts';
import { pictureOf, type Snapshots } from './snapshots.ts';
import {
  attempt,
  attempts,
  askAll,
  Damaged,
  stepAll,
  stepLimitMs,
  timersRun,
  type Suspect,
} from './stepper.ts';

/** What all groups of an arena share. */
export interface GroupContext {
  readonly game: AnyGame;
  readonly term: number;
  readonly snapshots: Snapshots;
  readonly counters: Counters;
  readonly log: Log;
  /** Matches of all groups. */
  readonly hostings: HostingTable;
  /** Whether a log entry is due for the input's sake: so much was consumed without one. */
  isInputDue(): boolean;
  /** Logs an entry, again under another number after the store has forgotten. Resolves with its number. */
  write(group: Group, entry: Omit<Entry, 'stepped'>, saved: Saved[]): Promise<number>;
  /** The entry has been stepped, whole. */
  stepped(n: number): void;
  /** A match's record says something else now. */
  tell(hosting: Hosting): void;
  /** A match is over, and its last checkpoint is logged. */
  settle(hosting: Hosting): void;
}

export interface HostingTable {
  byMatch(match: string): Hosting | undefined;
  byHandle(handle: number): Hosting | undefined;
  add(hosting: Hosting): void;
}

/** A checkpoint that goes with an entry. */
export interface Saved extends StoredCheckpoint {
  readonly hosting: Hosting;
  readonly n: number;
  /** Chunks of the match's tape that the store has when it is logged. */
  readonly stored: number;
}

/** A match that was made again, and its picture if somebody watches. */
interface Shown {
  readonly hosted: HostedMatch;
  readonly vector: Int32Array | undefined;
}

interface Composed {
  readonly entry: Omit<Entry, 'stepped'>;
  readonly saved: Saved[];
  /** It changes no match. */
  readonly isQuiet: boolean;
}

const NONE = new Uint8Array(0);

/** A quarter of an arena's matches. They are stepped together. */
export class Group {
  readonly pending = new Pending();
  hostings: Hosting[] = [];
  /** Entries that a match may have to be made again from, in their order. */
  recent: Logged[] = [];
  /** Number of the newest entry that changed a match. */
  newest = 0;
  /** A tick is under way. */
  isBusy = false;
  private ticks = 0;
  private turns = 0;

  constructor(
    readonly index: number,
    private readonly context: GroupContext,
  ) {}

  /** Number of the oldest entry from which a match would have to be made again; Infinity: none. */
  get oldestNeeded(): number {
    let oldest = Infinity;
    for (const { checkpointN, isFinal } of this.hostings) {
      if (!isFinal && checkpointN < this.newest && checkpointN < oldest) oldest = checkpointN;
    }
    return oldest + 1;
  }

  /** Nothing is pending or under way: its matches are as they will be until something comes. */
  get isAtRest(): boolean {
    return !this.isBusy && !this.pending.hasOps;
  }

  /** Where the next match's checkpoints and keyframes fall within a second. */
  nextTurn(): number {
    return this.turns++ % this.context.game.tickRate;
  }

  remove(hosting: Hosting): void {
    this.hostings = this.hostings.filter((one) => one !== hosting);
  }

  /** One tick, if there is anything to do. @returns undefined where there is not */
  tick(): Promise<void> | undefined {
    this.ticks++;
    const composed = this.compose();
    this.showWaiting();
    if (composed === undefined) return undefined;
    this.isBusy = true;
    return this.carryOut(composed).finally(() => (this.isBusy = false));
  }

  /** Everything that its next entry has to say, and the checkpoints whose turn it is, of the states before it. */
  private compose(): Composed | undefined {
    const { index, hostings, pending } = this;
    const { ops, inputs } = pending.take();
    const now = performance.now();
    const at = Date.now();
    let isPlaying = false;
    for (const hosting of hostings) {
      decide(hosting, now, at, ops);
      isPlaying ||= hosting.isStepped;
    }
    const saved = this.save();
    const isQuiet = !isPlaying && ops.length === 0 && inputs.length === 0;
    // An entry that says nothing still brings round the checkpoints that keep the log from being trimmed.
    if (isQuiet && !this.context.isInputDue() && this.oldestNeeded === Infinity) return undefined;
    for (const { handle, slot, seq } of inputs) {
      const hosting = this.context.hostings.byHandle(handle);
      if (hosting !== undefined) hosting.taken[slot] = seq;
    }
    return { entry: { group: index, ops, inputs }, saved, isQuiet };
  }

  private save(): Saved[] {
    const saved: Saved[] = [];
    const turnNow = this.ticks % this.context.game.tickRate;
    const due = this.hostings.filter(({ hosted, isFinal, trouble, turn, checkpointN }) => {
      if (isFinal || trouble !== undefined) return false;
      return hosted.state === 'over' || (turn === turnNow && checkpointN < this.newest);
    });
    this.ask(
      due,
      ({ hosted }) => hosted.checkpoint(this.newest),
      (hosting, bytes) => {
        const chunk = hosting.cutChunk() ?? NONE;
        const { match, chunks } = hosting;
        saved.push({ match, bytes, chunk, hosting, n: this.newest, stored: chunks.length });
      },
    );
    return saved;
  }

  private async carryOut({ entry, saved, isQuiet }: Composed): Promise<void> {
    const { context } = this;
    const n = await context.write(this, entry, saved);
    this.adopt(saved);
    if (isQuiet) return context.stepped(n);
    const logged = new Logged(n, { ...entry, stepped: 0 });
    this.newest = n;
    this.recent.push(logged);
    this.apply(logged);
    // Not before: a match that the entry makes is made again from it.
    const { oldestNeeded } = this;
    while ((this.recent[0]?.n ?? Infinity) < oldestNeeded) this.recent.shift();

    const playing = this.hostings.filter(({ isStepped }) => isStepped);
    const suspects = stepAll(context.game, playing);
    this.show(playing, suspects);
    if (suspects.length > 0) await this.tryAgain(suspects, n);
    context.stepped(n);
  }

  private adopt(saved: readonly Saved[]): void {
    for (const { hosting, bytes, n, stored } of saved) {
      hosting.checkpoint = bytes;
      hosting.checkpointN = n;
      hosting.stored = stored;
      if (hosting.hosted.state !== 'over' || hosting.isFinal) continue;
      hosting.isFinal = true;
      this.context.settle(hosting);
    }
  }

  private apply({ n, entry: { ops, inputs } }: Logged): void {
    const { hostings } = this.context;
    for (const op of ops) {
      if (op.is === 'create') this.create(op.order, n);
      const hosting = hostings.byMatch(matchOf(op));
      if (hosting === undefined) continue;
      this.applyTo(hosting, op);
    }
    for (const input of inputs) {
      const hosting = hostings.byHandle(input.handle);
      if (hosting === undefined) continue;
      hosting.hosted.take(input);
      // Not what was given to it: it may have refused.
      hosting.taken[input.slot] = hosting.hosted.seqs[input.slot] ?? 0;
    }
  }

  private applyTo(hosting: Hosting, op: LoggedOp): void {
    try {
      if (hosting.hosted.apply(op)) this.context.tell(hosting);
    } catch (error) {
      this.trouble(hosting, error);
    }
    if (op.is === 'watch' || op.is === 'start') hosting.isKeyframeDue = true;
    if (op.is === 'fail') hosting.trouble = undefined;
  }

  private create(order: MatchOrder, n: number): void {
    const { context, index } = this;
    const { game } = context;
    if (context.hostings.byMatch(order.match) !== undefined) return;
    const made = createMatch(order, game, index);
    const hosting = new Hosting(made.hosted, this.nextTurn(), n - 1);
    hosting.trouble = made.failure;
    this.hostings.push(hosting);
    context.hostings.add(hosting);
  }

  private show(stepped: readonly Hosting[], suspects: readonly Suspect[]): void {
    const { snapshots, term, game } = this.context;
    for (const hosting of stepped) {
      const { vector, turn } = hosting;
      if (vector === undefined || suspects.some((one) => one.hosting === hosting)) continue;
      snapshots.add(hosting, term, vector, (hosting.hosted.tick + turn) % game.tickRate === 0);
      hosting.vector = undefined;
    }
    snapshots.flush();
  }

  /** A match that waits has one picture: who comes gets it at once, and everybody once a second. */
  private showWaiting(): void {
    const { snapshots, term, game } = this.context;
    const turnNow = this.ticks % game.tickRate;
    const due = this.hostings.filter(({ hosted, isKeyframeDue, trouble, turn }) => {
      if (hosted.state !== 'waiting' || hosted.watchers.size === 0) return false;
      return trouble === undefined && (isKeyframeDue || turn === turnNow);
    });
    this.ask(due, pictureOf, (hosting, vector) => {
      if (vector !== undefined) snapshots.add(hosting, term, vector, true);
    });
    snapshots.flush();
  }

  /** Makes each once more, from its checkpoint, after whatever else is due. */
  private async tryAgain(suspects: readonly Suspect[], n: number): Promise<void> {
    const { game, counters, log } = this.context;
    for (const { hosting, cut } of suspects) {
      await timersRun();
      counters.add('steps_retried', cut.isTimeout ? 'timeout' : 'threw');
      log.warn('a step failed', { match: hosting.match, tick: hosting.hosted.tick, ...cut });
      const again = attempts<Shown>((keep) =>
        attempt(game, hosting.match, stepLimitMs(game), () => {
          const hosted = makeAgain(hosting, game, this.recent, n);
          // Within the attempt: the picture may be what failed.
          const vector = hosted.watchers.size > 0 ? pictureOf({ hosted }) : undefined;
          keep({ hosted, vector });
        }),
      );
      if ('error' in again) {
        this.trouble(hosting, again.error);
        continue;
      }
      const broken = hosting.hosted;
      hosting.replace(again.made.hosted);
      broken.free();
      hosting.isKeyframeDue = true;
      hosting.vector = again.made.vector;
      this.show([hosting], []);
    }
  }

  /**
   * Asks matches for something, under one limit. One that was cut off because the process was not let compute is asked
   * when it is due again.
   * @throws Damaged
   */
  private ask<T>(
    hostings: readonly Hosting[],
    question: (hosting: Hosting) => T,
    take: (hosting: Hosting, answer: T) => void,
  ): void {
    for (const { hosting, answer, failed } of askAll(this.context.game, hostings, question)) {
      try {
        if (failed === undefined) take(hosting, answer as T);
        else if (!failed.isUnlucky) this.trouble(hosting, failed.error);
      } catch (error) {
        this.trouble(hosting, error);
      }
    }
  }

  /** @throws Damaged */
  private trouble(hosting: Hosting, error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    if (this.context.game.isDamaged?.() === true) throw new Damaged(hosting.match, cause);
    this.context.counters.add('matches_quarantined');
    this.context.log.error('match quarantined', { match: hosting.match, error });
    hosting.trouble ??= failureOf(cause);
  }
}

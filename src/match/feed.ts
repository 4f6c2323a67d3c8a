import type { Counters } from '../lib/counters.ts';
import type { Log } from '../lib/log.ts';
import type { Arenas } from './arenas.ts';
import { INPUT_BYTES, writeInput, type Input, type Op } from './ops.ts';

/** Inputs that wait while a call is on its way: what some thousand players send in a quarter of a second. */
export const FEED_INPUTS_MAX = 8_192;
/** Ops that wait; one more is dropped. */
const FEED_OPS_MAX = 10_000;
const FIRST_INPUTS = 64;
/**
 * A full or closed arena is told again: how long after, ms, how often, and then how long after. Some ten minutes in
 * all: nobody but us would ever say that a player is gone, and an arena that stands still may come to it late.
 */
export const RETRY_MS = 250;
export const QUICK_TRIES = 20;
const SLOW_RETRY_MS = 2_000;
const TRIES = 320;

export interface FeedParts {
  readonly arenas: Pick<Arenas, 'feed'>;
  readonly counters: Counters;
  readonly log: Log;
}

/**
 * The way of one gateway to one arena. What comes first goes out at once; what comes while a call is on its way goes
 * with the next, so a call carries the inputs of many players, and nobody waits where there is nobody to wait for.
 */
export class Feed {
  private ops: Op[] = [];
  private inputs = Buffer.allocUnsafe(FIRST_INPUTS * INPUT_BYTES);
  /** Written while `inputs` is on its way. */
  private spare = Buffer.allocUnsafe(FIRST_INPUTS * INPUT_BYTES);
  private used = 0;
  private flying = false;
  private failed = 0;
  /** What was refused stands at the head of `ops`; nothing overtakes it, or who went would be gone after coming back. */
  private retry: NodeJS.Timeout | undefined;

  constructor(
    readonly arena: string,
    private readonly parts: FeedParts,
  ) {}

  /** May be dropped, counted: clients send again what their snapshots do not echo. */
  input(input: Input): void {
    if (this.used === this.inputs.length && !this.grow()) {
      this.parts.counters.add('inputs_dropped', 'feed_full');
      return;
    }
    writeInput(this.inputs, this.used, input);
    this.used += INPUT_BYTES;
    this.go();
  }

  /** Told again where the arena does not take it, until a later one says otherwise. */
  op(op: Op): void {
    if (this.ops.length >= FEED_OPS_MAX) this.parts.counters.add('ops_dropped', 'feed_full');
    else this.ops.push(op);
    this.go();
  }

  private go(): void {
    if (!this.flying) void this.fly();
  }

  private async fly(): Promise<void> {
    this.flying = true;
    while (this.used > 0 || (this.ops.length > 0 && this.retry === undefined)) {
      const ops = this.retry === undefined ? this.ops : [];
      if (this.retry === undefined) this.ops = [];
      const inputs = this.inputs.subarray(0, this.used);
      [this.inputs, this.spare] = [this.spare, this.inputs];
      this.used = 0;
      if (await this.feed(ops, inputs)) this.failed = 0;
      else this.refused(ops, inputs.length / INPUT_BYTES);
    }
    this.flying = false;
  }

  private async feed(ops: readonly Op[], inputs: Buffer): Promise<boolean> {
    try {
      return await this.parts.arenas.feed(this.arena, ops, inputs);
    } catch (error) {
      this.parts.log.warn('arena not fed', { arena: this.arena, error });
      return false;
    }
  }

  private refused(ops: readonly Op[], inputs: number): void {
    const { counters } = this.parts;
    if (inputs > 0) counters.add('inputs_dropped', 'arena_refused', inputs);
    if (ops.length === 0) return;
    if (++this.failed > TRIES) {
      this.failed = 0;
      counters.add('ops_dropped', 'arena_refused', ops.length);
      return;
    }
    const isSlow = this.failed > QUICK_TRIES;
    this.ops = [...ops, ...this.ops];
    if (isSlow) this.ops = newestOf(this.ops);
    const again = (): void => {
      this.retry = undefined;
      this.go();
    };
    this.retry = setTimeout(again, isSlow ? SLOW_RETRY_MS : RETRY_MS);
    this.retry.unref();
  }

  private grow(): boolean {
    if (this.used >= FEED_INPUTS_MAX * INPUT_BYTES) return false;
    const larger = Buffer.allocUnsafe(this.inputs.length * 2);
    this.inputs.copy(larger);
    this.inputs = larger;
    return true;
  }
}

/** @returns the last word on each watch and each presence, in their order: those before it say nothing any more */
function newestOf(ops: readonly Op[]): Op[] {
  const newest = new Map<string, Op>();
  for (const one of ops) {
    const match = one.is === 'create' ? one.order.match : one.match;
    const subject = one.is === 'come' || one.is === 'go' ? `${one.slot} ${one.player}` : '';
    const kind = one.is === 'unwatch' ? 'watch' : one.is === 'go' ? 'come' : one.is;
    const key = `${kind} ${match} ${subject}`;
    newest.delete(key);
    newest.set(key, one);
  }
  return [...newest.values()];
}

/** The feeds of a gateway: one for each arena that somebody here has to do with. */
export class Feeds {
  private readonly held = new Map<string, { readonly feed: Feed; users: number }>();

  constructor(private readonly parts: FeedParts) {}

  /** Every hold has to be matched by one `release`; what a feed has taken it still delivers after that. */
  hold(arena: string): Feed {
    const held = this.held.get(arena) ?? { feed: new Feed(arena, this.parts), users: 0 };
    held.users++;
    this.held.set(arena, held);
    return held.feed;
  }

  release(arena: string): void {
    const held = this.held.get(arena);
    if (held !== undefined && --held.users === 0) this.held.delete(arena);
  }
}

import type { Log } from '../src/lib/log.ts';
import type { ForkCommand } from './cores.ts';
import { behind, compete, givesWay, giveWay, yielding } from './priority.ts';
import type { WarmPool } from './warm-pool.ts';

/** An arena that is taken over within this time has never left its core, ms. */
const LINGER_MS = 1_000;

/** Who goes first on one core: arenas, whose ticks are due at a time, before whatever else runs there. */
export class CoreShare {
  private arenas = 0;
  private readonly listeners = new Set<() => void>();

  /** Whether an arena runs here. */
  get taken(): boolean {
    return this.arenas > 0;
  }

  /** An arena begins. @returns what to call when it is over */
  take(): () => void {
    this.arenas++;
    if (this.arenas === 1) this.tell();
    return () => {
      setTimeout(() => {
        this.arenas--;
        if (this.arenas === 0) this.tell();
      }, LINGER_MS).unref();
    };
  }

  /** Calls `listener` when the first arena begins and when the last is over. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/**
 * Keeps the children of a core's cpu lane behind its arenas while one runs. SCHED_IDLE is not for ever nothing: the
 * kernel leaves a little even where an arena takes all it can get, so that a job goes on, if slowly.
 */
export class Courtesy {
  private settling: Promise<void> | undefined;
  private again = false;
  private stuck = false;

  constructor(
    private readonly share: CoreShare,
    private readonly pool: () => WarmPool,
    private readonly log: Log,
    private readonly core: number | undefined,
  ) {
    if (yielding() !== 'no') share.onChange(() => this.settle());
  }

  /** What to fork a child of this lane with now: its warming up must not make ticks late either. */
  command(plain: ForkCommand): ForkCommand {
    return this.share.taken && yielding() !== 'no' ? behind(plain) : plain;
  }

  /** A job is over: a child that could not be brought back during it can be replaced. */
  afterJob(): void {
    if (this.stuck) this.settle();
  }

  /** Brings the children where they belong. */
  settle(): void {
    if (yielding() === 'no') return;
    this.again = this.settling !== undefined;
    if (this.again) return;
    this.settling = this.look()
      .catch((error: unknown) => this.log.warn('priorities not set', { core: this.core, error }))
      .finally(() => {
        this.settling = undefined;
        if (this.again) this.settle();
      });
  }

  private async look(): Promise<void> {
    const pool = this.pool();
    this.stuck = false;
    for (const child of pool.children) {
      const { pid } = child;
      const is = await givesWay(pid);
      const should = this.share.taken;
      if (is === undefined || is === should) continue;
      const done = should ? await giveWay(pid) : await compete(pid);
      this.log.debug('priority', { core: this.core, pid, behind: should, done });
      if (done || should) continue;
      // Where the way back is closed a fresh child takes its place, after its job.
      if (pool.running.includes(child)) this.stuck = true;
      else pool.kill(child);
    }
  }
}

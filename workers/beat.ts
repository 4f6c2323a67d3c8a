import { setTimeout as sleep } from 'node:timers/promises';
import { BEAT_MS, type Beat, type Fleet } from '../src/jobs/fleet.ts';
import type { Counters } from '../src/lib/counters.ts';
import type { Log } from '../src/lib/log.ts';

/** What is looked at of a lane worker. */
interface Lane {
  readonly busy: number;
  /** Whether it takes jobs. */
  isRunning(): boolean;
}

interface Io extends Lane {
  /** Jobs at once, at most. */
  readonly concurrency: number;
}

interface Core extends Lane {
  readonly core: number | undefined;
  /** The child's process, while it has one. */
  readonly pid: number | undefined;
}

interface Arenas extends Core {
  readonly queues: readonly string[];
}

export interface BeatParts {
  readonly worker: string;
  readonly cores: readonly Core[];
  readonly io: readonly Io[];
  readonly arenas: readonly Arenas[];
  readonly fleet: Pick<Fleet, 'say' | 'leave'>;
  readonly counters: Counters;
  readonly log: Log;
}

/** A worker that cannot say goodbye is forgotten by itself soon after; it does not wait for a lost Redis. */
const GOODBYE_MS = 1_000;

/** A worker's word to the fleet: now, every BEAT_MS, and when something of it changed. */
export class WorkerBeat {
  private readonly timer: NodeJS.Timeout;
  private saying: Promise<void> | undefined;
  private again = false;
  private draining = false;
  private stopped = false;

  constructor(private readonly parts: BeatParts) {
    this.timer = setInterval(() => this.say(), BEAT_MS);
    this.say();
  }

  /** Never more than one word is on its way: while Redis is away they would pile up, all of them old. */
  say(): void {
    if (this.stopped) return;
    if (this.saying !== undefined) {
      this.again = true;
      return;
    }
    this.again = false;
    this.saying = this.parts.fleet
      .say(this.words())
      .catch((error: unknown) => this.parts.log.warn('beat not said', { error }))
      .finally(() => {
        this.saying = undefined;
        if (this.again) this.say();
      });
  }

  /** From now on this worker takes no jobs; those it has go on. */
  drain(): void {
    this.draining = true;
    this.say();
  }

  /** The fleet forgets this worker. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopped = true;
    const { fleet, worker, log } = this.parts;
    // In order: a word that arrives after the goodbye would raise the dead.
    const goodbye = Promise.resolve(this.saying)
      .then(async () => await fleet.leave(worker))
      .catch((error: unknown) => log.warn('no goodbye', { error }));
    await Promise.race([goodbye, sleep(GOODBYE_MS, undefined, { ref: false })]);
  }

  private words(): Beat {
    const { worker, cores, io, arenas, counters } = this.parts;
    const takes = (lane: Lane) => !this.draining && lane.isRunning();
    // A core whose child does not start takes jobs to no end.
    const warm = (core: Core) => takes(core) && core.pid !== undefined;
    const lanes = { cpu: cores.some(warm), io: io.some(takes), arena: arenas.some(warm) };
    return {
      worker,
      lanes: (['cpu', 'io', 'arena'] as const).filter((lane) => lanes[lane]),
      arenas: [...new Set(arenas.filter(warm).flatMap(({ queues }) => queues))],
      cores: cores.map(({ core }) => core ?? null),
      busy: [...cores, ...io, ...arenas].reduce((sum, lane) => sum + lane.busy, 0),
      ioSlots: io.filter(takes).reduce((sum, { concurrency }) => sum + concurrency, 0),
      counts: [...counters.entries()],
      at: Date.now(),
    };
  }
}

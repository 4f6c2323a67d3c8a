import type { NoteOf } from '../history/note.ts';
import type { Notes } from '../history/notes.ts';
import type { Log } from '../lib/log.ts';
import { readBehind, type Behind, type Watched } from './reading.ts';

/** Set by the gateway that takes the next sample: one for all of them. */
const SAMPLING_KEY = 'm:{history}:sampling';
/** Of the interval: the next one finds the key gone. */
const HELD = 0.8;

/**
 * Samples queues and workers for the history, from the first note until nothing is unfinished and nothing was noted for
 * an interval: where nobody is, nothing runs.
 */
export class Sampler {
  private timer: NodeJS.Timeout | undefined;
  private isHeard = true;
  private isLooking = false;

  constructor(
    private readonly gateway: Watched,
    private readonly notes: Notes,
    private readonly everyMs: number,
    private readonly log: Log,
  ) {
    notes.listen(() => this.wake());
    // What was unfinished before this gateway started.
    this.wake();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private wake(): void {
    this.isHeard = true;
    this.timer ??= setInterval(() => void this.look(), this.everyMs);
  }

  private async look(): Promise<void> {
    const { redis, name } = this.gateway;
    if (this.isLooking || redis.status !== 'ready') return;
    this.isLooking = true;
    const wasHeard = this.isHeard;
    this.isHeard = false;
    try {
      const heldMs = Math.round(this.everyMs * HELD);
      // Another one samples; whether all is done is seen by whoever does.
      if ((await redis.set(SAMPLING_KEY, name, 'PX', heldMs, 'NX')) === null) return;
      const behind = await readBehind(this.gateway);
      if (behind === undefined) return;
      const sample = sampleOf(behind);
      this.notes.note(sample);
      if (wasHeard || this.isHeard || !isIdle(sample)) return;
      clearInterval(this.timer);
      this.timer = undefined;
    } catch (error) {
      this.log.warn('no sample', { error });
    } finally {
      this.isLooking = false;
    }
  }
}

/** Beats of workers are up to some seconds old; queues are read now. */
export function sampleOf(behind: Behind, now = Date.now()): NoteOf<'sample'> {
  const { workers, lanes, kinds, arenas, matches } = behind;
  const ready = (lane: 'cpu' | 'io' | 'arena') =>
    workers.filter((worker) => worker.lanes.includes(lane));
  const slots = {
    cpu: sum(ready('cpu').map(({ cores }) => cores.length)),
    io: sum(ready('io').map(({ ioSlots }) => ioSlots)),
  };
  const hosted = sum(arenas.map((one) => one.matches));
  return {
    is: 'sample',
    at: now,
    lanes: [
      ...lanes.map(({ lane, jobs }) => ({
        lane,
        workers: ready(lane).length,
        slots: slots[lane],
        // A core may hold a second job that it has fetched ahead.
        busy: Math.min(jobs.active, slots[lane]),
        waiting: jobs.waiting + jobs.prioritized + Math.max(jobs.active - slots[lane], 0),
        delayed: jobs.delayed,
      })),
      {
        lane: 'arena' as const,
        workers: ready('arena').length,
        slots: sum(arenas.map(({ capacity }) => capacity)),
        busy: hosted,
        waiting: Math.max(matches - hosted, 0),
        delayed: 0,
      },
    ],
    kinds: kinds.map(({ name: kind, depth, limit }) => ({ kind, depth, limit })),
  };
}

function isIdle({ lanes, kinds }: NoteOf<'sample'>): boolean {
  return (
    lanes.every(({ busy, waiting, delayed }) => busy + waiting + delayed === 0) &&
    kinds.every(({ depth }) => depth === 0)
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

import type { Kind } from '../../protocol/index.ts';
import { randomId } from '../lib/ids.ts';
import type { RequestData } from './job-data.ts';
import type { WorkQueues } from './late-queues.ts';

interface Gathering {
  readonly requests: RequestData[];
  /** The earliest of theirs. */
  turn: number;
  readonly queued: Promise<void>;
  readonly flush: () => void;
}

/**
 * Gathers this gateway's requests of one kind into one job. A request counts as accepted when its batch is in the
 * queue; until then its record stands alone, and its client, unanswered, sends it again.
 */
export class Batching {
  private readonly gathering = new Map<string, Gathering>();

  constructor(private readonly queues: WorkQueues) {}

  /** Resolves when the request's job is in the queue. */
  async add(kind: Kind, request: RequestData, turn: number): Promise<void> {
    const { batch } = kind;
    if (batch === undefined || batch.windowMs === 0) {
      return await this.queues.addRequest(kind, request, turn);
    }
    const open = this.gathering.get(kind.name) ?? this.open(kind, batch.windowMs);
    open.turn = Math.min(open.turn, turn);
    open.requests.push(request);
    if (open.requests.length >= batch.max) open.flush();
    await open.queued;
  }

  private open(kind: Kind, windowMs: number): Gathering {
    const requests: RequestData[] = [];
    let close = (): void => undefined;
    const closed = new Promise<void>((resolve) => (close = resolve));
    const flush = (): void => {
      clearTimeout(timer);
      // At once: what comes in the same turn, behind a full batch, belongs to the next.
      if (this.gathering.get(kind.name) === one) this.gathering.delete(kind.name);
      close();
    };
    const timer = setTimeout(flush, windowMs);
    const queued = closed.then(async () => {
      await this.queues.add(kind, `batch/${randomId(12)}`, requests, one.turn);
    });
    const one: Gathering = { requests, turn: Infinity, queued, flush };
    this.gathering.set(kind.name, one);
    return one;
  }
}

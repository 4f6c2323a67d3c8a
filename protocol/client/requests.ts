import { kinds, type End, type KindName, type RequestInput, type ServerBody } from '../index.ts';
import { explain } from '../codec.ts';
import { MusterError, RequestFailed } from './errors.ts';
import type { Fault } from './events.ts';
import { writeFrame } from './frames.ts';
import { Pace, WINDOW } from './pace.ts';
import { Pending, type Done, type RequestOptions } from './pending.ts';
import type { Continuity } from './session.ts';
import type { Timer } from './transport.ts';

/** What requests need of the connection. */
export interface Line {
  frameMaxBytes(): number;
  /** @returns false when no socket is open. */
  send(frame: Uint8Array): boolean;
  nextRef(): number;
  cancel(id: string): Promise<unknown>;
}

/** Refusals of a busy system: the same frame may succeed later. */
const BUSY: ReadonlySet<string> = new Set(['overloaded', 'rate_limited', 'unavailable']);
/** Where a refusal that may be retried names no time, ms. */
const RETRY_MS = 1_000;
/** Without accepted or error for so long a request is sent again, ms: the gateway may have dropped it unanswered. */
const ACCEPT_TIMEOUT_MS = 5_000;
const PENDING_MAX = 4_096;
const ENDED_KEPT = 4_096;

/** Every request of this client that has not ended, through however many sockets it takes (SPEC.md Q). */
export class Requests {
  private readonly pending = new Map<string, Pending>();
  private readonly byRef = new Map<number, Pending>();
  private readonly sent = new Set<Pending>();
  private queue: Pending[] = [];
  /** Ends already handed over: after a new epoch they may come again. */
  private readonly ended = new Set<string>();
  private readonly pace = new Pace();
  private wake: Timer | undefined;
  private up = false;

  constructor(private readonly line: Line) {}

  async request<N extends KindName>(
    name: N,
    input: RequestInput<N>,
    options: RequestOptions<N>,
  ): Promise<Done<N>> {
    const { signal, deadlineMs } = options;
    const kind = kinds[name];
    const read = kind.input.safeParse(input);
    if (!read.success) throw new MusterError('invalid_input', explain(read.error));
    if (signal?.aborted === true) throw new RequestFailed('cancelled');
    if (this.pending.size >= PENDING_MAX) throw new MusterError('queue_full');
    const id = options.id ?? randomId();
    if (this.pending.has(id))
      throw new MusterError('id_conflict', 'this client already waits for that id');
    const ref = this.line.nextRef();
    // Written once: what the application does to its input afterwards cannot make a resend another request.
    const frame = writeFrame('request', {
      ref,
      id,
      kind: name,
      input,
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
    return await new Promise<Done<N>>((resolve, reject) => {
      const pending = new Pending(id, ref, kind, frame, options, resolve, reject);
      const abort = (): void => this.abort(pending);
      signal?.addEventListener('abort', abort, { once: true });
      pending.onSettled = () => signal?.removeEventListener('abort', abort);
      this.pending.set(id, pending);
      this.byRef.set(ref, pending);
      pending.expiry = setTimeout(() => this.expire(pending), deadlineMs ?? kind.deadlineMs);
      this.enqueue([pending]);
    });
  }

  accepted(status: ServerBody<'accepted'>): void {
    const pending = this.pending.get(status.id);
    if (pending === undefined) return;
    this.move(pending, 'accepted');
    clearTimeout(pending.expiry);
    this.pace.accepted();
    pending.accepted(status);
    if (pending.aborted) void this.cancel(pending);
    this.pump();
  }

  progressed(progress: ServerBody<'progress'>): Fault | undefined {
    return this.pending.get(progress.id)?.progressed(progress);
  }

  /** @returns `news` when a promise took it, `again` when it was known, `orphan` when nobody waits for it. */
  settled(end: End): 'news' | 'again' | 'orphan' {
    const pending = this.pending.get(end.id);
    const known = this.ended.has(end.id);
    this.ended.add(end.id);
    if (this.ended.size > ENDED_KEPT)
      for (const oldest of this.ended) {
        this.ended.delete(oldest);
        break;
      }
    if (pending === undefined) return known ? 'again' : 'orphan';
    this.remove(pending);
    pending.ended(end);
    this.pump();
    return 'news';
  }

  /** @returns whether the refusal was of a request of this client. */
  refused(error: ServerBody<'error'>): boolean {
    const retryAfterMs = error.retryAfterMs ?? RETRY_MS;
    // One such error may stand for many frames dropped in the same moment: all that are unanswered go again.
    if (error.code === 'rate_limited') this.limited(retryAfterMs);
    const pending = error.ref === undefined ? undefined : this.byRef.get(error.ref);
    if (pending === undefined) return false;
    if (pending.phase === 'accepted' || error.code === 'rate_limited') return true;
    const refusal = MusterError.of(error);
    pending.lastRefusal = refusal;
    if (!BUSY.has(error.code) || pending.options.retryRefused === false)
      this.fail(pending, refusal);
    else if (pending.aborted) this.fail(pending, new RequestFailed('cancelled'));
    else {
      this.move(pending, 'held');
      pending.timer = setTimeout(() => this.enqueue([pending]), retryAfterMs);
    }
    this.pump();
    return true;
  }

  /** A welcome, on a new socket or on the living one. */
  welcomed(
    listed: ServerBody<'welcome'>['requests'],
    continuity: Continuity,
    playerChanged: boolean,
  ): void {
    this.up = true;
    const again: Pending[] = [];
    const held = new Map(listed.map((status) => [status.id, status]));
    for (const pending of this.pending.values()) {
      const status = held.get(pending.id);
      if (playerChanged && pending.everSent) this.fail(pending, new MusterError('player_changed'));
      else if (status !== undefined) this.accepted({ ...status });
      else if (pending.phase === 'accepted' && continuity !== 'resumed') again.push(pending);
    }
    this.enqueue(again);
  }

  /** The socket is gone: what was not accepted goes again, in the order in which it was asked for. */
  down(): void {
    this.up = false;
    clearTimeout(this.wake);
    this.requeueSent();
  }

  close(): void {
    this.down();
    for (const pending of this.pending.values()) this.fail(pending, new MusterError('closed'));
  }

  private abort(pending: Pending): void {
    pending.aborted = true;
    if (pending.phase === 'accepted') void this.cancel(pending);
    else if (!pending.everSent || pending.phase === 'held')
      this.fail(pending, new RequestFailed('cancelled'));
    // Else it may be on its way: a cancel that overtook it would find nothing, so it follows the acceptance.
  }

  private async cancel(pending: Pending): Promise<void> {
    if (pending.cancelling) return;
    pending.cancelling = true;
    while (this.pending.get(pending.id) === pending) {
      try {
        await this.line.cancel(pending.id);
        break;
      } catch (error) {
        const { code, retryAfterMs } = error as MusterError;
        if (code === 'already_ended' || code === 'closed') break;
        if (code === 'unknown_request') this.fail(pending, new RequestFailed('cancelled'));
        else await new Promise((go) => setTimeout(go, retryAfterMs ?? RETRY_MS));
      }
    }
    pending.cancelling = false;
  }

  private expire(pending: Pending): void {
    this.fail(
      pending,
      pending.lastRefusal ?? new MusterError('timeout', 'not accepted before its deadline'),
    );
  }

  private limited(retryAfterMs: number): void {
    this.pace.limited(performance.now(), retryAfterMs);
    this.requeueSent();
    this.pump();
  }

  private requeueSent(): void {
    const again = [...this.sent];
    for (const pending of again) this.move(pending, 'queued');
    this.queue = [...again, ...this.queue];
  }

  private enqueue(more: Pending[]): void {
    for (const pending of more) {
      this.move(pending, 'queued');
      this.queue.push(pending);
    }
    this.pump();
  }

  /** Sends what may leave now; sets the clock for what may leave later. */
  private pump(): void {
    clearTimeout(this.wake);
    while (this.up && this.sent.size < WINDOW) {
      const next = this.queue[0];
      if (next === undefined) return;
      const wait = this.pace.wait(performance.now());
      if (next.phase !== 'queued' || this.pending.get(next.id) !== next) this.queue.shift();
      else if (next.frame.length > this.line.frameMaxBytes())
        this.fail(next, new MusterError('frame_too_large'));
      else if (wait > 0) {
        this.wake = setTimeout(() => this.pump(), wait);
        return;
      } else if (this.line.send(next.frame)) {
        this.queue.shift();
        this.pace.left(performance.now());
        this.move(next, 'sent');
        next.everSent = true;
        next.timer = setTimeout(() => this.enqueue([next]), ACCEPT_TIMEOUT_MS);
      } else return;
    }
  }

  private move(pending: Pending, phase: Pending['phase']): void {
    clearTimeout(pending.timer);
    if (phase === 'sent') this.sent.add(pending);
    else this.sent.delete(pending);
    pending.phase = phase;
  }

  private remove(pending: Pending): void {
    pending.clearTimers();
    pending.onSettled?.();
    this.sent.delete(pending);
    this.pending.delete(pending.id);
    this.byRef.delete(pending.ref);
  }

  private fail(pending: Pending, error: MusterError | RequestFailed): void {
    this.remove(pending);
    pending.reject(error);
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

/** @returns 126 random bits as a request id. */
function randomId(): string {
  let id = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(21))) id += ALPHABET[byte & 63];
  return id;
}

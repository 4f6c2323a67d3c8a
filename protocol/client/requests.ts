import { explain } from '../codec.ts';
import {
  clientMessages,
  kinds,
  type End,
  type KindName,
  type RequestInput,
  type ServerBody,
} from '../index.ts';
import { Ended, randomId } from './ended.ts';
import { MusterError, RequestFailed } from './errors.ts';
import type { Fault } from './events.ts';
import { Flow, Pace, WINDOW } from './flow.ts';
import { writeFrame } from './frames.ts';
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
  /** 0 to 1: spreads the return of many clients that are refused together. */
  random(): number;
}

/** Refusals of a busy system, or of a player with much unfinished: the same frame may succeed later. */
const BUSY: ReadonlySet<string> = new Set(['overloaded', 'unavailable', 'unacknowledged']);
/** Where a refusal that may be retried names no time, ms. */
const RETRY_MS = 1_000;
/** Without accepted or error for so long a request is sent again, ms: the gateway may have dropped it unanswered. */
const ACCEPT_TIMEOUT_MS = 5_000;
const PENDING_MAX = 4_096;

/** Every request of this client that has not ended, through however many sockets it takes (SPEC.md Q). */
export class Requests {
  private readonly pending = new Map<string, Pending>();
  private readonly byRef = new Map<number, Pending>();
  private readonly flows = new Map<string, Flow>();
  private readonly ended = new Ended();
  private readonly pace = new Pace();
  private unanswered = 0;
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
    if (this.pending.has(id)) throw new MusterError('id_conflict', 'this client waits for that id');
    const ref = this.line.nextRef();
    // Written once: what the application does to its input afterwards cannot make a resend another request.
    const deadline = deadlineMs === undefined ? {} : { deadlineMs };
    const frame = writeFrame('request', { ref, id, kind: name, input, ...deadline });
    return await new Promise<Done<N>>((resolve, reject) => {
      const pending = new Pending(id, ref, kind, frame, options, resolve, reject);
      const abort = (): void => this.abort(pending);
      signal?.addEventListener('abort', abort, { once: true });
      pending.onSettled = () => signal?.removeEventListener('abort', abort);
      pending.expiry = setTimeout(() => this.expire(pending), deadlineMs ?? kind.deadlineMs);
      this.pending.set(id, pending);
      this.byRef.set(ref, pending);
      this.flow(pending).add(pending);
      this.pump();
    });
  }

  accepted(status: ServerBody<'accepted'>): void {
    const pending = this.pending.get(status.id);
    if (pending === undefined) return;
    this.answered(pending, 'accepted');
    clearTimeout(pending.expiry);
    this.flow(pending).accepted();
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
    const isNew = this.ended.add(end.id);
    if (pending === undefined) return isNew ? 'orphan' : 'again';
    this.remove(pending);
    pending.ended(end);
    this.pump();
    return 'news';
  }

  /** @returns whether the refusal was of a request of this client. */
  refused(error: ServerBody<'error'>): boolean {
    const retryAfterMs = error.retryAfterMs ?? RETRY_MS;
    const pending = error.ref === undefined ? undefined : this.byRef.get(error.ref);
    const limited = error.code === 'rate_limited';
    // One such error may stand for many frames dropped in the same moment: all that are unanswered go again.
    if (limited) this.limited(retryAfterMs, error.type === clientMessages.request.type);
    if (pending === undefined || pending.phase === 'accepted') return pending !== undefined;
    const refusal = MusterError.of(error);
    if (!(limited || BUSY.has(error.code)) || pending.options.retryRefused === false) {
      this.fail(pending, refusal);
    } else if (pending.aborted) this.fail(pending, new RequestFailed('cancelled'));
    else {
      pending.refused(refusal);
      if (!limited) {
        this.answered(pending, 'queued');
        const flow = this.flow(pending);
        flow.takeBack([pending]);
        flow.refused(performance.now(), retryAfterMs * (1 + this.line.random() / 4));
      }
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
    const open = new Map(listed.map((status) => [status.id, status]));
    for (const pending of this.pending.values()) {
      const status = open.get(pending.id);
      if (playerChanged && pending.everSent) this.fail(pending, new MusterError('player_changed'));
      else if (status !== undefined) this.accepted(status);
      else if (pending.phase === 'accepted' && continuity !== 'resumed') {
        pending.restart();
        this.flow(pending).add(pending);
      }
    }
    this.pump();
  }

  /** The socket is gone: what was not accepted goes again. */
  down(): void {
    this.up = false;
    clearTimeout(this.wake);
    this.takeBack();
  }

  close(): void {
    this.down();
    for (const pending of this.pending.values()) this.fail(pending, new MusterError('closed'));
  }

  private abort(pending: Pending): void {
    pending.aborted = true;
    if (pending.phase === 'accepted') void this.cancel(pending);
    else if (!pending.everSent) this.fail(pending, new RequestFailed('cancelled'));
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
    this.fail(pending, pending.lastRefusal ?? new MusterError('timeout', 'not accepted in time'));
    this.pump();
  }

  private limited(retryAfterMs: number, isRequest: boolean): void {
    this.pace.limited(performance.now(), retryAfterMs, isRequest);
    this.takeBack();
    this.pump();
  }

  private takeBack(): void {
    for (const flow of this.flows.values()) {
      for (const pending of flow.takeBack()) clearTimeout(pending.timer);
    }
    this.unanswered = 0;
  }

  private flow({ kind }: Pending): Flow {
    let flow = this.flows.get(kind.name);
    if (flow === undefined) this.flows.set(kind.name, (flow = new Flow()));
    return flow;
  }

  /** Sends what may leave now, the kinds in turn; sets the clock for what may leave later. */
  private pump(): void {
    clearTimeout(this.wake);
    let soonest = Infinity;
    // A kind that sent one is put last, where this loop finds it again: it ends when none can send.
    for (const [name, flow] of this.flows) {
      const next = flow.next();
      if (next === undefined || flow.isFull) continue;
      if (!this.up || this.unanswered >= WINDOW) return;
      const now = performance.now();
      const wait = Math.max(flow.wait(now), this.pace.wait(now));
      if (wait > 0) {
        soonest = Math.min(soonest, wait);
        continue;
      }
      if (!this.leave(flow, next)) return;
      this.flows.delete(name);
      this.flows.set(name, flow);
    }
    if (soonest < Infinity) this.wake = setTimeout(() => this.pump(), soonest);
  }

  /** @returns false when no socket is open. */
  private leave(flow: Flow, next: Pending): boolean {
    if (next.frame.length > this.line.frameMaxBytes()) {
      this.fail(next, new MusterError('frame_too_large'));
      return true;
    }
    if (!this.line.send(next.frame)) return false;
    this.pace.left(performance.now());
    flow.left(next);
    this.unanswered++;
    next.left(() => {
      this.answered(next, 'queued');
      flow.takeBack([next]);
      this.pump();
    }, ACCEPT_TIMEOUT_MS);
    return true;
  }

  private answered(pending: Pending, phase: Pending['phase']): void {
    clearTimeout(pending.timer);
    if (pending.phase === 'sent') this.unanswered--;
    this.flow(pending).forget(pending);
    pending.phase = phase;
  }

  private remove(pending: Pending): void {
    this.answered(pending, 'settled');
    clearTimeout(pending.expiry);
    pending.onSettled?.();
    this.pending.delete(pending.id);
    this.byRef.delete(pending.ref);
  }

  private fail(pending: Pending, error: MusterError | RequestFailed): void {
    this.remove(pending);
    pending.reject(error);
  }
}

import type {
  End,
  Kind,
  KindName,
  ProgressOf,
  RequestStatus,
  ResultOf,
  ServerBody,
} from '../index.ts';
import { MusterError, RequestFailed } from './errors.ts';
import { guarded, type Fault } from './events.ts';
import type { Timer } from './transport.ts';

export interface RequestOptions<N extends KindName = KindName> {
  /** 1 to 64 of A-Z a-z 0-9 _ -. The same id, also after a page reload, is the same request. Default: random. */
  readonly id?: string | undefined;
  /** From acceptance to end, ms, waiting included; at most, and by default, the kind's own. */
  readonly deadlineMs?: number | undefined;
  /** A report of a lower attempt, or out of order, is left out. A higher attempt begins anew. */
  readonly onProgress?:
    | ((value: ProgressOf<N>, at: { attempt: number; seq: number }) => void)
    | undefined;
  /** Once, when the request is durable. */
  readonly onAccepted?: ((status: RequestStatus) => void) | undefined;
  /** Aborting cancels the request; the promise settles when its end is known. */
  readonly signal?: AbortSignal | undefined;
  /** Wait and ask again when the gateway is overloaded, until deadlineMs from the call. Default true. */
  readonly retryRefused?: boolean | undefined;
}

export interface Done<N extends KindName = KindName> {
  readonly result: ResultOf<N>;
  readonly end: End;
}

/** `sent`: its acceptance is awaited. `accepted`: its end is. */
export type Phase = 'queued' | 'sent' | 'accepted' | 'settled';

/** One request that has not ended, as this client knows it. */
export class Pending {
  phase: Phase = 'queued';
  /** It may have reached a gateway: only an answer of one can settle it. */
  everSent = false;
  aborted = false;
  cancelling = false;
  lastRefusal: MusterError | undefined;
  /** While sent: until it is sent again. */
  timer: Timer | undefined;
  /** Until it must have been accepted. */
  expiry: Timer | undefined;
  /** Lets go of what the caller gave: its signal. */
  onSettled: (() => void) | undefined;
  private told = false;
  private attempt = 0;
  private seq = 0;

  constructor(
    readonly id: string,
    readonly ref: number,
    readonly kind: Kind,
    readonly frame: Uint8Array,
    readonly options: Pick<RequestOptions, 'onAccepted' | 'retryRefused'> & {
      readonly onProgress?:
        | ((value: never, at: { attempt: number; seq: number }) => void)
        | undefined;
    },
    private readonly resolve: (done: Done) => void,
    readonly reject: (error: MusterError | RequestFailed) => void,
  ) {}

  left(onSilence: () => void, silenceMs: number): void {
    this.phase = 'sent';
    this.everSent = true;
    this.timer = setTimeout(onSilence, silenceMs);
  }

  refused(refusal: MusterError): void {
    this.lastRefusal = refusal;
    this.everSent = false;
  }

  accepted(status: RequestStatus): void {
    if (this.told) return;
    this.told = true;
    guarded(() => this.options.onAccepted?.(status));
  }

  /** The gateway has lost it, and may count its attempts from 1 again. */
  restart(): void {
    this.attempt = this.seq = 0;
  }

  /** @returns what is wrong with the report, if anything is. */
  progressed({ attempt, seq, value }: ServerBody<'progress'>): Fault | undefined {
    if (attempt < this.attempt || (attempt === this.attempt && seq <= this.seq)) return undefined;
    this.attempt = attempt;
    this.seq = seq;
    const read = this.kind.progress.safeParse(value);
    if (!read.success)
      return { what: `progress of ${this.kind.name} does not fit its schema`, cause: read.error };
    guarded(() => this.options.onProgress?.(read.data as never, { attempt, seq }));
    return undefined;
  }

  ended(end: End): void {
    if (end.state !== 'done') return this.reject(new RequestFailed(end.state, end));
    const read = this.kind.result.safeParse(end.result);
    if (read.success) this.resolve({ result: read.data as Done['result'], end });
    else
      this.reject(
        new MusterError('bad_reply', `result of ${this.kind.name}: ${read.error.message}`),
      );
  }
}

import {
  encodeFrame,
  serverMessages,
  type End,
  type InputOf,
  type Kind,
  type KindName,
  type ProgressOf,
} from '../protocol/index.ts';
import type { RequestData } from '../src/jobs/job-data.ts';
import type { Notes } from '../src/history/notes.ts';
import type { Records, Standing } from '../src/jobs/records.ts';
import type { Workloads } from '../src/jobs/workloads.ts';
import type { Counters } from '../src/lib/counters.ts';
import { jobId } from '../src/relay/keys.ts';
import { Pace } from './pace.ts';

/** What a processor is given besides its input. */
export interface Context<N extends KindName> {
  readonly player: string;
  /** The request's id: the key for whatever the processor does outside Redis, since it may run twice. */
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborted when the request was cancelled, expired, or taken over by a later attempt. */
  readonly signal: AbortSignal;
  /** Whether it is aborted by now, for who looks between steps: without a signal a request costs a third. */
  readonly isStopped: boolean;
  /**
   * Resolves when Redis has it. With delivery `latest`, one that comes while another is on its way, or sooner after it
   * than the kind's progressEveryMs, resolves at once and waits; the newest of those that wait is sent.
   */
  progress(value: ProgressOf<N>): Promise<void>;
}

export interface Item<N extends KindName> {
  readonly input: InputOf<N>;
  readonly context: Context<N>;
}

/** Where attempts run: one per process. */
export interface Place {
  readonly records: Records;
  readonly workloads: Workloads;
  readonly counters: Counters;
  readonly history: Notes;
  readonly worker: string;
  readonly core: number | undefined;
  /** Told about a progress report that could not be sent. */
  readonly onLost: (error: unknown) => void;
  /** What stops each request that is in hand here, by its job id; absent where a process is killed instead. */
  readonly stops?: Map<string, (why: unknown) => void>;
}

/** Another attempt has the request: nothing this one does counts, and it must not be taken for the end. */
export class Fenced extends Error {
  override name = 'Fenced';
}

/** One request in the hands of one attempt. */
export class Held<N extends KindName> {
  readonly item: Item<N>;
  /** As jobs and orders name the request. */
  readonly name: string;
  private readonly stopped = new Stop();
  private seq = 0;
  private last: Promise<void> | undefined;
  /** Of a kind whose reports may be skipped, once there is one: most requests have none. */
  private pace: Pace<unknown> | undefined;

  /** @throws ZodError when the input is none of this kind */
  constructor(
    private readonly kind: Kind,
    private readonly data: RequestData,
    private readonly token: string,
    private readonly attempt: number,
    private readonly place: Place,
    private readonly job: string,
  ) {
    const { stopped } = this;
    this.name = jobId(data.player, data.id);
    this.item = {
      input: kind.input.parse(data.input) as InputOf<N>,
      context: {
        player: data.player,
        id: data.id,
        attempt,
        get signal() {
          return stopped.signal;
        },
        get isStopped() {
          return stopped.isStopped;
        },
        progress: (value) => {
          const sent = this.progress(value);
          // Whoever awaits it sees the error; whoever does not must not end the process by it.
          sent.catch(place.onLost);
          return sent;
        },
      },
    };
  }

  /** Tells its processor that nothing it does for this request counts any more. */
  stop(why: unknown): void {
    this.stopped.stop(why);
  }

  /** Takes the record. @returns false when nothing is left to do. @throws Fenced */
  async begin(): Promise<boolean> {
    const { data, token, attempt, job } = this;
    return owns(await this.place.records.begin(data, token, attempt, job));
  }

  /** @param seq of the report, where several hold the record and number their reports together */
  async report(value: unknown, seq: number): Promise<void> {
    this.seq = seq - 1;
    await this.tell(this.kind.progress.parse(value));
  }

  /** Resolves when what was reported has been sent. What waits is not: an end says more. */
  async flush(): Promise<void> {
    this.pace?.drop();
    await this.last;
  }

  /** @returns false when it has ended already and stays so. @throws Fenced when a later attempt has the request */
  async settle(end: Pick<End, 'state' | 'result' | 'failure' | 'ran'>): Promise<boolean> {
    const { id } = this.data;
    const whole: End = { id, kind: this.kind.name, attempt: this.attempt, ...end };
    return owns((await this.place.records.settle(this.data, this.token, whole)).is);
  }

  private async progress(value: unknown): Promise<void> {
    const report = this.kind.progress.parse(value);
    if (this.kind.delivery === 'every') return await this.tell(report);
    this.pace ??= new Pace(this.kind.progressEveryMs, async (one) => await this.tell(one));
    await this.pace.offer(report);
  }

  private async tell(value: unknown): Promise<void> {
    const { data, token, attempt, job } = this;
    const { id, player } = data;
    const reliable = this.kind.delivery === 'every';
    const report = { id, attempt, seq: ++this.seq, value };
    const frame = encodeFrame(serverMessages.progress, report);
    const when = { kind: this.kind.name, at: Date.now() };
    this.place.history.note({ is: 'report', player, ...report, ...when }, frame.byteLength);
    // Who works for one alone may compute on for long after it said this.
    const atOnce = this.kind.batch === undefined;
    const told = this.place.records.progress(data, token, attempt, job, frame, reliable, atOnce);
    const sent = told.then(
      (standing) => {
        if (standing !== 'ok') this.stopped.stop(standing);
      },
      (error: unknown) => this.place.onLost(error),
    );
    this.last = sent;
    await sent;
    if (this.last === sent) this.last = undefined;
  }
}

/** A signal that is made when it is asked for: most jobs are over before they would look. */
class Stop {
  private controller: AbortController | undefined;
  private stopped: { readonly why: unknown } | undefined;

  stop(why: unknown): void {
    this.stopped ??= { why };
    this.controller?.abort(why);
  }

  get isStopped(): boolean {
    return this.stopped !== undefined;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.stopped !== undefined) this.controller.abort(this.stopped.why);
    }
    return this.controller.signal;
  }
}

function owns(standing: Standing): boolean {
  if (standing === 'fenced') throw new Fenced('a later attempt has this request');
  return standing === 'ok';
}

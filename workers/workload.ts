import type { Job } from 'bullmq';
import {
  explain,
  kinds,
  type EndedState,
  type FailureCode,
  type InputOf,
  type Kind,
  type PartOf,
  type ProgressOf,
  type ResultOf,
  type SumOf,
  type WorkloadKind,
} from '../protocol/index.ts';
import { readRequests, readRunner } from '../src/jobs/job-data.ts';
import { PARTS_RUN } from '../src/jobs/records.lua.ts';
import {
  Workloads,
  type Outcome,
  type PartFailure,
  type Runner,
  type Stand,
  type Word,
} from '../src/jobs/workloads.ts';
import { Fenced, Held, type Place } from './held.ts';

/** A runner works so long, and then waits for its turn again, ms: others want the core, too. */
export const SLICE_MS = 1_000;
/** What a runner says that has more to do. */
export const AGAIN = 'again';

/** What a part is done with, besides its input. */
export interface PartContext {
  readonly player: string;
  /** Of the whole request. */
  readonly id: string;
  /** 1 for the first. A part may run twice, and counts once. */
  readonly attempt: number;
  /** Aborted when the request was cancelled or has expired. */
  readonly signal: AbortSignal;
}

export type PartOutcome<N extends WorkloadKind> =
  | { readonly value: PartOf<N> }
  | { readonly failure: PartFailure };

export interface Tally {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

/** What does the requests of a kind with parts. All but `part` is called on whichever core has a moment. */
export interface WorkloadProcessor<N extends WorkloadKind> {
  /** Once per process, before its first part. */
  prepare?(): Promise<void>;
  /** Does one part. @param part from 0 to the count minus 1. What it throws fails the part, not its neighbours */
  part(input: InputOf<N>, part: number, context: PartContext): Promise<PartOf<N>> | PartOf<N>;
  /** What no parts come to. */
  start(input: InputOf<N>): SumOf<N>;
  /** Adds one part. Called in the order of the parts, so that equal parts make equal sums whoever does them, and when. */
  fold(sum: SumOf<N>, part: number, outcome: PartOutcome<N>, input: InputOf<N>): SumOf<N>;
  /** @param sum of the parts that are folded, a little behind the tally */
  report(sum: SumOf<N>, tally: Tally, input: InputOf<N>): ProgressOf<N>;
  finish(sum: SumOf<N>, tally: Tally, input: InputOf<N>): ResultOf<N>;
}

type RunnersJob = Pick<Job, 'id' | 'name' | 'data' | 'attemptsStarted' | 'timestamp'>;

/**
 * One slice of one of a workload's runners: takes parts, does them, says what they came to, until its time is over or
 * none is left. Whoever says the last word of all folds what is not folded yet and settles the request; if it dies over
 * that, its next attempt does.
 * @returns the end that it has written, none, or AGAIN when there may be more to do
 * @throws Fenced when another attempt has this runner
 */
export async function runParts<N extends WorkloadKind>(
  job: RunnersJob,
  token: string,
  signal: AbortSignal,
  processor: WorkloadProcessor<N>,
  place: Place,
): Promise<EndedState[] | typeof AGAIN> {
  return await new Slice(job, token, signal, processor, place).run();
}

class Slice<N extends WorkloadKind> {
  private readonly kind: Kind;
  private readonly me: Runner;
  private readonly held: Held<N>;
  private readonly input: InputOf<N>;
  private readonly total: number;

  constructor(
    private readonly job: RunnersJob,
    token: string,
    private readonly signal: AbortSignal,
    private readonly processor: WorkloadProcessor<N>,
    private readonly place: Place,
  ) {
    this.kind = kinds[job.name as N];
    const [request] = readRequests(job.data);
    if (request === undefined) throw new Error('runner without a request');
    this.me = { request, runner: readRunner(job.data), starts: job.attemptsStarted, token };
    // All runners of a request hold its record together.
    this.held = new Held<N>(this.kind, request, PARTS_RUN, 1, place, job.id ?? '');
    this.input = this.held.item.input;
    this.total = this.kind.parts?.count(this.input) ?? 0;
  }

  async run(): Promise<EndedState[] | typeof AGAIN> {
    await this.processor.prepare?.();
    const until = performance.now() + SLICE_MS;
    let word = await this.say('begins', true);
    for (;;) {
      if (word.is === 'fenced') throw new Fenced('another attempt has this runner');
      if (word.is !== 'ok') return [];
      if (word.failed > Workloads.mayFail(this.kind, this.total)) return await this.giveUp(word);
      if (word.done + word.failed === this.total) return await this.finish(word);
      if (word.fold) await this.fold();
      if (word.report > 0) await this.report(word);
      if (word.next === undefined) return performance.now() >= until ? AGAIN : [];
      const { part, tries } = word.next;
      const outcome = await this.outcomeOf(part, tries);
      word = await this.say({ part, outcome }, performance.now() < until);
    }
  }

  private async say(
    over: 'begins' | { readonly part: number; readonly outcome: Outcome },
    more: boolean,
  ): Promise<Word> {
    return await this.place.workloads.next(this.kind, this.me, over, more, this.total);
  }

  private async outcomeOf(part: number, tries: number): Promise<Outcome> {
    const { parts } = this.kind;
    for (let attempt = tries; ; attempt++) {
      let failure: PartFailure;
      try {
        const { player, id } = this.me.request;
        const context = { player, id, attempt, signal: this.signal };
        const value = parts?.value.safeParse(await this.processor.part(this.input, part, context));
        const bytes = JSON.stringify(value?.data ?? null).length;
        if (value?.success === true && bytes <= (parts?.valueBytes ?? 0))
          return { value: value.data };
        const why = value?.success === false ? explain(value.error) : `${bytes} bytes long`;
        failure = { code: 'bad_result', message: why };
      } catch (error) {
        // Of a request that is over, nothing is said of the part: its record knows.
        this.signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        failure = { code: 'processor_error', message };
      }
      this.place.counters.add('parts_failed', failure.code);
      if (attempt >= (parts?.tries ?? 1)) return { failure };
    }
  }

  /** Takes some hundred values into the sum. @returns it, and how many parts are in it now */
  private async fold(): Promise<{ readonly sum: SumOf<N>; readonly folded: number }> {
    const { request } = this.me;
    const { workloads } = this.place;
    const at = await workloads.sum(request);
    const sum = this.readSum(at.sum);
    const outcomes = await workloads.outcomes(request, at.folded, this.total);
    if (outcomes.length === 0) return { sum, folded: at.folded };
    let folded = sum;
    for (const [i, outcome] of outcomes.entries()) {
      folded = this.processor.fold(folded, at.folded + i, this.readOutcome(outcome), this.input);
    }
    const to = at.folded + outcomes.length;
    const bytes = JSON.stringify(folded).length;
    if (bytes > (this.kind.parts?.sumBytes ?? 0)) throw new TooLarge(`the sum has ${bytes} bytes`);
    // Others may have come first: what they made of the same parts is the same.
    await workloads.fold(request, at.folded, to, folded);
    return { sum: folded, folded: to };
  }

  private readSum(sum: unknown): SumOf<N> {
    if (sum === undefined) return this.processor.start(this.input);
    return this.kind.parts?.sum.parse(sum) as SumOf<N>;
  }

  private readOutcome(outcome: Outcome): PartOutcome<N> {
    if ('failure' in outcome) return outcome;
    return { value: this.kind.parts?.value.parse(outcome.value) as PartOf<N> };
  }

  private async report(stand: Stand): Promise<void> {
    const { sum } = await this.place.workloads.sum(this.me.request);
    const report = this.processor.report(this.readSum(sum), tallyOf(stand), this.input);
    await this.held.report(report, stand.report);
  }

  private async finish(stand: Stand): Promise<EndedState[]> {
    try {
      let at = await this.fold();
      while (at.folded < this.total) {
        const before = at.folded;
        at = await this.fold();
        if (at.folded > before) continue;
        // Another runner may have settled it, and its parts are gone with that.
        const word = await this.say('begins', false);
        if (word.is !== 'ok') return [];
        return await this.fail('crashed', 'the store has lost some of its parts');
      }
      const result = this.kind.result.safeParse(
        this.processor.finish(at.sum, tallyOf(stand), this.input),
      );
      if (!result.success) return await this.fail('bad_result', explain(result.error));
      return await this.settle({ state: 'done', result: result.data });
    } catch (error) {
      if (error instanceof TooLarge) return await this.fail('bad_result', error.message);
      throw error;
    }
  }

  /** More parts have failed than may. */
  private async giveUp({ failed, total, why }: Stand): Promise<EndedState[]> {
    return await this.fail('parts_failed', `${failed} of ${total}, the first one: ${why}`);
  }

  private async fail(code: FailureCode, message: string): Promise<EndedState[]> {
    return await this.settle({
      state: 'failed',
      failure: { code, message: message.slice(0, 300) },
    });
  }

  private async settle(
    end: Pick<Parameters<Held<N>['settle']>[0], 'state' | 'result' | 'failure'>,
  ): Promise<EndedState[]> {
    await this.held.flush();
    const { worker, core } = this.place;
    const ran = {
      worker,
      ...(core !== undefined && { core }),
      pid: process.pid,
      waitedMs: 0,
      ms: Math.max(Date.now() - this.job.timestamp, 0),
    };
    return (await this.held.settle({ ...end, ran })) ? [end.state] : [];
  }
}

class TooLarge extends Error {
  override name = 'TooLarge';
}

function tallyOf({ done, failed, total }: Tally): Tally {
  return { done, failed, total };
}

import * as z from 'zod';
import { failures, type FailureCode, type Kind } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import { parsed } from '../lib/json.ts';
import { script, type Redis } from '../lib/redis.ts';
import { asList, asNumber, asText } from '../lib/reply.ts';
import { playerKeys } from '../relay/keys.ts';
import type { RequestData } from './job-data.ts';
import * as lua from './workloads.lua.ts';

/** Why a part is not done. */
export interface PartFailure {
  readonly code: FailureCode;
  readonly message: string;
}

export type Outcome = { readonly value: unknown } | { readonly failure: PartFailure };

/** One attempt of one of a workload's runners. */
export interface Runner {
  readonly request: RequestData;
  readonly runner: number;
  /** BullMQ's count of its job's starts. */
  readonly starts: number;
  /** BullMQ's. A worker may have the same one for several attempts, but not for two starts of one job. */
  readonly token: string;
}

/** Where a workload stands after a runner's word. */
export interface Stand {
  readonly is: 'ok';
  /** What to do next; undefined: nothing is left to take, or none was asked for. */
  readonly next: { readonly part: number; readonly tries: number } | undefined;
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** Parts that are in the sum. */
  readonly folded: number;
  /** The number of the report that this runner should make, 0: none. It is told to one of them from time to time. */
  readonly report: number;
  /** Whether this runner should fold, likewise. */
  readonly fold: boolean;
  /** Of the first part that failed. */
  readonly why: string;
}

/** `ended`, `gone`: nothing is left to do. `fenced`: another attempt has the runner. */
export type Word = Stand | { readonly is: 'ended' | 'gone' | 'fenced' };

const failureSchema = z.object({
  code: z.enum(Object.keys(failures) as [FailureCode, ...FailureCode[]]),
  message: z.string(),
});
/** Values that are read at once. */
const READ_AT_ONCE = 500;
const MESSAGE_MAX = 300;

/** What is kept of workloads in Redis, beside their records: which parts are taken, done and folded. */
export class Workloads {
  private readonly run;

  constructor(
    private readonly redis: Redis,
    private readonly limits: Pick<Config, 'REQUEST_TTL_MS'>,
  ) {
    this.run = {
      next: script(redis, lua.next),
      fold: script(redis, lua.fold),
      blame: script(redis, lua.blame),
      restart: script(redis, lua.restart),
    };
  }

  /** @returns how many of a workload's parts may fail */
  static mayFail(kind: Kind, total: number): number {
    return Math.floor(total * (kind.parts?.mayFail ?? 0));
  }

  /**
   * @param over what became of the part that the runner had; `begins`: this attempt's first word. What an earlier
   * attempt had is tried again, or has failed, by then
   * @param more whether to give it another one
   */
  async next(
    kind: Kind,
    { request, runner, starts, token }: Runner,
    over: 'begins' | { readonly part: number; readonly outcome: Outcome },
    more: boolean,
    total: number,
  ): Promise<Word> {
    const keys = playerKeys(request.player);
    const now = Date.now();
    const reply = asList(
      await this.run.next(
        keys.record(request.id),
        ...keys.workload(request.id),
        now,
        runner,
        starts,
        attemptOf({ starts, token }),
        over === 'begins' ? 1 : 0,
        over === 'begins' ? -1 : over.part,
        over === 'begins' ? '' : written(over.outcome),
        more ? 1 : 0,
        total,
        kind.parts?.tries ?? 1,
        Workloads.mayFail(kind, total),
        Math.max(request.deadline - now, 0) + this.limits.REQUEST_TTL_MS,
      ),
    );
    const is = asText(reply[0]);
    if (is === 'ended' || is === 'gone' || is === 'fenced') return { is };
    const [part = -1, tries = 0, done = 0, failed = 0, folded = 0, report = 0, fold] = reply
      .slice(1, 8)
      .map(asNumber);
    const next = part < 0 ? undefined : { part, tries };
    const why = asText(reply[8]);
    return {
      is: 'ok',
      next,
      done,
      failed,
      total,
      folded,
      report,
      fold: fold === 1,
      why,
    };
  }

  /** @returns the sum so far, undefined before the first fold, and how many parts are in it */
  async sum({
    player,
    id,
  }: RequestData): Promise<{ readonly sum: unknown; readonly folded: number }> {
    const [w] = playerKeys(player).workload(id);
    const [sum, folded] = await this.redis.hmget(w, 'sum', 'folded');
    return { sum: sum ? parsed(sum) : undefined, folded: Number(folded ?? 0) };
  }

  /** @returns what became of parts from `from` on, in order and without a gap, some hundreds at most */
  async outcomes({ player, id }: RequestData, from: number, total: number): Promise<Outcome[]> {
    const [, v] = playerKeys(player).workload(id);
    const parts = Array.from({ length: Math.min(READ_AT_ONCE, total - from) }, (_, i) => from + i);
    if (parts.length === 0) return [];
    const values = await this.redis.hmget(v, ...parts.map(String));
    const gap = values.findIndex((value) => value === null);
    return values.slice(0, gap < 0 ? values.length : gap).map((value) => read(value ?? ''));
  }

  /** @returns false where others have folded since `from` was read */
  async fold(
    { player, id }: RequestData,
    from: number,
    to: number,
    sum: unknown,
  ): Promise<boolean> {
    const keys = playerKeys(player).workload(id);
    return asNumber(await this.run.fold(...keys, from, to, JSON.stringify(sum))) === 1;
  }

  /** The process of a runner died: that is what its part fails of when it is not tried again. */
  async blame(
    { player, id }: RequestData,
    { runner, ...attempt }: Pick<Runner, 'runner' | 'starts' | 'token'>,
    failure: PartFailure,
  ): Promise<void> {
    const [w] = playerKeys(player).workload(id);
    await this.run.blame(w, runner, attemptOf(attempt), JSON.stringify(shortened(failure)));
  }

  /** The runners' jobs were lost and are about to be added again. */
  async restart(kind: Kind, { player, id }: RequestData): Promise<void> {
    const [w] = playerKeys(player).workload(id);
    await this.run.restart(w, kind.parts?.width ?? 0);
  }
}

/** @returns what only this attempt has */
function attemptOf({ starts, token }: Pick<Runner, 'starts' | 'token'>): string {
  return `${starts} ${token}`;
}

function written(outcome: Outcome): string {
  if ('value' in outcome) return `v${JSON.stringify(outcome.value)}`;
  return `f${JSON.stringify(shortened(outcome.failure))}`;
}

function shortened({ code, message }: PartFailure): PartFailure {
  return { code, message: message.slice(0, MESSAGE_MAX) };
}

function read(text: string): Outcome {
  const value: unknown = parsed(text.slice(1));
  if (text.startsWith('v')) return { value };
  return { failure: failureSchema.safeParse(value).data ?? { code: 'crashed', message: '' } };
}

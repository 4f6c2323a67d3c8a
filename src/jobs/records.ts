import { encodeFrame, serverMessages, type End, type RequestState } from '../../protocol/index.ts';
import { noNotes, type Notes } from '../history/notes.ts';
import type { Config } from '../lib/config.ts';
import { randomUint32 } from '../lib/ids.ts';
import { script, together, type Redis } from '../lib/redis.ts';
import { asBytes, asList, asNumber, asText } from '../lib/reply.ts';
import { TurnGather } from '../lib/turn-gather.ts';
import { playerKeys } from '../relay/keys.ts';
import type { RequestName } from './job-data.ts';
import { readState } from '../relay/sessions.ts';
import * as lua from './records.lua.ts';

export interface Known {
  readonly is: 'known';
  readonly state: RequestState;
  readonly attempt: number;
  /** BullMQ's id of the job that the last attempt was one of; '' before the first. */
  readonly job: string;
  /** The one that it was accepted with, ms since 1970. */
  readonly deadline: number;
}

export type Accepted =
  | { readonly is: 'new' }
  | Known
  | { readonly is: 'conflict' | 'in_flight' | 'unacked' };

/** `ended`: nothing is left to do. `fenced`: a later attempt has the record. `gone`: nobody remembers the request. */
export type Standing = 'ok' | 'ended' | 'fenced' | 'gone';

export type Settled =
  | { readonly is: 'ok'; readonly kind: string }
  | { readonly is: Exclude<Standing, 'ok'> };

export interface Found {
  readonly kind: string;
  readonly state: RequestState;
  readonly attempt: number;
  /** ms since 1970. */
  readonly deadline: number;
  /** The `ended` frame, once there is one. */
  readonly end: Buffer | undefined;
}

/** A verdict needs no attempt: a cancel, a deadline, a death. */
export const VERDICT = '*';

type Limits = Pick<Config, 'OUTBOX_MAX' | 'REQUEST_TTL_MS'>;

interface Asked extends RequestName {
  readonly hash: string;
  readonly kind: string;
  readonly perPlayer: number;
  /** ms since 1970. */
  readonly deadline: number;
  readonly session: string;
}

interface Report extends RequestName {
  readonly run: string;
  readonly attempt: number;
  readonly job: string;
  readonly frame: Uint8Array;
  readonly reliable: boolean;
}

interface Verdict extends RequestName {
  readonly run: string;
  readonly end: End;
}

/**
 * Request records in Redis: each method is one script, idempotent, in one round trip. What is asked for one player in
 * the same turn of the event loop goes as one run of its script: thousands of requests at once come in handfuls.
 */
export class Records {
  private readonly run;
  private readonly gather;

  constructor(
    private readonly redis: Redis,
    private readonly limits: Limits,
    /** Told of every end. */
    private readonly history: Notes = noNotes,
  ) {
    this.run = {
      accept: script(redis, lua.accept),
      discard: script(redis, lua.discard),
      restart: script(redis, lua.restart),
      begin: script(redis, lua.begin),
      progress: script(redis, lua.progress),
      settle: script(redis, lua.settle),
      watch: script(redis, lua.watch),
    };
    const gathered = <T, R>(run: (items: readonly T[]) => Promise<R[]>) =>
      new TurnGather<T, R>(
        async (_, items) => await run(items),
        (start) => together(redis, start),
      );
    this.gather = {
      accept: gathered(async (asked: readonly Asked[]) => await this.acceptAll(asked)),
      progress: gathered(async (reports: readonly Report[]) => await this.progressAll(reports)),
      settle: gathered(async (verdicts: readonly Verdict[]) => await this.settleAll(verdicts)),
    };
  }

  /** @param session who is told of progress and end; '' when nobody listens on a socket */
  async accept(
    { player, id }: RequestName,
    request: { hash: string; kind: string; perPlayer: number; deadline: number },
    session: string,
  ): Promise<Accepted> {
    // Those of one session: who is told is an argument of the whole run.
    const key = `${session} ${player}`;
    return await this.gather.accept.add(key, { player, id, session, ...request });
  }

  private async acceptAll(asked: readonly Asked[]): Promise<Accepted[]> {
    const { player, session } = asked[0] as Asked;
    const keys = playerKeys(player);
    const reply = await this.run.accept(
      asked.length,
      ...asked.map(({ id }) => keys.record(id)),
      keys.base,
      session,
      Date.now(),
      this.limits.OUTBOX_MAX,
      this.limits.REQUEST_TTL_MS,
      ...asked.flatMap(({ id, hash, kind, deadline, perPlayer }) => [
        id,
        hash,
        kind,
        deadline,
        perPlayer,
        randomUint32(),
      ]),
    );
    return asList(reply).map((one) => readAccepted(asList(one)));
  }

  /** Takes a record back that was new. @returns false when it stays: somebody has asked for it again */
  async discard({ player, id }: RequestName): Promise<boolean> {
    const keys = playerKeys(player);
    return asNumber(await this.run.discard(keys.record(id), keys.base, id)) === 1;
  }

  /** The request's job was lost, and another one is about to be added. @param attempt that was last seen of it */
  async restart({ player, id }: RequestName, attempt: number): Promise<void> {
    await this.run.restart(playerKeys(player).record(id), attempt);
  }

  /**
   * @param run token that only this attempt knows; a later attempt's token fences this one out
   * @param attempt BullMQ's count of this job's starts: an older start cannot take over from a newer one
   */
  async begin(
    { player, id }: RequestName,
    run: string,
    attempt: number,
    job: string,
  ): Promise<Standing> {
    return (await this.take(player, [id], run, attempt, job))[0] as Standing;
  }

  /** The same for all requests of one job. @returns how they stand, in their order */
  async beginAll(
    requests: readonly RequestName[],
    run: string,
    attempt: number,
    job: string,
  ): Promise<readonly Standing[]> {
    const byPlayer = new Map<string, { ids: string[]; at: number[] }>();
    for (const [i, { player, id }] of requests.entries()) {
      const own = byPlayer.get(player) ?? { ids: [], at: [] };
      own.ids.push(id);
      own.at.push(i);
      byPlayer.set(player, own);
    }
    const all: Standing[] = [];
    const runs = [...byPlayer].map(async ([player, { ids, at }]) => {
      const standings = await this.take(player, ids, run, attempt, job);
      for (const [i, standing] of standings.entries()) all[at[i] as number] = standing;
    });
    await Promise.all(runs);
    return all;
  }

  private async take(
    player: string,
    ids: readonly string[],
    run: string,
    attempt: number,
    job: string,
  ): Promise<Standing[]> {
    const keys = playerKeys(player);
    const reply = await this.run.begin(
      ids.length,
      ...ids.map((id) => keys.record(id)),
      run,
      attempt,
      job,
    );
    return asList(reply).map(readStanding);
  }

  /**
   * Takes the record, too, as begin does.
   * @param reliable through the outbox, or bare and at most once
   * @param atOnce now, for who may compute on without giving way; else with others of this turn
   */
  async progress(
    { player, id }: RequestName,
    run: string,
    attempt: number,
    job: string,
    frame: Uint8Array,
    reliable: boolean,
    atOnce = true,
  ): Promise<Standing> {
    const report = { player, id, run, attempt, job, frame, reliable };
    if (!atOnce) return await this.gather.progress.add(player, report);
    return (await this.progressAll([report]))[0] as Standing;
  }

  private async progressAll(reports: readonly Report[]): Promise<Standing[]> {
    const { player } = reports[0] as Report;
    const keys = playerKeys(player);
    const reply = await this.run.progress(
      reports.length,
      ...reports.map(({ id }) => keys.record(id)),
      keys.base,
      this.limits.OUTBOX_MAX,
      ...reports.flatMap(({ id, run, frame, reliable, attempt, job }) => [
        run,
        bytesOf(frame),
        reliable ? 1 : 0,
        randomUint32(),
        keys.job(id),
        attempt,
        job,
      ]),
    );
    return asList(reply).map(readStanding);
  }

  /** @param run the token of the attempt `end.attempt`, or VERDICT */
  async settle({ player, id }: RequestName, run: string, end: End): Promise<Settled> {
    return await this.gather.settle.add(player, { player, id, run, end });
  }

  private async settleAll(verdicts: readonly Verdict[]): Promise<Settled[]> {
    const { player } = verdicts[0] as Verdict;
    const keys = playerKeys(player);
    const frames = verdicts.map(({ end }) => encodeFrame(serverMessages.ended, end));
    const reply = await this.run.settle(
      verdicts.length,
      ...verdicts.map(({ id }) => keys.record(id)),
      keys.base,
      Date.now(),
      this.limits.REQUEST_TTL_MS,
      this.limits.OUTBOX_MAX,
      ...verdicts.flatMap(({ id, run, end }, i) => [
        id,
        run,
        end.state,
        bytesOf(frames[i] as Uint8Array),
        randomUint32(),
        keys.job(id),
        end.attempt,
      ]),
    );
    const settled = asList(reply).map((one) => readSettled(asList(one)));
    const at = Date.now();
    for (const [i, { end }] of verdicts.entries()) {
      if (settled[i]?.is !== 'ok') continue;
      const { result: value, ...rest } = end;
      this.history.note({ is: 'ended', player, at, value, ...rest }, frames[i]?.byteLength);
    }
    return settled;
  }

  /** @returns undefined when no such request is remembered */
  async find({ player, id }: RequestName): Promise<Found | undefined> {
    const [kind, state, attempt, deadline, end] = await this.redis.hmgetBuffer(
      playerKeys(player).record(id),
      'kind',
      'state',
      'attempt',
      'deadline',
      'end',
    );
    if (!state) return undefined;
    return {
      kind: asText(kind),
      state: readState(asText(state)),
      attempt: asNumber(attempt),
      deadline: asNumber(deadline),
      end: end ? asBytes(end) : undefined,
    };
  }

  /** The player has its end by another way than an outbox: it does not count as unacknowledged any more. */
  async seen({ player, id }: RequestName): Promise<void> {
    await this.redis.zrem(playerKeys(player).unacked, id);
  }

  /** From now on this gateway is woken by the request's progress and end. @returns false when it is not remembered */
  async watch({ player, id }: RequestName, gateway: string): Promise<boolean> {
    const keys = playerKeys(player);
    return asNumber(await this.run.watch(keys.record(id), `~${gateway}`, keys.base)) === 1;
  }
}

function readStanding(reply: unknown): Standing {
  const is = asText(reply);
  if (is === 'ok' || is === 'ended' || is === 'fenced' || is === 'gone') return is;
  throw new Error(`script answered ${is}`);
}

function readAccepted(reply: readonly unknown[]): Accepted {
  const is = asText(reply[0]);
  if (is === 'known') {
    return {
      is,
      state: readState(asText(reply[1])),
      attempt: asNumber(reply[2]),
      job: asText(reply[3]),
      deadline: asNumber(reply[4]),
    };
  }
  if (is === 'new' || is === 'conflict' || is === 'in_flight' || is === 'unacked') return { is };
  throw new Error(`accept answered ${is}`);
}

function readSettled(reply: readonly unknown[]): Settled {
  const is = readStanding(reply[0]);
  return is === 'ok' ? { is, kind: asText(reply[1]) } : { is };
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

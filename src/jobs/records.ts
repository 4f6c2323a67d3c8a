import { encodeFrame, serverMessages, type End, type RequestState } from '../../protocol/index.ts';
import { noNotes, type Notes } from '../history/notes.ts';
import type { Config } from '../lib/config.ts';
import { randomUint32 } from '../lib/ids.ts';
import { script, type Redis } from '../lib/redis.ts';
import { asBytes, asList, asNumber, asText } from '../lib/reply.ts';
import { jobId, playerKeys } from '../relay/keys.ts';
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

/** The token that all runners of a workload hold its record by: none of them is fenced out by another. */
export const PARTS_RUN = 'parts';

/** A verdict needs no attempt: a cancel, a deadline, a death. */
export const VERDICT = '*';

type Limits = Pick<Config, 'OUTBOX_MAX' | 'REQUEST_TTL_MS'>;

/** Request records in Redis: each method is one script, idempotent, in one round trip. */
export class Records {
  private readonly run;

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
  }

  /** @param session who is told of progress and end; '' when nobody listens on a socket */
  async accept(
    { player, id }: RequestName,
    request: { hash: string; kind: string; perPlayer: number; deadline: number },
    session: string,
  ): Promise<Accepted> {
    const keys = playerKeys(player);
    const reply = asList(
      await this.run.accept(
        keys.record(id),
        keys.base,
        id,
        request.hash,
        request.kind,
        session,
        Date.now(),
        request.deadline,
        request.perPlayer,
        this.limits.OUTBOX_MAX,
        this.limits.REQUEST_TTL_MS,
        randomUint32(),
      ),
    );
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
    return readStanding(await this.run.begin(playerKeys(player).record(id), run, attempt, job));
  }

  /** Takes the record, too, as begin does. @param reliable through the outbox, or bare and at most once */
  async progress(
    { player, id }: RequestName,
    run: string,
    attempt: number,
    job: string,
    frame: Uint8Array,
    reliable: boolean,
  ): Promise<Standing> {
    const keys = playerKeys(player);
    return readStanding(
      await this.run.progress(
        keys.record(id),
        keys.base,
        run,
        Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength),
        reliable ? 1 : 0,
        randomUint32(),
        this.limits.OUTBOX_MAX,
        jobId(player, id),
        attempt,
        job,
      ),
    );
  }

  /** @param run the token of the attempt `end.attempt`, or VERDICT */
  async settle({ player, id }: RequestName, run: string, end: End): Promise<Settled> {
    const keys = playerKeys(player);
    const frame = encodeFrame(serverMessages.ended, end);
    const reply = asList(
      await this.run.settle(
        keys.record(id),
        keys.base,
        id,
        run,
        end.state,
        Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength),
        Date.now(),
        this.limits.REQUEST_TTL_MS,
        randomUint32(),
        this.limits.OUTBOX_MAX,
        jobId(player, id),
        end.attempt,
      ),
    );
    const is = readStanding(reply[0]);
    if (is !== 'ok') return { is };
    const { result: value, ...rest } = end;
    this.history.note({ is: 'ended', player, at: Date.now(), value, ...rest }, frame.byteLength);
    return { is, kind: asText(reply[1]) };
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

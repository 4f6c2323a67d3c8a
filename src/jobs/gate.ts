import type { Kind } from '../../protocol/index.ts';
import { parsed } from '../lib/json.ts';
import { script, type Redis } from '../lib/redis.ts';
import { asList, asNumber, asText } from '../lib/reply.ts';
import { gateKeys, jobId } from '../relay/keys.ts';
import * as lua from './gate.lua.ts';
import { readRequest, type RequestData } from './job-data.ts';

/** Adds a job whose turn it is to run to its lane's queue; adding one that is there changes nothing. */
type Add = (kind: Kind, request: RequestData, turn: number) => Promise<void>;

/**
 * Kinds with a limit on what runs at once: what may not run yet is held in Redis and added when another one of the kind
 * is over. Whoever was to add a job and died is followed by the next who comes by.
 */
export class Gate {
  private readonly run;

  constructor(
    redis: Redis,
    private readonly add: Add,
  ) {
    this.run = {
      enter: script(redis, lua.enter),
      leave: script(redis, lua.leave),
      added: script(redis, lua.added),
    };
  }

  /** @returns whether the kind has a gate; jobs of all others are added as they come */
  static has(kind: Kind): boolean {
    return kind.concurrency !== undefined || kind.concurrencyPerPlayer !== undefined;
  }

  /** Adds the job now or when it may run. Resolves when it is durable, one way or the other. */
  async enter(kind: Kind, request: RequestData, turn: number): Promise<void> {
    const job = jobId(request.player, request.id);
    const data = `${request.deadline} ${JSON.stringify({ request, turn })}`;
    const args = [job, request.deadline, turn, data];
    const may = asNumber(
      await this.run.enter(...gateKeys(kind.lane, kind.name), ...limits(kind), ...args),
    );
    if (may === 1) await this.add(kind, request, turn);
  }

  /**
   * A job is over, or will never run: those that may run in its place are added. Saying it again changes nothing.
   * @param onlyIfHeld it may be running: then whoever runs it says so when it is over
   */
  async leave(kind: Kind, job: string, onlyIfHeld = false): Promise<void> {
    const keys = gateKeys(kind.lane, kind.name);
    const reply = asList(
      await this.run.leave(...keys, ...limits(kind), job, onlyIfHeld ? 1 : 0),
    ).map(asText);
    const passed = reply.filter((_, i) => i % 2 === 0);
    const data = reply.filter((_, i) => i % 2 === 1).map(readHeld);
    await Promise.all(
      data.map(async (one) => one !== undefined && (await this.add(kind, one.request, one.turn))),
    );
    if (passed.length > 0) await this.run.added(...keys, ...passed);
  }
}

function limits(kind: Kind): [now: number, concurrency: number, perPlayer: number] {
  const { concurrency = kind.depth, concurrencyPerPlayer = kind.depth } = kind;
  return [Date.now(), concurrency, concurrencyPerPlayer];
}

/** @returns undefined where it cannot be read: of another version */
function readHeld(text: string): { request: RequestData; turn: number } | undefined {
  const held: unknown = parsed(text.slice(text.indexOf(' ') + 1));
  if (typeof held !== 'object' || held === null || !('request' in held) || !('turn' in held))
    return undefined;
  return { request: readRequest(held.request), turn: Number(held.turn) };
}

import type { RequestStatus } from '../../protocol/index.ts';
import { hasEnded, type RequestState } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import { randomUint32 } from '../lib/ids.ts';
import { script, type Redis } from '../lib/redis.ts';
import { asBytes, asList, asNumber, asText } from '../lib/reply.ts';
import { playerKeys } from './keys.ts';
import * as lua from './sessions.lua.ts';
import { readEntry, type Entry } from './wake.ts';

/** The last reliable message a client took. */
export interface Position {
  readonly epoch: number;
  readonly offset: number;
  readonly nonce: number;
}

export interface OpenRequest extends RequestStatus {
  /** ms since 1970. */
  readonly deadline: number;
}

export interface Claimed {
  /** False: a new epoch began, and the client needs the full state. */
  readonly resumed: boolean;
  /** Connection generation: only its holder may acknowledge. */
  readonly gen: number;
  readonly epoch: number;
  /** Acknowledged so far; `entries` are the ones behind it, in order. */
  readonly ackOffset: number;
  readonly entries: readonly Entry[];
  readonly requests: readonly OpenRequest[];
  /** Ids of the matches that the player has a seat in. */
  readonly matches: readonly string[];
}

/** What a gateway holds of a session it serves. */
export interface Held extends Position {
  readonly player: string;
  readonly id: string;
  readonly gen: number;
}

export type Behind =
  | { readonly is: 'entries'; readonly entries: readonly Entry[] }
  | { readonly is: 'broken' }
  | { readonly is: 'taken' };

/** Sessions and their outboxes in Redis. Every method is one round trip. */
export class Sessions {
  private readonly run;

  constructor(
    redis: Redis,
    private readonly gateway: string,
    private readonly config: Pick<Config, 'SESSION_TTL_MS' | 'SESSIONS_PER_PLAYER' | 'OUTBOX_MAX'>,
  ) {
    this.run = {
      claim: script(redis, lua.claim),
      ack: script(redis, lua.ack),
      read: script(redis, lua.read),
      touch: script(redis, lua.touch),
    };
  }

  /**
   * Takes the session for this gateway; whoever held it is told to let go.
   * @param position of its client; undefined for a session that begins
   * @param gen generation that a session which is held here has, undefined to take it from whoever has it
   * @returns undefined when the player has no such session, or another socket has it by now
   */
  async claim(player: string, id: string, position: undefined): Promise<Claimed>;
  async claim(
    player: string,
    id: string,
    position: Position | undefined,
    gen?: number,
  ): Promise<Claimed | undefined>;
  async claim(
    player: string,
    id: string,
    position: Position | undefined,
    gen?: number,
  ): Promise<Claimed | undefined> {
    const keys = playerKeys(player);
    const reply = asList(
      await this.run.claim(
        keys.session(id),
        keys.base,
        id,
        this.gateway,
        Date.now(),
        this.config.SESSION_TTL_MS,
        randomUint32(),
        randomUint32(),
        position?.epoch ?? '',
        position?.offset ?? 0,
        position?.nonce ?? 0,
        this.config.SESSIONS_PER_PLAYER,
        this.config.OUTBOX_MAX,
        gen ?? '',
      ),
    );
    if (asNumber(reply[0]) < 0) return undefined;
    return {
      resumed: asNumber(reply[0]) === 1,
      gen: asNumber(reply[1]),
      epoch: asNumber(reply[2]),
      ackOffset: asNumber(reply[3]),
      entries: asList(reply[6]).map((entry) => readEntry(asBytes(entry))),
      requests: readRequests(asList(reply[7])),
      matches: asList(reply[8]).map((match) => asText(match)),
    };
  }

  async ack(held: Held, epoch: number, offset: number): Promise<void> {
    const keys = playerKeys(held.player);
    await this.run.ack(keys.session(held.id), keys.base, held.id, held.gen, epoch, offset);
  }

  /** @returns what the outbox holds behind the position that the gateway has sent. */
  async read(held: Held): Promise<Behind> {
    const keys = playerKeys(held.player);
    const { id, gen, epoch, offset, nonce } = held;
    const [is, ...entries] = asList(
      await this.run.read(keys.session(id), keys.base, id, gen, epoch, offset, nonce),
    );
    if (asNumber(is) === 0) return { is: 'broken' };
    if (asNumber(is) === 2) return { is: 'taken' };
    return { is: 'entries', entries: entries.map((entry) => readEntry(asBytes(entry))) };
  }

  /** Keeps the session for another SESSION_TTL_MS. @returns false where it is another's or gone. */
  async keep(held: Held): Promise<boolean> {
    return await this.touch(held, false);
  }

  /** The socket is gone, the session stays for SESSION_TTL_MS. */
  async release(held: Held): Promise<void> {
    await this.touch(held, true);
  }

  private async touch(held: Held, release: boolean): Promise<boolean> {
    const keys = playerKeys(held.player);
    const { SESSION_TTL_MS } = this.config;
    const reply = await this.run.touch(
      keys.session(held.id),
      keys.base,
      held.id,
      held.gen,
      SESSION_TTL_MS,
      Date.now(),
      release ? 1 : 0,
    );
    return asNumber(reply) === 1;
  }
}

const FIELDS = 5;

function readRequests(reply: readonly unknown[]): OpenRequest[] {
  const requests: OpenRequest[] = [];
  for (let i = 0; i + FIELDS <= reply.length; i += FIELDS) {
    requests.push({
      id: asText(reply[i]),
      kind: asText(reply[i + 1]),
      state: readState(asText(reply[i + 2])),
      attempt: asNumber(reply[i + 3]),
      deadline: asNumber(reply[i + 4]),
    });
  }
  return requests;
}

export function readState(text: string): RequestState {
  if (hasEnded(text) || text === 'accepted' || text === 'running') return text;
  throw new Error(`record in unknown state ${text}`);
}

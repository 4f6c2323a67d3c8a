import { encodeFrame, Refusal, serverMessages, type ServerBody } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import type { Log } from '../lib/log.ts';
import { isAway, script, type Redis, type Script } from '../lib/redis.ts';
import { asList, asNumber, asText } from '../lib/reply.ts';
import { roomChannel, roomKey } from '../relay/keys.ts';
import type { Session } from './session.ts';

type Members = Omit<ServerBody<'members'>, 'ref'>;

/** A member counts as gone when its gateway has not vouched for it for this long, ms. */
const MEMBER_TTL_MS = 30_000;
const VOUCH_MS = MEMBER_TTL_MS / 3;
/** Arguments of one command, scores and members: a call takes no more than some ten thousands. */
const VOUCHED_AT_ONCE = 2_000;
/** Reply of the script below. */
const FULL = -2;
const SESSION_LENGTH = 16;
const GATEWAY_LENGTH = 15;

/**
 * A room is a sorted set of members (session id, then player) by the time their gateway's word for them ends.
 * KEYS: room. ARGV: member, player, now ms, ttl ms, 1 to come or 0 to go,
 * sessions a room takes. Reply: sessions of the player afterwards, -1 it was not in, -2 full.
 */
const move: Script = {
  name: 'musterMove',
  keys: 1,
  lua: `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
if ARGV[5] == '1' then
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[6]) and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    return -2
  end
  redis.call('ZADD', KEYS[1], tonumber(ARGV[3]) + tonumber(ARGV[4]), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
elseif redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  return -1
end
local sessions = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(member, ${SESSION_LENGTH + 1}) == ARGV[2] then sessions = sessions + 1 end
end
return sessions
`,
};

export interface RoomParts {
  readonly gateway: string;
  readonly redis: Redis;
  /** A connection in subscriber mode. */
  readonly subscriber: Redis;
  /** To every socket of this gateway in the topic. */
  readonly publish: (topic: string, frame: Uint8Array) => void;
  readonly config: Pick<Config, 'ROOMS_PER_SESSION' | 'SESSIONS_PER_ROOM' | 'MEMBERS_MAX'>;
  readonly log: Log;
}

/** Chat and presence: a room's messages are light and at most once; who is in it is known across gateways. */
export class Rooms {
  private readonly here = new Map<string, Set<Session>>();
  private readonly run;
  private vouching: NodeJS.Timeout | undefined;

  constructor(private readonly parts: RoomParts) {
    this.run = { move: script(parts.redis, move) };
  }

  async join(session: Session, room: string): Promise<Members> {
    this.needStore();
    const rooms = (session.rooms ??= new Set());
    if (!rooms.has(room)) {
      if (rooms.size >= this.parts.config.ROOMS_PER_SESSION) throw new Refusal('too_many_rooms');
      rooms.add(room);
      await this.enter(session, room);
      const sessions = await this.move(session, room, true);
      if (sessions === FULL) {
        if (rooms.delete(room)) this.exit(session, room);
        throw new Refusal('room_full', room);
      }
      // It may have left, or lost its socket, while we waited.
      if (!rooms.has(room)) await this.move(session, room, false);
      else if (sessions === 1) this.tell(room, encodeMoved(room, session.player, true));
    }
    return await this.list(room);
  }

  async leave(session: Session, room: string): Promise<void> {
    this.needStore();
    if (session.rooms?.delete(room) !== true) throw new Refusal('not_in_room', room);
    this.exit(session, room);
    if ((await this.move(session, room, false)) === 0)
      this.tell(room, encodeMoved(room, session.player, false));
  }

  async members(session: Session, room: string): Promise<Members> {
    this.needStore();
    if (session.rooms?.has(room) !== true) throw new Refusal('not_in_room', room);
    return await this.list(room);
  }

  say(session: Session, room: string, text: string): void {
    this.needStore();
    if (session.rooms?.has(room) !== true) throw new Refusal('not_in_room', room);
    const said = { room, player: session.player, text, at: Date.now() };
    this.tell(room, encodeFrame(serverMessages.said, said));
  }

  /** The session's socket is gone. */
  leaveAll(session: Session): void {
    const rooms = [...(session.rooms ?? [])];
    // Emptied, too: a join that waits for Redis looks into it to learn that its session has left.
    session.rooms?.clear();
    session.rooms = undefined;
    for (const room of rooms) {
      this.exit(session, room);
      this.move(session, room, false).then(
        (left) => left === 0 && this.tell(room, encodeMoved(room, session.player, false)),
        (error: unknown) => this.parts.log.warn('member not removed', { room, error }),
      );
    }
  }

  /** What another gateway, or this one, published to a room's channel. */
  receive(room: string, payload: Buffer): void {
    if (payload.toString('latin1', 0, GATEWAY_LENGTH) === this.parts.gateway) return;
    this.publish(room, payload.subarray(GATEWAY_LENGTH));
  }

  stop(): void {
    clearInterval(this.vouching);
  }

  private async enter(session: Session, room: string): Promise<void> {
    session.connection.subscribe(topic(room));
    const known = this.here.get(room);
    if (known !== undefined) return void known.add(session);
    this.here.set(room, new Set([session]));
    this.vouching ??= setInterval(() => this.vouch(), VOUCH_MS);
    await this.parts.subscriber.subscribe(roomChannel(room));
  }

  private exit(session: Session, room: string): void {
    session.connection.unsubscribe(topic(room));
    const sessions = this.here.get(room);
    sessions?.delete(session);
    if (sessions?.size !== 0) return;
    this.here.delete(room);
    this.parts.subscriber.unsubscribe(roomChannel(room)).catch((error: unknown) => {
      this.parts.log.warn('not unsubscribed', { room, error });
    });
    if (this.here.size > 0) return;
    clearInterval(this.vouching);
    this.vouching = undefined;
  }

  /** To the room's sessions here. Whoever does not read is closed before its buffer is full: then no code gets through. */
  private publish(room: string, frame: Uint8Array): void {
    this.parts.publish(topic(room), frame);
    for (const { connection } of this.here.get(room) ?? []) connection.endIfSlow();
  }

  private tell(room: string, frame: Uint8Array): void {
    this.publish(room, frame);
    const payload = Buffer.concat([Buffer.from(this.parts.gateway, 'latin1'), frame]);
    this.parts.redis.publish(roomChannel(room), payload).catch((error: unknown) => {
      this.parts.log.warn('room message stayed here', { room, error });
    });
  }

  private async move({ id, player }: Session, room: string, here: boolean): Promise<number> {
    const limit = this.parts.config.SESSIONS_PER_ROOM;
    const come = here ? 1 : 0;
    const now = Date.now();
    return asNumber(
      await this.run.move(roomKey(room), id + player, player, now, MEMBER_TTL_MS, come, limit),
    );
  }

  private async list(room: string): Promise<Members> {
    const { redis, config } = this.parts;
    const [all, count] = await Promise.all([
      redis.zrangebyscoreBuffer(roomKey(room), Date.now(), '+inf', 'LIMIT', 0, config.MEMBERS_MAX),
      redis.zcount(roomKey(room), Date.now(), '+inf'),
    ]);
    const sessions = new Map<string, number>();
    for (const member of asList(all)) {
      const player = asText(member).slice(SESSION_LENGTH);
      sessions.set(player, (sessions.get(player) ?? 0) + 1);
    }
    const members = [...sessions].map(([player, number]) => ({ player, sessions: number }));
    return { room, members, total: count };
  }

  private vouch(): void {
    if (isAway(this.parts.redis)) return;
    const until = Date.now() + MEMBER_TTL_MS;
    for (const [room, sessions] of this.here) {
      const members = [...sessions].flatMap(({ id, player }) => [until, id + player]);
      const pipeline = this.parts.redis.pipeline();
      for (let at = 0; at < members.length; at += VOUCHED_AT_ONCE) {
        pipeline.zadd(roomKey(room), ...members.slice(at, at + VOUCHED_AT_ONCE));
      }
      pipeline
        .pexpire(roomKey(room), MEMBER_TTL_MS)
        .exec()
        .catch((error: unknown) => this.parts.log.warn('members not vouched for', { room, error }));
    }
  }

  private needStore(): void {
    if (isAway(this.parts.redis)) throw new Refusal('unavailable');
  }
}

function topic(room: string): string {
  return `room:${room}`;
}

function encodeMoved(room: string, player: string, here: boolean): Uint8Array {
  return encodeFrame(serverMessages.moved, { room, player, here });
}

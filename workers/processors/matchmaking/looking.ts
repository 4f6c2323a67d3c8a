import { hasEnded } from '../../../protocol/index.ts';
import { script, type Redis, type Script } from '../../../src/lib/redis.ts';
import { asList, asNumber, asText } from '../../../src/lib/reply.ts';
import type { Ticket } from '../../../src/match/ticket.ts';
import { withOutbox } from '../../../src/relay/outbox.lua.ts';
import { gatewayChannel, jobId, playerKeys, poolKeys } from '../../../src/relay/keys.ts';

/**
 * How a ticket's request and its player stand; on the way it takes a report to whoever asked.
 * KEYS: record. ARGV: base, request's job id, frame ('': none).
 * Reply: [state ('': forgotten), matches and promises of the player, ms since 1970 of the last word of a session,
 * gateway of each session that has a socket...].
 */
const look: Script = {
  name: 'musterLookTicket',
  keys: 1,
  lua: withOutbox(`
local base = ARGV[1]
local r = redis.call('HMGET', KEYS[1], 'state', 'sessions')
local busy = redis.call('SCARD', base .. 'matches') + redis.call('EXISTS', base .. 'promised')
local reply, last = {r[1] or '', busy, 0}, 0
local sessions = redis.call('ZRANGE', base .. 'sessions', 0, -1, 'WITHSCORES')
for i = 1, #sessions, 2 do
  last = math.max(last, tonumber(sessions[i + 1]))
  local gateway = redis.call('HGET', base .. 's:' .. sessions[i], 'gateway')
  if gateway and gateway ~= '' then table.insert(reply, gateway) end
end
reply[3] = tostring(last)
if ARGV[3] ~= '' and (r[1] == 'accepted' or r[1] == 'running') then
  deliver(base, r[2], 0, 0, '', ARGV[3], ARGV[2], false)
end
return reply
`),
};

/** How long it is remembered since when a gateway has been silent, s. */
const SILENCE_TTL_S = 600;

/** `stays`; `ended`: its request is over; `busy`: its player is in a match, perhaps; `absent`: away for too long. */
export type Standing = 'stays' | 'ended' | 'busy' | 'absent';

/** Looks after tickets: whether anybody still waits behind them. */
export class Looking {
  private readonly run;
  /** Since when a gateway is gone, ms since 1970; undefined: it is there. One entry each for this pass. */
  private readonly gateways = new Map<string, Promise<number | undefined>>();
  private readonly silence: string;

  constructor(
    private readonly redis: Redis,
    queue: string,
    /** A player may be without a socket for this long, ms. */
    private readonly absentMs: number,
  ) {
    this.run = script(redis, look);
    this.silence = poolKeys(queue).silence;
  }

  /** @param report `progress` frame that is sent to whoever asked, if the request has not ended */
  async look(one: Ticket, now: number, report?: Uint8Array): Promise<Standing> {
    const keys = playerKeys(one.player);
    const frame =
      report === undefined ? '' : Buffer.from(report.buffer, report.byteOffset, report.byteLength);
    const reply = asList(
      await this.run(keys.record(one.id), keys.base, jobId(one.player, one.id), frame),
    );
    const [state, busy, last, ...gateways] = reply;
    const is = asText(state);
    if (is === '' || hasEnded(is)) return 'ended';
    if (asNumber(busy) > 0) return 'busy';
    const seen = await this.lastSeen(gateways.map(asText), now);
    const since = Math.max(one.at, asNumber(last), seen);
    return now - since > this.absentMs ? 'absent' : 'stays';
  }

  private async lastSeen(gateways: readonly string[], now: number): Promise<number> {
    const gone = await Promise.all(
      gateways.map(async (gateway) => {
        let since = this.gateways.get(gateway);
        if (since === undefined) {
          since = this.goneSince(gateway, now);
          this.gateways.set(gateway, since);
        }
        return (await since) ?? now;
      }),
    );
    return Math.max(0, ...gone);
  }

  /**
   * A gateway that was killed let go of no session. Nobody listens on its channel then; but nobody does for a moment
   * after Redis was away, either, so it counts as gone only since it was first found so.
   */
  private async goneSince(gateway: string, now: number): Promise<number | undefined> {
    const [, listeners] = await this.redis.pubsub('NUMSUB', gatewayChannel(gateway));
    if (Number(listeners) > 0) {
      await this.redis.hdel(this.silence, gateway);
      return undefined;
    }
    await this.redis.hsetnx(this.silence, gateway, now);
    await this.redis.expire(this.silence, SILENCE_TTL_S);
    return Number(await this.redis.hget(this.silence, gateway));
  }
}

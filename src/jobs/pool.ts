import * as z from 'zod';
import { kinds, type InputOf } from '../../protocol/index.ts';
import { script, type Redis, type Script } from '../lib/redis.ts';
import { asText } from '../lib/reply.ts';
import { playerKeys, poolKeys } from '../relay/keys.ts';

const rating = z.strictObject({ mu: z.number(), sigma: z.number().positive() });

/** A `matchmake` request while it waits in the pool of its queue. */
export const ticket = z.strictObject({
  player: z.string(),
  /** The request's id. */
  id: z.string(),
  /** ms since 1970. */
  at: z.number(),
  /** ms since 1970; from then on it must not be matched. */
  deadline: z.number(),
  rating,
  regions: z.record(z.string(), z.number()),
});
export type Ticket = z.infer<typeof ticket>;

/** A match that is committed: its tickets are out of the pool, their players still have to be told. */
export const found = z.strictObject({ tickets: z.array(ticket), result: kinds.matchmake.result });
export type FoundMatch = z.infer<typeof found>;

/** openskill's defaults for somebody who never played. */
const NEWCOMER = { mu: 25, sigma: 25 / 3 };

/**
 * KEYS: pool, found. ARGV: match id, the match as JSON, then ticket names. All tickets still wait, or nothing happens.
 * Reply: 1 | 0.
 */
const commit: Script = {
  name: 'musterCommitMatch',
  keys: 2,
  lua: `
for i = 3, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then return 0 end
end
for i = 3, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`,
};

const MATCHED = `
local function matched(foundKey, name)
  for _, match in ipairs(redis.call('HVALS', foundKey)) do
    for _, t in ipairs(cjson.decode(match).tickets) do
      if t.player .. '/' .. t.id == name then return true end
    end
  end
  return false
end
`;

/** KEYS: pool, found. ARGV: ticket name, the ticket as JSON. Reply: 1, or 0 where it waits or is in a found match. */
const enter: Script = {
  name: 'musterEnterPool',
  keys: 2,
  lua: `${MATCHED}
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 or matched(KEYS[2], ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`,
};

/**
 * A ticket that leaves of its own. KEYS: pool, found. ARGV: ticket name.
 * Reply: 'left' | 'matched' (it is in a found match: its end is on the way) | 'absent'.
 */
const withdraw: Script = {
  name: 'musterWithdraw',
  keys: 2,
  lua: `${MATCHED}
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then return 'left' end
return matched(KEYS[2], ARGV[1]) and 'matched' or 'absent'
`,
};

/** The tickets of every matchmaking queue. */
export class Pool {
  private readonly run;

  constructor(private readonly redis: Redis) {
    this.run = {
      enter: script(redis, enter),
      commit: script(redis, commit),
      withdraw: script(redis, withdraw),
    };
  }

  /** Idempotent: a ticket that waits keeps its age, and one whose match is found does not wait again. */
  async enter(
    { player, id, deadline }: Pick<Ticket, 'player' | 'id' | 'deadline'>,
    input: InputOf<'matchmake'>,
  ): Promise<void> {
    const known = await this.redis.get(playerKeys(player).rating);
    const one: Ticket = {
      player,
      id,
      at: Date.now(),
      deadline,
      rating: known === null ? NEWCOMER : rating.parse(JSON.parse(known)),
      regions: input.regions,
    };
    const { pool, found: foundKey } = poolKeys(input.queue);
    await this.run.enter(pool, foundKey, name(one), JSON.stringify(one));
  }

  async waiting(queue: string): Promise<Ticket[]> {
    const all = await this.redis.hvals(poolKeys(queue).pool);
    return all.map((json) => ticket.parse(JSON.parse(json)));
  }

  /** @returns false when one of its tickets has left meanwhile: then nothing was changed */
  async commit(match: FoundMatch): Promise<boolean> {
    const { pool, found: foundKey } = poolKeys(match.result.queue);
    const names = match.tickets.map(name);
    const reply = await this.run.commit(
      pool,
      foundKey,
      match.result.match,
      JSON.stringify(match),
      ...names,
    );
    return reply === 1;
  }

  /** @returns committed matches whose players were not all told: a pass begins with these */
  async untold(queue: string): Promise<FoundMatch[]> {
    const all = await this.redis.hvals(poolKeys(queue).found);
    return all.map((json) => found.parse(JSON.parse(json)));
  }

  async told(match: FoundMatch): Promise<void> {
    await this.redis.hdel(poolKeys(match.result.queue).found, match.result.match);
  }

  async withdraw(
    queue: string,
    player: string,
    id: string,
  ): Promise<'left' | 'matched' | 'absent'> {
    const { pool, found: foundKey } = poolKeys(queue);
    const is = asText(await this.run.withdraw(pool, foundKey, `${player}/${id}`));
    if (is === 'left' || is === 'matched' || is === 'absent') return is;
    throw new Error(`withdraw answered ${is}`);
  }
}

function name({ player, id }: Ticket): string {
  return `${player}/${id}`;
}

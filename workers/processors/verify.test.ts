import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ProgressOf } from '../../protocol/index.ts';
import { randomId } from '../../src/lib/ids.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import { MatchRecords } from '../../src/match/records.ts';
import { Replays } from '../../src/match/replays.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { writeReplay, type Replay } from '../replay/file.ts';
import { playedMatch } from '../replay/made.fixture.ts';
import { verifier } from './verify.ts';

let server: TestRedis;
let redis: Redis;
let records: MatchRecords;
let replays: Replays;
let played: Omit<Replay, 'link'>;
let match: string;
let shares: number[];

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  records = new MatchRecords(redis);
  replays = new Replays(redis, { MATCH_TTL_MS: 60_000, REPLAYS_MAX: 9, REPLAY_DIR: undefined });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  const made = await playedMatch();
  match = randomId(12);
  played = { ...made, header: { ...made.header, match } };
  shares = [];
});

const verify = async (signal = new AbortController().signal) =>
  await verifier({ records, replays })(
    { match },
    {
      player: 'ada',
      id: 'r',
      attempt: 1,
      signal,
      isStopped: false,
      progress: async ({ share }: ProgressOf<'verify'>) => void shares.push(share),
    },
  );

function order(): MatchOrder {
  const { game, version, seed, seats } = played.header;
  const times = { joinMs: 0, graceMs: 0, openTicks: 0, createdAt: 1 };
  return { match, game, version, seed, options: {}, seats, rated: false, botLevel: 0, ...times };
}

test('K4: what was played holds, with a record that says the same or without one', async () => {
  await replays.save(match, writeReplay(played));
  expect(await verify()).toMatchObject({ valid: true, ticks: played.end.ticks });
  expect(shares.length).toBeGreaterThan(5);
  expect(shares.every((share) => share > 0 && share <= 1)).toBe(true);
  await records.write(order(), 'arena');
  const { result } = played.end;
  await records.change(match, 1, { state: 'over', ...(result !== undefined && { result }) });
  expect(await verify()).toMatchObject({ valid: true });
});

test('K4: a replay that says other than the record does not hold', async () => {
  await replays.save(match, writeReplay(played));
  await records.write(order(), 'arena');
  await records.change(match, 1, {
    state: 'over',
    failure: { code: 'quarantined', message: 'it spun' },
  });
  expect(await verify()).toMatchObject({ valid: false, why: 'record_differs' });
});

test('K4: the replay of another match is none of this one', async () => {
  const header = { ...played.header, match: randomId(12) };
  await replays.save(match, writeReplay({ ...played, header }));
  expect(await verify()).toMatchObject({ valid: false, why: 'damaged' });
});

test('one that is cancelled stops', async () => {
  await replays.save(match, writeReplay(played));
  await expect(verify(AbortSignal.abort('cancelled'))).rejects.toThrow('stopped');
  expect(shares).toHaveLength(1);
});

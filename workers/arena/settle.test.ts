import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { note, type Note } from '../../src/history/note.ts';
import { noNotes, type Notes } from '../../src/history/notes.ts';
import { randomId } from '../../src/lib/ids.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { Ratings } from '../../src/match/ratings.ts';
import { MatchRecords } from '../../src/match/records.ts';
import { Replays } from '../../src/match/replays.ts';
import { MATCHES_KEY, matchKey, playerKeys, REPLAYS_KEY } from '../../src/relay/keys.ts';
import { playedMatch } from '../replay/made.fixture.ts';
import { readReplay, type Replay } from '../replay/file.ts';
import { settleMatch, type Over, type SettleParts } from './settle.ts';

const LIMITS = { MATCH_TTL_MS: 60_000, REPLAYS_MAX: 100, REPLAY_DIR: undefined };
const TERM = 3;
let server: TestRedis;
let redis: Redis;
let played: Omit<Replay, 'link'>;
let parts: SettleParts;
let over: Over;
let counted: string[];
/** What the history is told. */
let noted: Note[];

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  played = await playedMatch();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

beforeEach(async () => {
  await redis.flushall();
  counted = [];
  noted = [];
  const history: Notes = { ...noNotes, note: (one) => void noted.push(one) };
  parts = {
    redis,
    records: new MatchRecords(redis, history),
    replays: new Replays(redis, LIMITS),
    ratings: new Ratings(redis, history),
    ttlMs: LIMITS.MATCH_TTL_MS,
    count: (name, cause, by = 1) => counted.push(`${name} ${cause} ${by}`),
  };
  const { header, chunks, end } = played;
  const { game, version, seed, options, seats, tickRate } = header;
  const match = randomId(12);
  over = {
    order: {
      match,
      game,
      version,
      seed,
      options,
      seats,
      rated: true,
      joinMs: 0,
      graceMs: 0,
      botLevel: 1,
      openTicks: 0,
      createdAt: 1,
    },
    arena: 'arena',
    term: TERM,
    tickRate,
    seats,
    startedAt: 1_000,
    endedAt: 2_000,
    chunks,
    ticks: end.ticks,
    hash: end.hash,
    end: { result: end.result ?? { placements: [], scores: [], ticks: 0 } },
  };
  await parts.records.write(over.order, 'arena');
  await parts.records.change(match, TERM, { state: 'playing', startedAt: 1_000 });
  for (const player of ['ada', 'bo']) await redis.sadd(playerKeys(player).matches, match, 'other');
});

/** All that settling leaves behind, times apart. */
async function standing(): Promise<unknown> {
  const { match } = over.order;
  const record = await parts.records.find(match);
  const replay = await parts.replays.read(match);
  return {
    record: { ...record, endedAt: undefined },
    replay: replay === undefined ? undefined : readReplay(replay).link,
    replays: await redis.zcard(REPLAYS_KEY),
    ratings: Object.fromEntries(await parts.ratings.of(['ada', 'bo'])),
    matches: [
      await redis.smembers(playerKeys('ada').matches),
      await redis.smembers(playerKeys('bo').matches),
    ],
    running: await redis.zcard(MATCHES_KEY),
    forgotten: (await redis.pttl(matchKey(match))) > 0,
  };
}

describe('settling a match', () => {
  test('tells the history once that it was made, has begun and is over, and whom it has rated', async () => {
    await settleMatch(parts, over);
    await settleMatch(parts, { ...over, term: TERM + 1 });
    const { match, game, seats } = over.order;
    expect(noted).toMatchObject([
      { is: 'made', match, game, seats },
      { is: 'match', match, startedAt: 1_000 },
      { is: 'rating', match, player: expect.stringMatching(/^(ada|bo)$/) as string },
      { is: 'rating', match, player: expect.stringMatching(/^(ada|bo)$/) as string },
      { is: 'match', match, endedAt: 2_000, ...over.end, seats: over.seats },
    ]);
    expect(noted.map((one) => note.safeParse(one).error)).toEqual(noted.map(() => undefined));
  });

  test('keeps its replay, rates its players, ends its record and lets its players go', async () => {
    expect(await settleMatch(parts, over)).toBe('settled');
    const { match } = over.order;
    const record = await parts.records.find(match);
    expect(record).toMatchObject({ state: 'over', endedAt: 2_000, ...over.end });
    expect(record?.ratings?.map(({ player }) => player)).toEqual(['ada', 'bo']);
    const rated = await parts.ratings.of(['ada', 'bo']);
    for (const { player, now } of record?.ratings ?? []) expect(rated.get(player)).toEqual(now);
    const replay = readReplay((await parts.replays.read(match)) ?? new Uint8Array());
    expect(replay).toMatchObject({ header: { match, startedAt: 1_000 }, end: played.end });
    expect(await standing()).toMatchObject({
      replays: 1,
      matches: [['other'], ['other']],
      running: 0,
      forgotten: true,
    });
    expect(counted).toEqual([]);
  });

  test('twice, one after the other or at once, does it once', async () => {
    await settleMatch(parts, over);
    const once = await standing();
    await settleMatch(parts, { ...over, term: TERM + 1, endedAt: 9_000 });
    await Promise.all([settleMatch(parts, over), settleMatch(parts, over)]);
    expect(await standing()).toEqual(once);
    await redis.flushall();
    await parts.records.write(over.order, 'arena');
    await parts.records.change(over.order.match, TERM, { state: 'playing', startedAt: 1_000 });
    for (const player of ['ada', 'bo']) await redis.sadd(playerKeys(player).matches, 'other');
    const answers = await Promise.all([1, 2, 3].map(async () => await settleMatch(parts, over)));
    expect(answers).toEqual(['settled', 'settled', 'settled']);
    expect(await standing()).toEqual(once);
  });

  test('by a process that dies after any of its steps, and then by its successor, does it once', async () => {
    await settleMatch(parts, over);
    const { term: _, ...once } = (await standing()) as Record<string, unknown>;
    const { match } = over.order;
    let deaths = 0;
    for (let step = 1; ; step++) {
      await redis.flushall();
      await parts.records.write(over.order, 'arena');
      await parts.records.change(match, TERM, { state: 'playing', startedAt: 1_000 });
      for (const player of ['ada', 'bo'])
        await redis.sadd(playerKeys(player).matches, match, 'other');
      const died = await settleMatch(dyingAfter(step), over).then(
        () => false,
        (error: unknown) => error instanceof Died,
      );
      if (!died) break;
      deaths++;
      expect(await settleMatch(parts, over)).toBe('settled');
      expect({ step, ...((await standing()) as object) }).toEqual({ step, ...once });
    }
    // Every command and script of settling: fewer would mean that the steps were not cut apart.
    expect(deaths).toBeGreaterThan(10);
  });

  test('by a fenced arena writes nothing', async () => {
    const before = await standing();
    expect(await settleMatch(parts, { ...over, term: TERM - 1 })).toBe('fenced');
    expect(await standing()).toEqual(before);
  });

  test('by an arena that has lost it to another, whatever their terms, writes nothing', async () => {
    const before = await standing();
    expect(await settleMatch(parts, { ...over, arena: 'other', term: TERM - 1 })).toBe('elsewhere');
    expect(await settleMatch(parts, { ...over, arena: 'other', term: TERM + 9 })).toBe('elsewhere');
    const { match } = over.order;
    expect(await parts.records.change(match, TERM + 9, { state: 'over' }, 'other')).toBe(false);
    expect(await parts.ratings.decide(match, TERM + 9, [], 'other')).toBe('fenced');
    expect(await standing()).toEqual(before);
  });

  test('of a match that nobody remembers frees its players', async () => {
    await redis.del(matchKey(over.order.match));
    expect(await settleMatch(parts, over)).toBe('gone');
    expect(await redis.exists(matchKey(over.order.match))).toBe(0);
    expect(await redis.smembers(playerKeys('ada').matches)).toEqual(['other']);
  });

  test('of a match that failed, or that is not rated, rates nobody', async () => {
    const failure = { code: 'quarantined', message: 'it spun' } as const;
    expect(await settleMatch(parts, { ...over, hash: undefined, end: { failure } })).toBe(
      'settled',
    );
    const record = await parts.records.find(over.order.match);
    expect(record).toMatchObject({ state: 'over', failure });
    expect(record).not.toHaveProperty('ratings');
    const replay = readReplay((await parts.replays.read(over.order.match)) ?? new Uint8Array());
    expect(replay.end).toEqual({ ticks: over.ticks, failure });
    expect(await parts.ratings.of(['ada', 'bo'])).toEqual(new Map());
    const order = { ...over.order, match: randomId(12), rated: false };
    await parts.records.write(order, 'arena');
    expect(await settleMatch(parts, { ...over, order })).toBe('settled');
    expect(await parts.ratings.of(['ada', 'bo'])).toEqual(new Map());
  });

  test('that had decided on ratings, and is lost before it had applied all, applies them', async () => {
    const { match } = over.order;
    const now = { mu: 26, sigma: 8 };
    const changes = ['ada', 'bo'].map((player) => ({ player, now, mu: 1, sigma: 0.96 }));
    await parts.ratings.decide(match, TERM, changes);
    for (const change of changes.slice(1)) await parts.ratings.apply(match, change);
    const failure = { code: 'lost', message: 'the store went back' } as const;
    expect(await settleMatch(parts, { ...over, end: { failure } })).toBe('settled');
    expect([...(await parts.ratings.of(['ada', 'bo'])).values()]).toEqual([now, now]);
  });

  test('whose tape has a gap ends it without a replay, and counts that', async () => {
    expect(await settleMatch(parts, { ...over, chunks: over.chunks.slice(1) })).toBe('settled');
    expect(await parts.replays.read(over.order.match)).toBeUndefined();
    expect(counted).toEqual(['replays_dropped unwritable 1']);
  });

  test('whose replay has no place ends it without, and counts that', async () => {
    const folder = '/dev/null/replays';
    const replays = new Replays(redis, { ...LIMITS, REPLAY_DIR: folder });
    expect(await settleMatch({ ...parts, replays }, over)).toBe('settled');
    expect((await parts.records.find(over.order.match))?.state).toBe('over');
    expect(counted).toEqual(['replays_dropped unwritable 1']);
  });

  test('whose result is none ends it as quarantined, for everybody to read', async () => {
    const result = { placements: [0, Number.NaN], scores: [1, 2], ticks: 3 };
    expect(await settleMatch(parts, { ...over, end: { result } })).toBe('settled');
    expect(await parts.records.find(over.order.match)).toMatchObject({
      state: 'over',
      failure: { code: 'quarantined' },
    });
    expect(await parts.ratings.of(['ada', 'bo'])).toEqual(new Map());
  });

  test('two matches of the same players counts both', async () => {
    const order = { ...over.order, match: randomId(12) };
    await parts.records.write(order, 'arena');
    await Promise.all([settleMatch(parts, over), settleMatch(parts, { ...over, order })]);
    const [one, two] = await Promise.all(
      [over.order, order].map(async ({ match }) => await parts.records.find(match)),
    );
    const ada = (await parts.ratings.of(['ada'])).get('ada');
    const [a, b] = [one, two].map(
      (record) => record?.ratings?.find(({ player }) => player === 'ada')?.mu ?? 0,
    );
    expect(ada?.mu).toBeCloseTo(25 + (a ?? 0) + (b ?? 0), 9);
  });
});

class Died extends Error {}

/** Commands that resolve to a reply, our scripts among them. */
const ANSWERED = /^(get|set|z|hget|srem|del|muster)/;

/** Parts whose process is gone after so many commands that settling sends to Redis: the last of them is done. */
function dyingAfter(steps: number): SettleParts {
  let left = steps;
  const dying = new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (!ANSWERED.test(String(name))) return value.bind(target) as unknown;
      return async (...args: unknown[]) => {
        if (left <= 0) throw new Died();
        const reply: unknown = await Reflect.apply(value, target, args);
        if (--left === 0) throw new Died();
        return reply;
      };
    },
  });
  return {
    ...parts,
    redis: dying,
    records: new MatchRecords(dying),
    replays: new Replays(dying, LIMITS),
    ratings: new Ratings(dying),
  };
}

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { ARENAS_KEY, MATCHES_KEY } from '../../src/relay/keys.ts';
import { Replays } from '../../src/match/replays.ts';
import type { ArenaBeat } from '../../src/match/arenas.ts';
import { Muster, token, type TestGateway } from '../support/muster.ts';
import { StandInArena } from '../support/stand-in-arena.ts';
import { until } from '../support/until.ts';

let muster: Muster;
let redis: Redis;
let arena: StandInArena;
/** Admits nobody without a token. */
let closed: TestGateway;

beforeAll(async () => {
  muster = await Muster.start({ workers: 0, env: { ORIGINS: 'https://game.example' } });
  closed = await muster.startGateway({ GUESTS: 'off' });
  redis = connectRedis(muster.redis.url, 'test-arena', () => undefined);
  arena = await StandInArena.open(redis);
});

afterAll(() => redis.disconnect());

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function ask(
  path: string,
  headers: Record<string, string> = {},
  at = muster.gateway,
): Promise<Answer> {
  const response = await fetch(`${at.http}${path}`, { headers });
  return { status: response.status, body: await response.json() };
}

function refusal(status: number, code: string): Answer {
  return { status, body: { error: expect.objectContaining({ code }) as object } };
}

test('M14: running matches are listed, newest first, without what is secret while they are played', async () => {
  const older = await arena.place([{ bot: 1 }, { player: 'ann' }]);
  const newer = await arena.place([{ player: 'bea' }]);
  await redis.zadd(MATCHES_KEY, 1, older);
  await arena.change(older, { state: 'playing', startedAt: 1_700_000_000_000 }, []);
  let listed: Answer | undefined;
  await until(async () => {
    listed = await ask('/v1/matches');
    return JSON.stringify(listed).includes(newer);
  });
  const known = { game: 'pong', version: '1', createdAt: expect.any(Number) as number };
  const matches = [
    { ...known, match: newer, state: 'waiting', seats: [{ player: 'bea' }] },
    {
      ...known,
      match: older,
      state: 'playing',
      seats: [{ bot: 1 }, { player: 'ann' }],
      startedAt: 1_700_000_000_000,
    },
  ];
  expect(listed).toEqual({ status: 200, body: { matches } });
  expect(await ask(`/v1/matches/${older}`)).toEqual({ status: 200, body: matches[1] });
});

test('M14: while it goes on a match tells where, as far as its arena says so', async () => {
  const match = await arena.place([{ bot: 1 }]);
  const beat: ArenaBeat = {
    arena: arena.arena,
    game: 'pong',
    version: '1',
    worker: 'w',
    core: 3,
    pid: 7,
    term: 1,
    matches: 12,
    capacity: 100,
    latenessP99Ms: 0.25,
    at: Date.now(),
  };
  await redis.hset(ARENAS_KEY, arena.arena, JSON.stringify(beat));
  const where = {
    arena: arena.arena,
    worker: 'w',
    core: 3,
    term: 1,
    matches: 12,
    latenessP99Ms: 0.25,
  };
  // What arenas say is read now and then, for everybody who asks.
  const told = { status: 200, body: { arena: where } };
  await vi.waitFor(async () => expect(await ask(`/v1/matches/${match}`)).toMatchObject(told));
});

test('M14: a match that is over tells how it ended, and what it was made of', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const result = { placements: [1], scores: [5], ticks: 99 };
  await arena.change(match, { state: 'over', endedAt: 9, result }, []);
  await arena.records.close(match, 60_000);
  expect(await ask(`/v1/matches/${match}`)).toMatchObject({
    status: 200,
    body: {
      match,
      state: 'over',
      endedAt: 9,
      result,
      replay: `/v1/matches/${match}/replay`,
      seed: 1,
      options: { court: 'clay' },
    },
  });
  const listed = await ask('/v1/matches');
  expect(JSON.stringify(listed.body)).not.toContain(match);
});

test('M15: its replay is a file, byte for byte', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const path = `/v1/matches/${match}/replay`;
  expect(await ask(path)).toEqual(refusal(404, 'not_found'));
  const bytes = randomBytes(300_000);
  await new Replays(redis, { MATCH_TTL_MS: 60_000, REPLAYS_MAX: 10, REPLAY_DIR: undefined }).save(
    match,
    bytes,
  );
  const response = await fetch(`${muster.gateway.http}${path}`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('content-disposition')).toBe(
    `attachment; filename="${match}.replay"`,
  );
  expect(bytes.equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
});

test('M14, M15: what is unknown or no match id is refused, and so is a page of a foreign origin', async () => {
  expect(await ask('/v1/matches/AAAAAAAAAAAAAAAA')).toEqual(refusal(404, 'not_found'));
  expect(await ask('/v1/matches/AAAAAAAAAAAAAAAA/replay')).toEqual(refusal(404, 'not_found'));
  for (const id of ['short', 'AAAAAAAAAAAAAAA%00', '..%2f..%2f..%2fetc', `${'A'.repeat(15)}.`])
    for (const end of ['', '/replay'])
      expect(await ask(`/v1/matches/${id}${end}`)).toEqual(refusal(400, 'invalid_body'));
  expect(await ask('/v1/matches/AAAAAAAAAAAAAAAA/tape')).toEqual(refusal(404, 'not_found'));
  const posted = await fetch(`${muster.gateway.http}/v1/matches`, { method: 'POST', body: '{}' });
  expect(posted.status).toBe(404);
  expect(await ask('/v1/matches', { origin: 'https://evil.example' })).toEqual(
    refusal(401, 'unauthorized'),
  );
  expect((await ask('/v1/matches', { origin: 'https://game.example' })).status).toBe(200);
});

test('M15: without guests a token is needed, and a bad one is refused everywhere', async () => {
  expect(await ask('/v1/matches', {}, closed)).toEqual(refusal(401, 'unauthorized'));
  const headers = { authorization: `Bearer ${await token('ann')}` };
  expect((await ask('/v1/matches', headers, closed)).status).toBe(200);
  const forged = { authorization: 'Bearer a.b.c' };
  for (const at of [muster.gateway, closed])
    expect(await ask('/v1/matches', forged, at)).toEqual(refusal(401, 'unauthorized'));
});

test('L1, M15: who asks without a token has the credits of an address', async () => {
  const poor = await muster.startGateway({
    SESSION_CREDITS_PER_S: '1',
    SESSION_CREDITS_BURST: '20',
  });
  expect((await ask('/v1/matches', {}, poor)).status).toBe(200);
  expect((await ask('/v1/matches', {}, poor)).status).toBe(200);
  expect(await ask('/v1/matches', {}, poor)).toEqual(refusal(429, 'rate_limited'));
  const headers = { authorization: `Bearer ${await token('ann')}` };
  expect((await ask('/v1/matches', headers, poor)).status).toBe(200);
});

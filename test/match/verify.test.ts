import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomId } from '../../src/lib/ids.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { Replays } from '../../src/match/replays.ts';
import { replayKey } from '../../src/relay/keys.ts';
import { writeReplay, type Replay } from '../../workers/replay/file.ts';
import { playedMatch } from '../../workers/replay/made.fixture.ts';
import { removeWithTests } from '../support/cleanup.ts';
import { Muster } from '../support/muster.ts';
import { spawnNode } from '../support/process.ts';

const match = randomId(12);
let muster: Muster;
let redis: Redis;
let played: Omit<Replay, 'link'>;
let file: Uint8Array;

beforeAll(async () => {
  muster = await Muster.start();
  redis = connectRedis(muster.redis.url, 'verify', () => {});
  const made = await playedMatch();
  played = { ...made, header: { ...made.header, match } };
  file = writeReplay(played);
});
afterAll(() => redis.disconnect());

const keep = async (bytes: Uint8Array): Promise<void> => {
  const limits = { MATCH_TTL_MS: 60_000, REPLAYS_MAX: 9, REPLAY_DIR: undefined };
  await new Replays(redis, limits).save(match, bytes);
};

test('K4: a match is verified on a pinned core, and a changed byte is found', async () => {
  await keep(file);
  const client = await muster.connect({ player: 'ada' });
  const shares: number[] = [];
  const { result } = await client.request(
    'verify',
    { match },
    { onProgress: ({ share }) => shares.push(share) },
  );
  expect(result).toMatchObject({ valid: true, ticks: played.end.ticks });
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));

  const changed = file.slice();
  const middle = Math.floor(file.length / 2);
  changed[middle] = (changed[middle] as number) ^ 4;
  await keep(changed);
  expect((await client.request('verify', { match })).result).toMatchObject({
    valid: false,
    why: 'damaged',
  });

  // Whole by its links, and yet not what was played.
  const { end } = played;
  await keep(writeReplay({ ...played, end: { ...end, hash: 1 } }));
  expect((await client.request('verify', { match })).result).toMatchObject({
    valid: false,
    why: 'hash_differs',
    atTick: end.ticks,
  });

  await redis.del(replayKey(match));
  expect((await client.request('verify', { match })).result).toMatchObject({ why: 'no_replay' });
});

test('a downloaded file is verified by a command, whose status says whether it holds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-verify-'));
  removeWithTests(folder);
  await writeFile(join(folder, 'whole'), file);
  await writeFile(join(folder, 'cut'), file.subarray(0, file.length - 1));
  const run = async (...names: string[]) => {
    const process = spawnNode('dist/scripts/verify.js', { INIT_CWD: folder }, names);
    const { code } = await process.exited;
    return { code, said: process.output() };
  };
  const whole = await run('whole');
  expect(whole.said).toMatch(/^whole: holds$/m);
  expect(whole.said).toContain(`match ${match} of knockout`);
  expect(whole.code).toBe(0);
  expect(await run('whole', 'cut')).toMatchObject({
    code: 1,
    said: expect.stringMatching(/^cut: does not hold, at tick \d+: damaged/m) as unknown,
  });
  expect(await run('neither')).toMatchObject({ code: 2 });
  expect(await run()).toMatchObject({ code: 2 });
});

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endWithTests, removeWithTests } from '../../test/support/cleanup.ts';
import { spawnNode } from '../../test/support/process.ts';
import { startTestRedis } from '../../test/support/redis.ts';
import { until } from '../../test/support/until.ts';
import { askRedis } from './redis/command.ts';

test('a Redis ends with the process that started it, even by SIGKILL', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'muster-guard-'));
  removeWithTests(dataDir);
  const owner = spawnNode('dist/fixtures/redis-owner.js', {}, [dataDir]);
  const [, url = '', pid = ''] = await owner.waitForLine(/^(redis:\S+) (\d+)$/);
  endWithTests(Number(pid));
  expect(await askRedis(url, ['PING'])).toEqual(['PONG']);
  owner.kill('SIGKILL');
  await owner.exited;
  await until(() =>
    askRedis(url, ['PING'], 500).then(
      () => false,
      () => true,
    ),
  );
});

test('a group that was removed, or whose guard was released, is left alone', async () => {
  const [removed, released, kept] = await Promise.all([
    startTestRedis(),
    startTestRedis(),
    startTestRedis(),
  ]);
  const pids = [removed, released, kept].map(({ pid }) => String(pid));
  const owner = spawnNode('dist/fixtures/guard-owner.js', {}, pids);
  await owner.waitForLine(/^let go$/);
  owner.kill('SIGKILL');
  // The one that is still guarded ends: by then the guards have done what they do.
  await until(() =>
    askRedis(kept.url, ['PING'], 500).then(
      () => false,
      () => true,
    ),
  );
  expect(await askRedis(removed.url, ['PING'])).toEqual(['PONG']);
  expect(await askRedis(released.url, ['PING'])).toEqual(['PONG']);
});

import { expect, test } from 'vitest';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { startTestRedis } from './redis.ts';

test('a killed and restarted test server is the same server with the same data', async () => {
  const redis = await startTestRedis();
  await askRedis(redis.url, ['SET', 'key', 'value']);
  const before = redis.pid;
  await redis.kill9();
  await expect(askRedis(redis.url, ['PING'])).rejects.toThrow('ECONNREFUSED');
  await redis.restart();
  expect(redis.pid).not.toBe(before);
  expect(await askRedis(redis.url, ['GET', 'key'])).toEqual(['value']);
  await redis.stop();
});

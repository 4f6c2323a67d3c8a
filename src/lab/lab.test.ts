import { expect, test } from 'vitest';
import { readConfig } from '../lib/config.ts';
import { Counters } from '../lib/counters.ts';
import { createLog } from '../lib/log.ts';
import { connectRedis } from '../lib/redis.ts';
import { Lab } from './lab.ts';
import { planOf, settings } from './settings.ts';

test('a lab that is switched off does nothing, and says how to switch it on', async () => {
  const REDIS_URL = 'redis://127.0.0.1:1';
  const config = readConfig({ REDIS_URL, LAB: 'off' });
  const redis = connectRedis(REDIS_URL, 'test', () => undefined);
  const counters = new Counters();
  const runner = new URL('file:///nowhere/lab.js');
  const log = createLog('fatal', {});
  const lab = new Lab({ gateway: 'test', redis, config, counters, log, runner });
  const plan = planOf('pool', settings.parse({}), config, 2);
  const off = { code: 'not_found', message: expect.stringContaining('LAB') as string };
  await expect(lab.start(plan)).rejects.toMatchObject(off);
  await expect(lab.list()).rejects.toMatchObject(off);
  await expect(lab.cancel('one')).rejects.toMatchObject(off);
  expect(counters.get('lab_refused', 'not_found')).toBe(3);
  lab.stop();
  redis.disconnect();
});

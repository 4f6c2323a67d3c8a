import { beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { kinds } from '../../protocol/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { Muster } from '../support/muster.ts';
import { spawnNode, type TestProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start();
});

const command = (line: string): TestProcess =>
  spawnNode('dist/scripts/balance.js', { MUSTER_URL: muster.gateway.http }, line.split(' '));

const SHORT = '--sweep endTicks=90,120 --sweep holdTicks=10 --matches 4 --seed 3';

test('npm run balance prints a table, as JSON if it is asked for, and comes to what the kind does', async () => {
  const client = await muster.connect();
  const axes = [
    { option: 'endTicks' as const, values: [90, 120] },
    { option: 'holdTicks' as const, values: [10] },
  ];
  const [{ result }, printed, json] = await Promise.all([
    client.request('balance', { axes, matches: 4, seed: 3 }),
    outputOf(SHORT),
    outputOf(`${SHORT} --json`),
  ]);
  expect(result.points).toHaveLength(2);
  expect(printed).toMatch(/^2 points of 4 matches: 8 in all$/m);
  expect(printed).toMatch(/^8 matches in [\d.]+ s, [\d.]+ a second; 0 failed$/m);
  expect(printed).toMatch(/^endTicks {2}holdTicks {2}matches {2}.*\n {6}90 {9}10 {8}4 /m);
  const read = z
    .object({ input: kinds.balance.input, ...kinds.balance.result.shape, seconds: z.number() })
    .parse(JSON.parse(json.slice(json.indexOf('{'))));
  expect(read).toMatchObject({ ...result, input: { matches: 4, seed: 3 } });
});

test('Ctrl-C cancels the request, and no core works on it any more', async () => {
  const keys = async (): Promise<string[]> => await askRedis(muster.redis.url, ['KEYS', '*:w:*']);
  const running = command('--sweep dashSpeed=2,4 --matches 5000');
  await until(async () => (await keys()).length > 0);
  running.kill('SIGINT');
  expect((await running.exited).code).toBe(1);
  expect(running.output()).toMatch(/^the request is cancelled$/m);
  await until(async () => (await keys()).length === 0);
});

async function outputOf(line: string): Promise<string> {
  const process = command(line);
  const { code } = await process.exited;
  if (code !== 0) throw new Error(process.output());
  return process.output();
}

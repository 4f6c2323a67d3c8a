import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { ArenaStage } from './stage.fixture.ts';

let stage: ArenaStage;
beforeAll(async () => void (stage = await ArenaStage.open()));
afterAll(async () => await stage.close());

test('a match goes its way: made, waited for, played, over, settled, dropped', async () => {
  const { arena } = await stage.run();
  const match = await stage.place([{ player: 'ada' }, { bot: 0 }], { options: { ticks: 60 } });
  await until(() => arena.size === 1);
  await stage.join(match, 'ada');
  await until(async () => (await stage.record(match)).state === 'playing');
  await stage.steer(match, { seq: 1, x: 100 });
  const over = await stage.over(match);
  expect(over.end).toMatchObject({ result: { ticks: 60 } });
  expect(over.chunks.reduce((sum, { ticks }) => sum + ticks, 0)).toBe(60);
  await until(() => arena.size === 0);
  expect((await stage.record(match)).state).toBe('over');
  expect(stage.heard.some((one) => one[0] === 'S'.charCodeAt(0))).toBe(true);
  expect(stage.heard.some((one) => one.toString() === `M${match}`)).toBe(true);
});

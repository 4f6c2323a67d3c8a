import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

function brisk(): Turns {
  const turns = new Turns();
  turns.queued = true;
  for (let i = 0; i < 50; i++) turns.done(0.5);
  return turns;
}

test('fetches ahead only where jobs are short and others wait', () => {
  const turns = new Turns();
  expect(turns.ahead).toBe(1);
  expect(brisk().ahead).toBe(2);
  const single = brisk();
  single.queued = false;
  expect(single.ahead).toBe(1);
  const slow = brisk();
  slow.done(500);
  expect(slow.ahead).toBe(1);
});

test('gives turns one after the other', async () => {
  const turns = brisk();
  expect(await turns.take()).toBe(true);
  expect(turns.waited).toBe(false);
  const second = turns.take();
  expect(await turns.take()).toBe(false);
  turns.done(0.5);
  expect(await second).toBe(true);
  expect(turns.waited).toBe(true);
  turns.done(0.5);
  expect(await turns.take()).toBe(true);
});

test('lets go of a job whose turn does not come soon, and fetches none ahead then', async () => {
  const turns = brisk();
  await turns.take();
  expect(await turns.take()).toBe(false);
  expect(turns.ahead).toBe(1);
});

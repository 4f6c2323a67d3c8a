import { expect, test } from 'vitest';
import { botName, clockOf, ordinal, playerName, seatInfo } from './names.ts';

test('a guest gets a readable name, always the same', () => {
  expect(playerName('guest-q0dXw')).toBe(playerName('guest-q0dXw'));
  expect(playerName('guest-q0dXw')).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
});

test('other names are their own, cut where a row ends', () => {
  expect(playerName('ann')).toBe('ann');
  expect(playerName('a'.repeat(40))).toBe(`${'a'.repeat(15)}…`);
});

test('eight bots have eight names', () => {
  expect(new Set(Array.from({ length: 8 }, (_, slot) => botName(slot))).size).toBe(8);
});

test('places and times as people say them', () => {
  expect([1, 2, 3, 4, 8].map(ordinal)).toEqual(['1st', '2nd', '3rd', '4th', '8th']);
  expect([0, 29, 30, 1_830, 2_640].map((ticks) => clockOf(ticks, 30))).toEqual([
    '0:00',
    '0:00',
    '0:01',
    '1:01',
    '1:28',
  ]);
});

test('a seat is its player, a bot, a bot that keeps it for its player, or nobody', () => {
  expect(seatInfo({ player: 'ada' }, 0, false)).toEqual({ name: 'ada' });
  expect(seatInfo({ player: 'ada' }, 0, true)).toEqual({ name: 'You' });
  expect(seatInfo({ bot: 2 }, 0, false)).toEqual({ name: botName(0), bot: 2 });
  expect(seatInfo({ player: 'ada', bot: 1 }, 0, false)).toEqual({
    name: 'ada',
    bot: 1,
    away: true,
  });
  expect(seatInfo({}, 0, false)).toEqual({ name: 'Nobody' });
});

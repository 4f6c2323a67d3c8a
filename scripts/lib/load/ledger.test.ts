import { expect, test } from 'vitest';
import { Ledger } from './ledger.ts';

test('what is accepted and does not end is lost', () => {
  const ledger = new Ledger();
  for (let i = 0; i < 1_000; i++) ledger.next();
  for (let number = 1; number <= 900; number++) ledger.accept(number);
  for (let number = 1; number <= 899; number++) expect(ledger.end(number)).toBe(true);
  expect(ledger).toMatchObject({ asked: 1_000, accepted: 900, ended: 899, lost: 1, doubled: 0 });
});

test('an end that comes twice is doubled, an acceptance that does is not', () => {
  const ledger = new Ledger();
  const number = ledger.next();
  ledger.accept(number);
  ledger.accept(number);
  expect([ledger.end(number), ledger.end(number)]).toEqual([true, false]);
  expect(ledger).toMatchObject({ accepted: 1, ended: 1, doubled: 1, lost: 0 });
});

test('an end before its acceptance stands for both', () => {
  const ledger = new Ledger();
  const number = ledger.next();
  ledger.end(number);
  ledger.accept(number);
  expect(ledger).toMatchObject({ accepted: 1, ended: 1, lost: 0 });
});

test('what was never asked for is strange', () => {
  const ledger = new Ledger();
  ledger.next();
  expect([ledger.end(2), ledger.end(0), ledger.end(NaN)]).toEqual([false, false, false]);
  expect(ledger).toMatchObject({ strange: 3, ended: 0 });
});

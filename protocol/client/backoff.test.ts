import { describe, expect, it } from 'vitest';
import { closes } from '../index.ts';
import { BACKOFF, backoff, localClose, readClose } from './backoff.ts';

describe('backoff', () => {
  it('C4 is drawn between 0 and a bound that doubles up to its limit', () => {
    const bound = (attempt: number) => backoff(attempt, { ...BACKOFF, random: () => 1 });
    expect([0, 1, 2, 5, 6, 7, 1_000, Infinity].map(bound)).toEqual([
      250, 500, 1_000, 8_000, 15_000, 15_000, 15_000, 15_000,
    ]);
    expect(backoff(9, { ...BACKOFF, random: () => 0 })).toBe(0);
  });

  it('C4 spreads a crowd over the whole of it', () => {
    const waits = Array.from({ length: 2_000 }, () => backoff(2, BACKOFF));
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = waits.filter((wait) => wait >= tenth * 100 && wait < (tenth + 1) * 100);
      expect(inside.length).toBeGreaterThan(100);
    }
  });
});

describe('why a socket ended', () => {
  it('C1 C2 is read from the table, then from the band', () => {
    expect(readClose(closes.session_taken.code)).toMatchObject({
      name: 'session_taken',
      retry: 'never',
    });
    expect(readClose(4_499)).toMatchObject({ name: 'unknown', code: 4_499, retry: 'later' });
    expect(readClose(4_999)).toMatchObject({ name: 'unknown', code: 4_999, retry: 'never' });
    for (const code of [1_000, 1_001, 1_006, 1_012, 3_999, 5_000]) {
      expect(readClose(code)).toMatchObject({ name: 'network', code, retry: 'later' });
    }
  });

  it('has a code of 0 where this client ended it', () => {
    expect(localClose('token_failed', 'login is down')).toEqual({
      name: 'token_failed',
      code: 0,
      retry: 'later',
      says: 'the token function failed: login is down',
    });
  });
});

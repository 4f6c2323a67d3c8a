import { describe, expect, it } from 'vitest';
import { closeName, closes } from './closes.ts';
import { Refusal, replyErrors, type ReplyErrorCode } from './errors.ts';

describe('reply errors', () => {
  const codes = Object.keys(replyErrors) as ReplyErrorCode[];

  it.each(codes)('E2 %s has a status that says the same as its retry', (code) => {
    const { http, retry, says } = replyErrors[code];
    expect(says).not.toBe('');
    expect(http).toBeGreaterThanOrEqual(400);
    // A client error that may pass by itself is 429; a server error always may. hello_first passes with the welcome.
    const mayPass = http >= 500 || http === 429;
    const exceptions: ReplyErrorCode[] = ['hello_first', 'too_many_rooms', 'too_many_watches'];
    expect(exceptions.includes(code) || mayPass === (retry !== 'never')).toBe(true);
  });

  it('E carry the reason behind what the code says', () => {
    expect(new Refusal('not_found').message).toBe(replyErrors.not_found.says);
    const refusal = new Refusal('overloaded', 'forecast', 250);
    expect(refusal).toMatchObject({ code: 'overloaded', retryAfterMs: 250 });
    expect(refusal.message).toBe('the queue of this kind is full: forecast');
  });
});

describe('closes', () => {
  it('C1 C2 have numbers of their own, in the band of their retry', () => {
    const all = Object.values(closes);
    expect(new Set(all.map(({ code }) => code)).size).toBe(all.length);
    for (const { code, retry } of all) {
      expect(code).toBeGreaterThanOrEqual(retry === 'never' ? 4_500 : 4_000);
      expect(code).toBeLessThan(retry === 'never' ? 5_000 : 4_500);
    }
  });

  it('C2 are known by number, and others are not', () => {
    for (const [name, { code }] of Object.entries(closes)) expect(closeName(code)).toBe(name);
    for (const code of [0, 1_000, 1_006, 3_000, 4_999]) expect(closeName(code)).toBeUndefined();
  });
});

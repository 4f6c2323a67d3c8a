import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Auth, bearer } from './auth.ts';

const config = {
  JWT_SECRET: 'a secret of sixteen or more',
  JWT_JWKS_URL: undefined,
  JWT_ISSUER: undefined,
  JWT_AUDIENCE: undefined,
  GUESTS: true,
  GUEST_TTL_S: 60,
};
const unavailable = expect.objectContaining({ code: 'unavailable' }) as Error;

test('H2: no text is a token by chance, and none of them is a fault', async () => {
  const auth = new Auth(config, async () => await Promise.resolve('shared'));
  const part = fc.oneof(
    fc.base64String(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
    fc
      .record({ alg: fc.constantFrom('HS256', 'none', 'RS256', 7), crit: fc.jsonValue() })
      .map((header) => Buffer.from(JSON.stringify(header)).toString('base64url')),
  );
  const token = fc.oneof(
    fc.string({ minLength: 1, unit: 'binary' }),
    fc.array(part, { minLength: 2, maxLength: 5 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      expect(await auth.verify(text)).toEqual({ ok: false, why: 'invalid_token' });
    }),
  );
});

test('H3: the secret of guests is asked for once; while it cannot be had nothing is said of a token', async () => {
  let asked = 0;
  let there = true;
  const shared = async (): Promise<string> => {
    asked++;
    if (!there) throw new Error('away');
    return await Promise.resolve('shared');
  };
  const first = await new Auth(config, shared).verify('');
  if (!first.ok) throw new Error('no guest was made');
  const { player, issued = '' } = first.identity;

  const auth = new Auth(config, shared);
  there = false;
  await expect(auth.verify(issued)).rejects.toThrow(unavailable);
  await expect(auth.verify('')).rejects.toThrow(unavailable);
  there = true;
  expect(await auth.verify(issued)).toMatchObject({ ok: true, identity: { player } });
  const before = asked;
  expect(await auth.verify('')).toMatchObject({ ok: true });
  expect(asked).toBe(before);
});

test('H2: with neither secret nor key set every token is invalid, guests are admitted', async () => {
  const none = { ...config, JWT_SECRET: undefined };
  const auth = new Auth(none, async () => await Promise.resolve('shared'));
  const guest = await auth.verify('');
  if (!guest.ok) throw new Error('no guest was made');
  expect(await auth.verify(guest.identity.issued ?? '')).toMatchObject({ ok: true });
  const closed = new Auth({ ...none, GUESTS: false }, async () => await Promise.resolve('shared'));
  expect(await closed.verify('')).toEqual({ ok: false, why: 'token_required' });
  expect(await closed.verify(guest.identity.issued ?? '')).toEqual({
    ok: false,
    why: 'invalid_token',
  });
});

test('H2: a bearer token is what follows the scheme, in any letters', () => {
  expect(bearer('Bearer abc')).toBe('abc');
  expect(bearer('BEARER   abc ')).toBe('abc');
  for (const other of ['', 'abc', 'Bearer', 'Bearer ', 'Basic abc', 'xBearer abc']) {
    expect(bearer(other)).toBe('');
  }
});

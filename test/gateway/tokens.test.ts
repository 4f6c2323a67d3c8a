import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeName, SUBPROTOCOL } from '../../protocol/index.ts';
import { Muster, token, type TestGateway } from '../support/muster.ts';
import { RawClient, type RawOptions } from '../support/raw-client.ts';

let muster: Muster;
/** Admits no guests. */
let closed: TestGateway;
/** Believes one issuer, for one audience. */
let strict: TestGateway;
/** Has a key set beside its secret. */
let keyed: TestGateway;
/** Its token ends within a moment; the gateway looks every 10 s. */
let expiring: RawClient;

const keys = new Map<string, { readonly alg: string; readonly key: CryptoKey }>();
const publicKeys: JWK[] = [];
let rsaPublic = '';
let keySet: Server;
let keySetIsAway = true;

beforeAll(async () => {
  for (const alg of ['RS256', 'ES256', 'EdDSA']) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    keys.set(alg, { alg, key: privateKey });
    publicKeys.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' });
    if (alg === 'RS256') rsaPublic = await exportSPKI(publicKey);
  }
  keySet = createServer((_request, response) => {
    response.statusCode = keySetIsAway ? 503 : 200;
    response.end(JSON.stringify({ keys: publicKeys }));
  });
  await new Promise<void>((resolve) => keySet.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(keySet.address() as AddressInfo).port}/keys`;
  muster = await Muster.start({ workers: 0 });
  const soon = Math.floor(Date.now() / 1_000) + 4;
  expiring = await RawClient.open(muster.gateway.socket, {
    token: await token('zoe', { exp: soon }),
  });
  [closed, strict, keyed] = await Promise.all([
    muster.startGateway({ GUESTS: 'off' }),
    muster.startGateway({ JWT_ISSUER: 'https://login.example', JWT_AUDIENCE: 'game' }),
    muster.startGateway({ JWT_JWKS_URL: url }),
  ]);
});
afterAll(() => keySet.close());

async function playerOf(options: RawOptions, gateway = muster.gateway): Promise<string> {
  const raw = await RawClient.open(gateway.socket, options);
  const { player } = await raw.hello();
  raw.close();
  return player;
}

/** How the gateway closes a socket with this token: the name of the close, or what came instead of one. */
async function closeOf(options: RawOptions, gateway = muster.gateway): Promise<string> {
  const raw = await RawClient.open(gateway.socket, options);
  const { code, reason } = await raw.closed;
  return closeName(code) === reason && raw.received.length === 0 ? reason : `${code} ${reason}`;
}

/** A token of any parts, signed by us. */
function handmade(header: object, claims: object, sign: (input: string) => string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${sign(input)}`;
}

const later = Math.floor(Date.now() / 1_000) + 3_600;

test('H2: a token is brought as a subprotocol entry or as a header', async () => {
  const jwt = await token('ann');
  expect(await playerOf({ token: jwt })).toBe('ann');
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    const headers = { authorization: `${scheme} ${jwt}` };
    expect(await playerOf({ protocols: [SUBPROTOCOL], headers })).toBe('ann');
  }
  expect(await playerOf({ protocols: [`bearer.${jwt}`, SUBPROTOCOL] })).toBe('ann');
});

test('H2: a player’s name may be anything but control characters, up to 64', async () => {
  for (const player of ['x', 'a{b}:c/d', 'Zoë 界 🎮', '*', '~', 'n'.repeat(64)]) {
    expect(await playerOf({ token: await token(player) })).toBe(player);
  }
});

test('C: an expired token is closed with token_expired', async () => {
  expect(
    await closeOf({
      token: await token('ann', { exp: Math.floor(Date.now() / 1_000) - 1 }),
    }),
  ).toBe('token_expired');
});

test('C, bad input: a forged, unsigned, malformed or incomplete token is closed with invalid_token', async () => {
  const good = await token('ann');
  const [head = '', claims = '', signature = ''] = good.split('.');
  const other = Buffer.from(JSON.stringify({ sub: 'bob', exp: later })).toString('base64url');
  const hs = (secret: string) => (input: string) =>
    createHmac('sha256', secret).update(input).digest('base64url');
  const tokens: Record<string, string> = {
    'of another secret': handmade({ alg: 'HS256' }, { sub: 'ann', exp: later }, hs('another one')),
    'alg none': handmade({ alg: 'none' }, { sub: 'ann', exp: later }, () => ''),
    'alg None': handmade({ alg: 'None' }, { sub: 'ann', exp: later }, () => ''),
    'alg none with a signature': handmade({ alg: 'none' }, { sub: 'ann', exp: later }, hs('x')),
    'no alg': handmade({}, { sub: 'ann', exp: later }, hs('x')),
    'other claims under a good signature': `${head}.${other}.${signature}`,
    'signature cut': `${head}.${claims}.${signature.slice(0, -2)}`,
    'no signature': `${head}.${claims}.`,
    'two parts': `${head}.${claims}`,
    'five parts': `${good}.x.y`,
    'no token at all': 'nonsense',
    'dots alone': '..',
    'a long one': 'x'.repeat(2_000),
    'no sub': await token('ann', { sub: undefined }),
    'empty sub': await token(''),
    'sub that is no text': await token('ann', { sub: 7 }),
    'sub of 65 characters': await token('n'.repeat(65)),
    'sub with a control character': await token('a\nb'),
    'sub with half a letter': await token('a\ud800'),
    'no exp': await token('ann', { exp: undefined }),
    'exp that is no number': await token('ann', { exp: 'tomorrow' }),
    'not valid yet': await token('ann', { nbf: later }),
    'a guest’s, but not signed as one': await token('guest-x', { iss: 'muster-guest' }),
  };
  for (const [what, jwt] of Object.entries(tokens)) {
    expect([what, await closeOf({ token: jwt })]).toEqual([what, 'invalid_token']);
  }
  const secret = new TextEncoder().encode('a secret of the tests alone');
  const sha512 = await new SignJWT({ sub: 'ann', exp: later })
    .setProtectedHeader({ alg: 'HS512' })
    .sign(secret);
  expect(await closeOf({ token: sha512 })).toBe('invalid_token');
});

test('C: a token of another issuer, or for another service, is closed with invalid_token', async () => {
  const right = { iss: 'https://login.example', aud: ['shop', 'game'] };
  expect(await playerOf({ token: await token('ann', right) }, strict)).toBe('ann');
  for (const wrong of [
    { ...right, iss: 'https://evil.example' },
    { ...right, aud: 'shop' },
    { iss: right.iss },
    { aud: right.aud },
    {},
  ]) {
    expect(await closeOf({ token: await token('ann', wrong) }, strict)).toBe('invalid_token');
  }
});

test('C: where guests are not admitted, no token is token_required and a guest’s is invalid_token', async () => {
  expect(await closeOf({}, closed)).toBe('token_required');
  const raw = await muster.raw();
  const { token: guest } = await raw.hello();
  raw.close();
  expect(await closeOf({ token: guest ?? '' }, closed)).toBe('invalid_token');
  expect(await playerOf({ token: await token('ann') }, closed)).toBe('ann');
});

test('H3: a guest’s token makes the same player again, on any gateway; without one it is another', async () => {
  const raw = await muster.raw();
  const first = await raw.hello();
  expect(first.player).toMatch(/^guest-[\w-]{16}$/);
  const again = await RawClient.open(strict.socket, { token: first.token ?? '' });
  const second = await again.hello();
  expect(second.player).toBe(first.player);
  // It has one: no other is made.
  expect(second.token).toBeUndefined();
  expect(await playerOf({})).not.toBe(first.player);
  const known = await muster.raw({ player: 'ann' });
  expect((await known.hello()).token).toBeUndefined();
  for (const one of [raw, again, known]) one.close();
});

test('C, H2: a key set that cannot be had is unavailable, not a bad token; then its keys are believed', async () => {
  const sign = async (
    alg: string,
    header: object = {},
    claims: object = { sub: `by-${alg}`, exp: later },
  ) => {
    const { key } = keys.get(alg) ?? {};
    if (key === undefined) throw new Error(`no key for ${alg}`);
    return await new SignJWT({ ...claims })
      .setProtectedHeader({ alg, kid: alg, ...header })
      .sign(key);
  };
  const jwt = await sign('ES256');
  expect(await closeOf({ token: jwt }, keyed)).toBe('unavailable');
  const headers = { authorization: `Bearer ${jwt}` };
  const response = await fetch(`${keyed.http}/v1/jobs/none`, { headers });
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ error: { code: 'unavailable', retry: 'later' } });

  keySetIsAway = false;
  for (const alg of keys.keys()) {
    expect(await playerOf({ token: await sign(alg) }, keyed)).toBe(`by-${alg}`);
  }
  expect((await fetch(`${keyed.http}/v1/jobs/none`, { headers })).status).toBe(404);
  // The secret still counts beside them, and so do guests.
  expect(await playerOf({ token: await token('ann') }, keyed)).toBe('ann');
  expect(await playerOf({}, keyed)).toMatch(/^guest-/);

  const expired = { sub: 'x', exp: 1_000_000 };
  expect(await closeOf({ token: await sign('RS256', {}, expired) }, keyed)).toBe('token_expired');
  expect(await closeOf({ token: await sign('RS256', { kid: 'ES256' }) }, keyed)).toBe(
    'invalid_token',
  );
  expect(await closeOf({ token: await sign('RS256', { kid: 'unknown' }) }, keyed)).toBe(
    'invalid_token',
  );
  const { privateKey } = await generateKeyPair('ES256');
  const forged = new SignJWT({ sub: 'x', exp: later })
    .setProtectedHeader({ alg: 'ES256', kid: 'ES256' })
    .sign(privateKey);
  expect(await closeOf({ token: await forged }, keyed)).toBe('invalid_token');
  // The public key taken for a secret.
  const confused = handmade(
    { alg: 'HS256', kid: 'RS256' },
    { sub: 'x', exp: later },
    (input: string) => createHmac('sha256', rsaPublic).update(input).digest('base64url'),
  );
  expect(await closeOf({ token: confused }, keyed)).toBe('invalid_token');
});

test('C: a token that expires while its socket is open closes it with token_expired', async () => {
  await expiring.hello();
  expect(await expiring.closed).toEqual({ code: 4400, reason: 'token_expired' });
});

test('the gateways that answered all this had no fault of their own', () => {
  for (const { process } of muster.gateways) {
    const lines = process.output().split('\n');
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  }
});

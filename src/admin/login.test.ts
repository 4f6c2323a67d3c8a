import { Hono } from 'hono';
import { beforeEach, describe, expect, test } from 'vitest';
import { login, type LoginOptions } from './login.ts';

let now = 0;
let causes: string[] = [];
let address = '10.0.0.1';

beforeEach(() => {
  now = 0;
  causes = [];
  address = '10.0.0.1';
});

function appWith(password: string | undefined): Hono {
  const options: LoginOptions = {
    password,
    addressOf: () => address,
    refused: (cause) => causes.push(cause),
    now: () => now,
  };
  const app = new Hono();
  app.use(login(options));
  app.all('*', (context) => context.text('in'));
  return app;
}

async function ask(app: Hono, headers: Record<string, string>, method = 'GET'): Promise<Response> {
  return await app.request('/', { method, headers: { host: 'localhost:3001', ...headers } });
}

const basic = (pair: string) => ({
  authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
});

describe('without a password', () => {
  const app = appWith(undefined);

  test.each(['localhost', 'localhost:3001', '127.0.0.1:3001', '[::1]:3001', 'LOCALHOST:1'])(
    'the name %s is let in',
    async (host) => {
      expect((await ask(app, { host })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example:3001',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '',
  ])('the name %s, which a page of another site could have, is not', async (host) => {
    expect((await ask(app, { host })).status).toBe(403);
    expect(causes).toEqual(['host']);
  });
});

describe('a request that changes something', () => {
  const app = appWith(undefined);
  const status = async (headers: Record<string, string>, method = 'PUT') =>
    (await ask(app, headers, method)).status;

  test('is let in from our own page, and from programs that are no browser', async () => {
    expect(await status({})).toBe(200);
    expect(await status({ 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await status({ origin: 'http://localhost:3001' })).toBe(200);
    // Behind a proxy that speaks https the browser's word about the site counts.
    expect(await status({ origin: 'https://ops.example', 'sec-fetch-site': 'same-origin' })).toBe(
      200,
    );
  });

  test.each([
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'none' }],
    [{ 'sec-fetch-site': 'cross-site', origin: 'http://localhost:3001' }],
    [{ origin: 'http://evil.example' }],
    [{ origin: 'http://localhost:9999' }],
    [{ origin: 'null' }],
  ])('is refused with %o', async (headers) => {
    expect(await status(headers)).toBe(403);
    expect(await status(headers, 'POST')).toBe(403);
    expect(causes).toEqual(['cross_site', 'cross_site']);
    expect(await status(headers, 'GET')).toBe(200);
  });

  test('is refused from another site even with the right password', async () => {
    const headers = { ...basic('admin:secret'), 'sec-fetch-site': 'cross-site' };
    expect((await ask(appWith('secret'), headers, 'PUT')).status).toBe(403);
  });
});

describe('with a password', () => {
  test('nobody is let in without it, and a browser is told how to ask for it', async () => {
    const response = await ask(appWith('secret'), {});
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic /);
    // The first request of every browser is no failed attempt.
    expect(causes).toEqual([]);
  });

  test('user admin with it is let in, under any name', async () => {
    const app = appWith('pass:wörd');
    const headers = { host: 'ops.example', ...basic('admin:pass:wörd') };
    expect((await ask(app, headers)).status).toBe(200);
  });

  test.each([
    ['another password', basic('admin:secret2')],
    ['a part of it', basic('admin:secre')],
    ['another user', basic('root:secret')],
    ['no user', basic(':secret')],
    ['nothing', basic('')],
    ['no Base64', { authorization: 'Basic !!' }],
    ['another scheme', { authorization: 'Bearer secret' }],
  ])('%s is refused', async (_what, headers) => {
    expect((await ask(appWith('secret'), headers)).status).toBe(401);
    expect(causes).toEqual(['login']);
  });

  test('an empty password is a password, too', async () => {
    expect((await ask(appWith(''), basic('admin:x'))).status).toBe(401);
  });
});

describe('who guesses', () => {
  const guess = async (app: Hono, times: number): Promise<number[]> => {
    const statuses: number[] = [];
    for (let i = 0; i < times; i++) statuses.push((await ask(app, basic('admin:no'))).status);
    return statuses;
  };

  test('has ten tries a minute; then even the right password has to wait', async () => {
    const app = appWith('secret');
    expect(await guess(app, 12)).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    const early = await ask(app, basic('admin:secret'));
    expect(early.status).toBe(429);
    expect(Number(early.headers.get('retry-after'))).toBe(60);
    expect(causes.filter((cause) => cause === 'too_many_logins')).toHaveLength(3);
    now = 60_000;
    expect((await ask(app, basic('admin:secret'))).status).toBe(200);
    expect(await guess(app, 1)).toEqual([401]);
  });

  test('locks out nobody else', async () => {
    const app = appWith('secret');
    await guess(app, 11);
    address = '10.0.0.2';
    expect((await ask(app, basic('admin:secret'))).status).toBe(200);
  });
});

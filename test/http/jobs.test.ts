import { connect as tcp } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { kinds } from '../../protocol/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { depthKey } from '../../src/relay/keys.ts';
import { Muster, token, type Call } from '../support/muster.ts';
import { until } from '../support/until.ts';

let muster: Muster;
beforeAll(async () => {
  // No worker: what is accepted stays unfinished until a test ends it.
  muster = await Muster.start({ workers: 0 });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(path: string, player: string, options: Call = {}): Promise<Answer> {
  return await read(await muster.fetch(path, player, options));
}

async function read(response: Response): Promise<Answer> {
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Record<string, unknown> };
}

/** Asks for a pipeline under this id. */
async function post(player: string, id: string, input: unknown = {}, query = ''): Promise<Answer> {
  return await call(`/v1/jobs/pipeline${query}`, player, {
    method: 'POST',
    headers: { 'idempotency-key': id },
    body: JSON.stringify(input),
  });
}

function refusal(code: string, message: RegExp, retry = 'never'): object {
  const error = { code, message: expect.stringMatching(message) as string, retry };
  return { error: expect.objectContaining(error) as object };
}

test('J2: a request is taken on with 202, under an id of our choice or the gateway’s', async () => {
  const named = await post('ann', 'j2-named', { note: 'hi' });
  expect(named.status).toBe(202);
  expect(named.body).toMatchObject({
    id: 'j2-named',
    kind: 'pipeline',
    state: 'accepted',
    attempt: 0,
  });
  expect(named.headers.get('location')).toBe('/v1/jobs/j2-named');
  expect(named.headers.get('content-type')).toBe('application/json');
  const unnamed = await call('/v1/jobs/pipeline', 'ann', { method: 'POST', body: '{}' });
  expect(unnamed.status).toBe(202);
  expect(unnamed.body['id']).toMatch(/^[\w-]{16}$/);
});

test('J2, G3: the same Idempotency-Key with the same input is the same request', async () => {
  const answers = await Promise.all(
    Array.from({ length: 5 }, async () => await post('bea', 'same', { note: 'x', thenMs: 7 })),
  );
  for (const { status, body } of answers) {
    expect(status).toBe(202);
    expect(body).toMatchObject({ id: 'same', kind: 'pipeline' });
  }
  // Key order and defaults make no other input (Q5).
  expect((await post('bea', 'same', { thenMs: 7, firstMs: 50, note: 'x' })).status).toBe(202);
});

test('J2, Q5: the same Idempotency-Key with another input or kind is 409 id_conflict', async () => {
  await post('cid', 'used', { note: 'first' });
  const other = await post('cid', 'used', { note: 'second' });
  expect(other.status).toBe(409);
  expect(other.body).toEqual(refusal('id_conflict', /used with another input/));
  const kind = await call('/v1/jobs/drill', 'cid', {
    method: 'POST',
    headers: { 'idempotency-key': 'used' },
    body: '{"act":"echo"}',
  });
  expect(kind.status).toBe(409);
  // The first one is unharmed, and the id is free for another player.
  expect((await call('/v1/jobs/used', 'cid')).body).toMatchObject({ state: 'accepted' });
  expect((await post('dan', 'used', { note: 'second' })).status).toBe(202);
});

const badRequests: readonly {
  readonly why: string;
  readonly path?: string;
  readonly call: Call;
  readonly status: number;
  readonly code: string;
  readonly says: RegExp;
}[] = [
  { why: 'no JSON', call: { body: '{"note"' }, status: 400, code: 'malformed_body', says: /JSON/ },
  { why: 'no body', call: {}, status: 400, code: 'malformed_body', says: /JSON/ },
  {
    why: 'a wrong type and an extra field',
    call: { body: '{"firstMs":"soon","extra":1}' },
    status: 400,
    code: 'invalid_input',
    says: /firstMs: .*extra/,
  },
  {
    why: 'a number out of its range',
    call: { body: '{"firstMs":60001}' },
    status: 400,
    code: 'invalid_input',
    says: /firstMs: /,
  },
  {
    why: 'a number that JSON cannot hold',
    call: { body: '{"firstMs":1e999}' },
    status: 400,
    code: 'invalid_input',
    says: /firstMs: /,
  },
  {
    why: 'a __proto__ key',
    call: { body: '{"__proto__":{"note":"x"}}' },
    status: 400,
    code: 'invalid_input',
    says: /__proto__/,
  },
  {
    why: 'a list where the input belongs',
    call: { body: '[]' },
    status: 400,
    code: 'invalid_input',
    says: /input/,
  },
  {
    why: 'a bad request id',
    call: { body: '{}', headers: { 'idempotency-key': 'no spaces' } },
    status: 400,
    code: 'invalid_body',
    says: /Idempotency-Key/,
  },
  {
    why: 'a request id that is too long',
    call: { body: '{}', headers: { 'idempotency-key': 'x'.repeat(65) } },
    status: 400,
    code: 'invalid_body',
    says: /Idempotency-Key/,
  },
  {
    why: 'a bad deadline',
    path: '/v1/jobs/pipeline?deadlineMs=-1',
    call: { body: '{}' },
    status: 400,
    code: 'invalid_body',
    says: /deadlineMs/,
  },
  {
    why: 'an unknown kind',
    path: '/v1/jobs/nonsense',
    call: { body: '{}' },
    status: 404,
    code: 'unknown_kind',
    says: /nonsense/,
  },
  {
    why: 'a kind that is a property of every object',
    path: '/v1/jobs/constructor',
    call: { body: '{}' },
    status: 404,
    code: 'unknown_kind',
    says: /constructor/,
  },
  {
    why: 'a body over the limit',
    call: { body: JSON.stringify({ note: 'x'.repeat(70_000) }) },
    status: 413,
    code: 'input_too_large',
    says: /65536/,
  },
];

test.each(badRequests)('J2, J6: $why is $status $code', async ({ path, call: one, ...rest }) => {
  const answer = await call(path ?? '/v1/jobs/pipeline', 'eve', { method: 'POST', ...one });
  expect(answer.status).toBe(rest.status);
  expect(answer.body).toEqual(refusal(rest.code, rest.says));
});

test('J2: bytes that are no UTF-8 are 400 malformed_body, not an input with other letters', async () => {
  const body = Buffer.from([...Buffer.from('{"note":"'), 0xff, 0xc0, ...Buffer.from('"}')]);
  const response = await fetch(`${muster.gateway.http}/v1/jobs/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token('eve')}` },
    body,
  });
  expect(await read(response)).toMatchObject({
    status: 400,
    body: { error: { code: 'malformed_body' } },
  });
});

test('J2: a body that comes in pieces is read whole', async () => {
  const body = JSON.stringify({ note: 'in pieces', firstMs: 1 });
  const head = [
    'POST /v1/jobs/pipeline HTTP/1.1',
    'host: muster',
    `authorization: Bearer ${await token('fay')}`,
    'idempotency-key: pieces',
    `content-length: ${body.length}`,
  ].join('\r\n');
  const socket = tcp(muster.gateway.port, '127.0.0.1');
  socket.setNoDelay(true);
  const came: Buffer[] = [];
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (bytes) => {
      came.push(bytes);
      if (Buffer.concat(came).toString().endsWith('}')) resolve();
    });
  });
  for (const piece of [`${head}\r\n\r\n`, body.slice(0, 5), body.slice(5, 9), body.slice(9)]) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await answered;
  socket.destroy();
  // RFC 9112, 4: a space follows the status even where no reason does.
  expect(Buffer.concat(came).toString()).toMatch(/^HTTP\/1\.1 202 .*\r\n/);
  expect(await call('/v1/jobs/pieces', 'fay')).toMatchObject({
    status: 200,
    body: { state: 'accepted' },
  });
});

test('J1, J6: without a valid token it is 401, and never says more than why', async () => {
  const url = `${muster.gateway.http}/v1/jobs/pipeline`;
  const expired = await token('gil', { exp: 1_000_000 });
  const tries: readonly Record<string, string>[] = [
    {},
    { authorization: 'Bearer ' },
    { authorization: 'Bearer nonsense' },
    { authorization: `Basic ${Buffer.from('gil:x').toString('base64')}` },
    { authorization: `Bearer ${expired}` },
  ];
  for (const headers of tries) {
    const answer = await read(await fetch(url, { method: 'POST', headers, body: '{}' }));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.body).toEqual(refusal('unauthorized', /no valid token/));
  }
});

test('J1, H3: a guest brings the token of its welcome', async () => {
  const raw = await muster.raw();
  const welcome = await raw.hello();
  const response = await fetch(`${muster.gateway.http}/v1/jobs/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${welcome.token}`, 'idempotency-key': 'of-a-guest' },
    body: '{}',
  });
  expect(response.status).toBe(202);
  // J7: it is the player's request on the socket as well.
  raw.send('cancel', { ref: 1, id: 'of-a-guest' });
  await raw.next('ok');
  raw.close();
});

test('J3: a request is read until it ended and after; another player’s is 404', async () => {
  await post('hal', 'mine');
  expect(await call('/v1/jobs/mine', 'hal')).toMatchObject({
    status: 200,
    body: { id: 'mine', kind: 'pipeline', state: 'accepted', attempt: 0 },
  });
  for (const [id, player] of [
    ['mine', 'ida'],
    ['never', 'hal'],
    ['mine%2f', 'hal'],
    ['x'.repeat(500), 'hal'],
  ] as const) {
    for (const method of ['GET', 'DELETE']) {
      const answer = await call(`/v1/jobs/${id}`, player, { method });
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual(refusal('unknown_request', /no request/));
    }
    const stream = await call(`/v1/jobs/${id}/stream`, player);
    expect(stream.status).toBe(404);
  }
  expect((await call('/v1/jobs/mine', 'hal')).body['state']).toBe('accepted');
});

test('J5: DELETE cancels and answers with the end, once; after that it is 409 already_ended', async () => {
  await post('jim', 'gone');
  const cancelled = await call('/v1/jobs/gone', 'jim', { method: 'DELETE' });
  expect(cancelled.status).toBe(200);
  expect(cancelled.body).toEqual({
    id: 'gone',
    kind: 'pipeline',
    state: 'cancelled',
    attempt: 0,
  });
  expect((await call('/v1/jobs/gone', 'jim')).body).toEqual(cancelled.body);
  const again = await call('/v1/jobs/gone', 'jim', { method: 'DELETE' });
  expect(again.status).toBe(409);
  expect(again.body).toEqual(refusal('already_ended', /ended/));
});

test('Q6: a request past its deadline reads as expired although nobody works', async () => {
  expect((await post('kim', 'late', {}, '?deadlineMs=1')).status).toBe(202);
  await until(async () => (await call('/v1/jobs/late', 'kim')).body['state'] === 'expired');
});

test('Q5, Q6: of a request that is sent again the first deadline counts, by both ways', async () => {
  const first = await post('lou', 'again', {}, '?deadlineMs=30000');
  const second = await post('lou', 'again', {}, '?deadlineMs=60000');
  expect(second.body['deadline']).toBe(first.body['deadline']);

  const raw = await muster.raw({ player: 'lou' });
  await raw.hello();
  const request = { id: 'short', kind: 'pipeline', input: {} };
  raw.send('request', { ...request, deadlineMs: 500 });
  await raw.next('accepted');
  raw.send('request', { ...request, deadlineMs: 60_000 });
  await raw.next('accepted');
  // Nobody works here: it is the gateway that has to notice.
  expect((await raw.next('ended')).body).toMatchObject({ id: 'short', state: 'expired' });
  raw.close();
});

test('J7, L5: reading an end by GET acknowledges it, cancelling by DELETE does not', async () => {
  await post('lia', 'read');
  await post('lia', 'unread');
  for (const id of ['read', 'unread']) {
    await call(`/v1/jobs/${id}`, 'lia', { method: 'DELETE' });
  }
  await call('/v1/jobs/read', 'lia');
  const raw = await muster.raw({ player: 'lia' });
  await raw.hello();
  expect((await raw.next('ended')).body.id).toBe('unread');
  raw.send('ping', { seq: 1, clientTime: 0 });
  await raw.next('pong');
  expect(raw.all('ended')).toHaveLength(1);
  raw.close();
});

test('J7: asked for by HTTP, an end reaches the player’s socket when it begins an epoch', async () => {
  await post('lea', 'both-ways');
  await call('/v1/jobs/both-ways', 'lea', { method: 'DELETE' });
  const raw = await muster.raw({ player: 'lea' });
  expect((await raw.hello()).requests).toEqual([]);
  const { body, reliable } = await raw.next('ended');
  expect(body).toMatchObject({ id: 'both-ways', state: 'cancelled' });
  expect(reliable?.offset).toBe(1);
  raw.close();
});

test('J7: asked for on a socket, a request is read and cancelled by HTTP', async () => {
  const raw = await muster.raw({ player: 'max' });
  await raw.hello();
  raw.send('request', { id: 'socket-first', kind: 'pipeline', input: { note: 'hi' } });
  await raw.next('accepted');
  expect((await post('max', 'socket-first', { note: 'hi' })).status).toBe(202);
  expect((await call('/v1/jobs/socket-first', 'max', { method: 'DELETE' })).status).toBe(200);
  expect((await raw.next('ended')).body).toMatchObject({ id: 'socket-first', state: 'cancelled' });
  raw.close();
});

test('L5, J6: one more unfinished than the kind allows a player is 429 too_many_in_flight', async () => {
  const ask = async (id: string) =>
    await call('/v1/jobs/matchmake', 'nan', {
      method: 'POST',
      headers: { 'idempotency-key': id },
      body: '{"queue":"duel","regions":{"ams":20}}',
    });
  expect((await ask('one')).status).toBe(202);
  const two = await ask('two');
  expect(two.status).toBe(429);
  expect(two.body).toEqual(refusal('too_many_in_flight', /at most 1 of matchmake/, 'later'));
  expect((await ask('one')).status).toBe(202);
  await call('/v1/jobs/one', 'nan', { method: 'DELETE' });
  expect((await ask('two')).status).toBe(202);
});

test('L5, J6: a full queue is 503 overloaded with Retry-After, and what was taken on stays known', async () => {
  const ask = async (id: string) =>
    await call('/v1/jobs/drill', 'oda', {
      method: 'POST',
      headers: { 'idempotency-key': id },
      body: '{"act":"echo"}',
    });
  expect((await ask('before')).status).toBe(202);
  // As many others as the queue takes.
  const key = depthKey('cpu', 'drill');
  const later = String(Date.now() + 600_000);
  const others = Array.from({ length: kinds.drill.depth }, (_, i) => [later, `other/${i}`]).flat();
  await askRedis(muster.redis.url, ['ZADD', key, ...others]);
  const refused = await ask('after');
  expect(refused.status).toBe(503);
  expect(refused.body).toEqual(refusal('overloaded', /drill/, 'after'));
  const { retryAfterMs } = refused.body['error'] as { retryAfterMs: number };
  expect(refused.headers.get('retry-after')).toBe(String(Math.ceil(retryAfterMs / 1_000)));
  expect((await ask('before')).status).toBe(202);
  await askRedis(muster.redis.url, ['DEL', key]);
  expect((await ask('after')).status).toBe(202);
});

test('L1, J6: out of credits is 429 rate_limited with Retry-After, for this player alone', async () => {
  const strict = await muster.startGateway({
    SESSION_CREDITS_PER_S: '1',
    SESSION_CREDITS_BURST: '30',
  });
  const ask = async (player: string) => {
    const headers = { authorization: `Bearer ${await token(player)}` };
    return await read(await fetch(`${strict.http}/v1/jobs/none`, { headers }));
  };
  for (let i = 0; i < 3; i++) expect((await ask('pam')).status).toBe(404);
  const refused = await ask('pam');
  expect(refused.status).toBe(429);
  expect(refused.body).toEqual(refusal('rate_limited', /credits/, 'after'));
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await ask('quy')).status).toBe(404);
});

test('J, E: what is at no address is 404 not_found, wrong methods too', async () => {
  for (const [method, path] of [
    ['GET', '/v1/nothing'],
    ['GET', '/v1/jobs'],
    ['GET', '/v1/jobs/'],
    ['PUT', '/v1/jobs/some'],
    ['PATCH', '/v1/jobs/some'],
    ['POST', '/v1/jobs/pipeline/stream'],
    ['DELETE', '/v1/jobs/some/stream'],
    ['GET', '/v1/jobs/some/other'],
    ['GET', '/../../package.json'],
    ['GET', '/v1/socket'],
  ] as const) {
    const answer = await call(path, 'roy', { method });
    expect({ method, path, status: answer.status }).toEqual({ method, path, status: 404 });
    expect(answer.body).toEqual(refusal('not_found', /nothing is at this address/));
  }
});

test('J8: alive is not ready: without a worker nothing is served from end to end', async () => {
  const { http } = muster.gateway;
  const health = await fetch(`${http}/healthz`);
  expect([health.status, await health.json()]).toEqual([200, { ok: true }]);
  const ready = await fetch(`${http}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { ready: false, missing: 'a worker for the cpu lane' },
  ]);
});

test('H4: a page of a foreign origin gets no jobs API', async () => {
  const picky = await muster.startGateway({ ORIGINS: 'https://game.example' });
  const ask = async (origin: string) =>
    await fetch(`${picky.http}/v1/jobs/none`, {
      headers: { origin, authorization: `Bearer ${await token('sam')}` },
    });
  expect((await ask('https://evil.example')).status).toBe(401);
  expect((await ask('https://game.example')).status).toBe(404);
});

test('a client that sends half a body and goes away costs nothing', async () => {
  const socket = tcp(muster.gateway.port, '127.0.0.1');
  const jwt = await token('tom');
  socket.write(
    `POST /v1/jobs/pipeline HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${jwt}\r\n` +
      'idempotency-key: half\r\ncontent-length: 100\r\n\r\n{"note":',
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  expect((await call('/v1/jobs/half', 'tom')).status).toBe(404);
});

test('the gateway that answered all this had no fault of its own', () => {
  const lines = muster.gateway.process.output().split('\n');
  expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
});

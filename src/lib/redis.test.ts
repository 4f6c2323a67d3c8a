import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { connectRedis, script, type Redis } from './redis.ts';

let server: TestRedis;
let redis: Redis;
let onError: (error: Error) => void = () => undefined;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', (error) => onError(error));
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const sum = {
  name: 'testSum',
  keys: 1,
  lua: 'return {KEYS[1], tonumber(ARGV[1]) + tonumber(ARGV[2]), ARGV[3]}',
};

test('a script gets keys and arguments, bytes included, and answers in bytes', async () => {
  const run = script(redis, sum);
  const raw = Buffer.from([0, 255, 128, 10]);
  expect(await run('key', 1, '2', raw)).toEqual([Buffer.from('key'), 3, raw]);
});

test('a server that forgot its scripts is told again', async () => {
  const run = script(redis, sum);
  await run('key', 1, 2, '');
  await redis.script('FLUSH');
  expect(await run('key', 2, 3, '')).toEqual([Buffer.from('key'), 5, Buffer.from('')]);
});

test("a script's fault rejects its call", async () => {
  const run = script(redis, { name: 'testFault', keys: 0, lua: "return redis.call('NOPE')" });
  await expect(run()).rejects.toThrow(/NOPE|Unknown Redis command/i);
});

test('a connection on which nothing comes any more is made anew, and its command is answered', async () => {
  const sockets: Socket[] = [];
  const road = createServer((socket) => {
    const on = createConnection(Number(new URL(server.url).port), '127.0.0.1');
    sockets.push(socket, on);
    for (const one of [socket, on]) one.on('error', () => undefined);
    socket.pipe(on).pipe(socket);
  });
  await new Promise<void>((resolve) => road.listen(0, '127.0.0.1', resolve));
  const { port } = road.address() as AddressInfo;
  const far = connectRedis(`redis://127.0.0.1:${port}`, 'far', () => undefined, 200);
  try {
    await far.set('far', '1');
    for (const socket of sockets) socket.unpipe();
    expect(await far.get('far')).toBe('1');
  } finally {
    far.disconnect();
    for (const socket of sockets) socket.destroy();
    road.close();
  }
});

test('CLIENT LIST names who is connected', async () => {
  expect(await redis.client('LIST')).toContain('name=muster-test');
});

test('a command waits for a lost server to come back; the loss is told', async () => {
  await redis.set('kept', '1');
  const told = new Promise<Error>((resolve) => (onError = resolve));
  await server.kill9();
  expect(await told).toBeInstanceOf(Error);
  const waiting = redis.get('kept');
  await server.restart();
  expect(await waiting).toBe('1');
});

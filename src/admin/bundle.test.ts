import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../test/support/ports.ts';
import { spawnNode, type TestProcess } from '../../test/support/process.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';

let server: TestRedis;
let gateway: TestProcess;
let url: string;

beforeAll(async () => {
  server = await startTestRedis();
  const port = await freePort();
  const env = { REDIS_URL: server.url, PORT: '0', ADMIN_PORT: String(port) };
  gateway = spawnNode('dist/gateway.js', env);
  await gateway.waitForLine(/dashboard listens/);
  url = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  gateway.kill();
  await gateway.exited;
  await server.stop();
});

/** Bull Board looks for its page and files beside its own modules, which one bundle does not have. */
test('the built gateway serves the queue dashboard with every file that its page names', async () => {
  const page = await fetch(`${url}/queues`);
  expect(page.headers.get('content-type')).toContain('text/html');
  const text = await page.text();
  const base = /<base href="([^"]+)"/.exec(text)?.[1] ?? '';
  const names = Array.from(
    text.matchAll(/(?:src|href)="(static\/[^"]+)"/g),
    ([, name]) => name ?? '',
  );
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) {
    const file = await fetch(new URL(name, `${url}${base}`));
    expect([name, file.status]).toEqual([name, 200]);
    expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(0);
  }
});

test('and its operations page and metrics', async () => {
  expect(await (await fetch(url)).text()).toContain('Muster operations');
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('muster_sockets 0\n');
});

test('a second gateway on the machine runs without a dashboard', async () => {
  const env = { REDIS_URL: server.url, PORT: '0', ADMIN_PORT: new URL(url).port };
  const second = spawnNode('dist/gateway.js', env);
  await second.waitForLine(/no dashboard on this gateway/);
  expect(second.output()).toContain('gateway listens');
  second.kill();
  await second.exited;
});

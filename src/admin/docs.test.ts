import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage } from '../../test/support/browser.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import type { Document } from '../../protocol/openapi/index.ts';
import { faultsOf } from '../../protocol/openapi/sound.fixture.ts';
import { Fleet } from '../jobs/fleet.ts';
import { Queues } from '../jobs/queues.ts';
import { Counters } from '../lib/counters.ts';
import { createLog } from '../lib/log.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { adminApp, startAdmin, type Admin, type Watched } from './admin.ts';

const log = createLog('fatal', {});
const config = {
  ADMIN_HOST: '127.0.0.1',
  ADMIN_PORT: 0,
  ADMIN_PASSWORD: undefined,
  TRUST_FLY_CLIENT_IP: false,
  DRILLS: false,
};
let server: TestRedis;
let redis: Redis;
let gateway: Watched;
let admin: Admin | undefined;
let url: string;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  await redis.ping();
  gateway = {
    name: 'gateway-of-test',
    port: 3_000,
    redis,
    queues: new Queues(redis, () => undefined),
    fleet: new Fleet(redis),
    counters: new Counters(),
    gauges: () => ({}),
    messages: () => [],
  };
  admin = await startAdmin(gateway, config, log);
  url = `http://127.0.0.1:${admin?.port}`;
});

afterAll(async () => {
  await admin?.stop();
  redis.disconnect();
  await server.stop();
});

test('every call that the port takes is in its document, and the document is sound', async () => {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  expect(faultsOf(document)).toEqual([]);
  const routes = adminApp(gateway, config, log)
    .routes.filter(({ path, method }) => path.startsWith('/v1/') && method !== 'ALL')
    .map(({ path, method }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.length).toBeGreaterThan(2);
  expect(documented.toSorted()).toEqual([...new Set(routes)].toSorted());
});

test("the players' document is there to read, without drills where there are none", async () => {
  const document = (await (await fetch(`${url}/docs/players.json`)).json()) as Document;
  expect(faultsOf(document)).toEqual([]);
  expect(Object.keys(document.paths)).toContain('/v1/jobs/forecast');
  expect(Object.keys(document.paths)).not.toContain('/v1/jobs/drill');
});

test('no file but those of the page is served from its package', async () => {
  for (const file of ['package.json', 'swagger-ui.js', 'toString', '..%2fpackage.json']) {
    expect([file, (await fetch(`${url}/docs/ui/${file}`)).status]).toEqual([file, 404]);
  }
});

test('a call is tried from the page, which asks nobody else and breaks no rule of its own', async () => {
  const { page, expectNoErrors } = await openPage('about:blank');
  const foreign: string[] = [];
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(url) && !asked.startsWith('data:')) foreign.push(asked);
  });
  await page.goto(`${url}/docs`);
  await page.locator('#operations-planner-post_v1_plan .opblock-summary-control').click();
  await page.locator('.btn.execute').click();
  await page.locator('.live-responses-table', { hasText: 'coresPerWorker' }).waitFor();
  expect(await page.locator('.live-responses-table').textContent()).toContain('200');

  await page.goto(`${url}/docs/players`);
  await page.locator('#operations-jobs-submit_forecast .opblock-summary-control').click();
  await page.getByText('Idempotency-Key').first().waitFor();
  // It is another port's: shown, not tried.
  expect(await page.locator('.btn.execute').count()).toBe(0);
  expect(foreign).toEqual([]);
  expectNoErrors();
});

import { beforeAll, expect, test } from 'vitest';
import { childrenOf, isAlive } from '../support/processes.ts';
import { Muster } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'correct horse battery';
let muster: Muster;
const ports: number[] = [];

beforeAll(async () => {
  muster = await Muster.start({
    gateways: 0,
    env: { LAB_ITEMS_MAX: '5000', ADMIN_PASSWORD: PASSWORD },
  });
  // Two gateways, so that one answers for what the other has run.
  for (let i = 0; i < 2; i++) {
    const port = await freePort();
    ports.push(port);
    const { process } = await muster.startGateway({ ADMIN_PORT: String(port) });
    await process.waitForLine(/dashboard listens/);
  }
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly id: string;
    readonly state: string;
    readonly progress?: { readonly done: number };
    readonly measured: readonly Record<string, unknown>[];
    readonly error?: { readonly code: string; readonly message: string };
  };
}

async function call(
  method: string,
  path: string,
  body?: object,
  gateway = 0,
  password = PASSWORD,
): Promise<Answer> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  const response = await fetch(`http://127.0.0.1:${ports[gateway]}/v1/lab/${path}`, {
    method,
    headers: { authorization },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : undefined;
  return { status: response.status, headers: response.headers, body: json as Answer['body'] };
}

async function untilOver(id: string, gateway: number): Promise<Answer['body']> {
  let body: Answer['body'] | undefined;
  await until(async () => {
    ({ body } = await call('GET', `runs/${id}`, undefined, gateway));
    return body.state !== 'running';
  });
  return body as Answer['body'];
}

const tiny = { items_count: 60, simulate_db_delay: 0.002, simulate_redis_delay: 0.001, workers: 2 };

test('only who may log in reaches the lab', async () => {
  expect((await call('GET', 'runs', undefined, 0, 'wrong password')).status).toBe(401);
  expect((await call('POST', 'pool', tiny, 0, 'wrong password')).status).toBe(401);
});

test('wrong settings are refused with a code, and counted', async () => {
  const codes = await Promise.all([
    call('POST', 'pool', { items_count: 5_001 }),
    call('POST', 'pool', { items_count: 'many' }),
    call('POST', 'fibres', tiny),
    call('POST', 'pool', { kind: 'no_such', input: {} }),
    call('POST', 'pool', { kind: 'pipeline', input: { firstMs: -1 } }),
    call('GET', 'runs/none'),
    call('DELETE', 'runs/none'),
  ]);
  expect(codes.map(({ status, body }) => [status, body.error?.code])).toEqual([
    [413, 'input_too_large'],
    [400, 'invalid_body'],
    [400, 'invalid_body'],
    [404, 'unknown_kind'],
    [400, 'invalid_input'],
    [404, 'not_found'],
    [404, 'not_found'],
  ]);
  expect(codes[0]?.body.error?.message).toContain('LAB_ITEMS_MAX');
  const metrics = await fetch(`http://127.0.0.1:${ports[0]}/metrics`, {
    headers: { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}` },
  });
  expect(await metrics.text()).toContain('muster_lab_refused_total{cause="input_too_large"} 1');
});

test('through the system itself items come to the same checksum, on either lane', async () => {
  const { status, body } = await call('POST', 'compare', {
    ...tiny,
    methods: ['sequential', 'background'],
  });
  expect([status, body.state]).toEqual([202, 'running']);
  const over = await untilOver(body.id, 1);
  expect(over.state).toBe('done');
  const [sequential, background] = over.measured;
  expect(background).toMatchObject({ done: 60, failed: 0, complete: true, seen: true });
  expect(background?.['checksum']).toBe(sequential?.['checksum']);
  expect(background?.['cpuMs']).toBeGreaterThan(0);

  const computing = { ...tiny, simulate_db_delay: 0, simulate_redis_delay: 0 };
  const again = await call('POST', 'background', computing);
  const [cpu] = (await untilOver(again.body.id, 0)).measured;
  expect(cpu).toMatchObject({ done: 60, failed: 0, checksum: sequential?.['checksum'] });

  const { body: advice } = await call(
    'GET',
    'recommendations?simulate_db_delay=0.002&simulate_redis_delay=0.001',
    undefined,
    1,
  );
  expect(advice).toMatchObject({
    measurements: 2,
    lane: { value: 'io', sure: { runs: 1 } },
    ioConcurrency: { missing: expect.stringContaining('measure') as string },
  });
});

test('one run at a time in the whole system; any gateway cancels it, and its processes are gone', async () => {
  const long = { items_count: 5_000, simulate_db_delay: 0.05, workers: 2 };
  const { body } = await call('POST', 'multiprocessing', long);
  const [pid = 0] = childrenOf(muster.gateway.process.pid);
  await until(() => childrenOf(pid).length === 2);
  const pids = [pid, ...childrenOf(pid)];
  const second = await call('POST', 'pool', tiny, 1);
  expect([second.status, second.body.error?.code]).toEqual([503, 'overloaded']);
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  await until(
    async () => ((await call('GET', `runs/${body.id}`, undefined, 1)).body.progress?.done ?? 0) > 0,
  );

  expect((await call('DELETE', `runs/${body.id}`, undefined, 1)).status).toBe(202);
  const over = await untilOver(body.id, 1);
  expect(over.state).toBe('cancelled');
  expect(over.measured[0]).toMatchObject({ complete: false });
  await until(
    () => childrenOf(pid).length === 0 && childrenOf(muster.gateway.process.pid).length === 0,
  );
  expect(pids.filter(isAlive)).toEqual([]);
  const late = await call('DELETE', `runs/${body.id}`, undefined, 0);
  expect([late.status, late.body.error?.code]).toEqual([409, 'already_ended']);
});

test('K2: players cannot ask for the lab’s kinds', async () => {
  const client = await muster.connect();
  const items = { dbMs: 0, redisMs: 0, repeats: 1, from: 0, count: 1 };
  await expect(client.request('lab_waiting', items)).rejects.toMatchObject({
    code: 'unknown_kind',
  });
  client.close();
});

test('a gateway that leaves takes its run along', async () => {
  const { body } = await call('POST', 'multiprocessing', { simulate_db_delay: 60, workers: 2 });
  const { process: gateway } = muster.gateway;
  const [pid = 0] = childrenOf(gateway.pid);
  await until(() => childrenOf(pid).length === 2);
  const pids = [pid, ...childrenOf(pid)];
  gateway.kill('SIGKILL');
  await until(() => pids.every((one) => childrenOf(one).length === 0));
  await until(() => pids.every((one) => !isAlive(one)));
  // Its entry is still that of a run that goes on: nobody has spoken for it since.
  expect((await call('GET', `runs/${body.id}`, undefined, 1)).body.state).toBe('running');
});

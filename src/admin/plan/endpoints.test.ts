import { Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts';
import { until } from '../../../test/support/until.ts';
import { kinds } from '../../../protocol/index.ts';
import { Fleet, type Beat } from '../../jobs/fleet.ts';
import { Queues } from '../../jobs/queues.ts';
import { Counters } from '../../lib/counters.ts';
import { createLog } from '../../lib/log.ts';
import { connectRedis, type Redis } from '../../lib/redis.ts';
import { queuePrefix } from '../../relay/keys.ts';
import { advice, capacity, efficiency, measuredJob } from '../../plan/index.ts';
import { adminApp } from '../admin.ts';

let server: TestRedis;
let redis: Redis;
let queues: Queues;
let fleet: Fleet;
let app: ReturnType<typeof adminApp>;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  await redis.ping();
  queues = new Queues(redis, () => undefined);
  fleet = new Fleet(redis);
  const watched = {
    name: 'gateway-of-test',
    port: 3_000,
    redis,
    queues,
    fleet,
    counters: new Counters(),
    gauges: () => ({}),
    messages: () => [],
  };
  const config = {
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: 0,
    ADMIN_PASSWORD: undefined,
    TRUST_FLY_CLIENT_IP: false,
    DRILLS: true,
  };
  app = adminApp(watched, config, createLog('fatal', {}));
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

async function call(path: string, body?: object): Promise<Response> {
  const given = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return await app.request(path, { ...given, headers: { host: 'localhost:3001' } });
}

async function refusal(response: Response): Promise<[number, string, string]> {
  const said = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
  const { error } = said.parse(await response.json());
  return [response.status, error.code, error.message];
}

const beat: Beat = {
  worker: 'w-one',
  lanes: ['cpu', 'io'],
  arenas: [],
  cores: [1, 2],
  busy: 2,
  ioSlots: 2_000,
  counts: [],
  at: Date.now(),
};

describe('POST /v1/plan', () => {
  const asked = { machine: { cores: 4, memoryMb: 8_192 }, job: { cpuMs: 60_000 } };

  test('advises', async () => {
    const response = await call('/v1/plan', asked);
    expect(response.status).toBe(200);
    const made = advice.parse(await response.json());
    expect(made.lane).toBe('cpu');
    expect(made.figures.find(({ name }) => name === 'jobsPerHour')?.value).toBeCloseTo(180, 6);
  });

  test('takes the job from how a kind ran lately', async () => {
    const named = { machine: asked.machine, kind: 'forecast' };
    const [status, code] = await refusal(await call('/v1/plan', named));
    expect([status, code]).toEqual([404, 'not_found']);

    const pause = async () => await new Promise((resolve) => setTimeout(resolve, 30));
    const options = { connection: redis, prefix: queuePrefix('cpu') };
    const worker = new Worker('cpu', pause, options);
    const request = { player: 'p', id: 'a', input: {}, deadline: Date.now() + 60_000 };
    await queues.add(kinds.forecast, 'p/a', [request], 0);
    await until(async () => (await queues.lane('cpu').getCompletedCount()) === 1);
    await worker.close();

    const made = await (await call('/v1/plan', named)).json();
    const { measured, lane, notes } = advice.extend({ measured: measuredJob }).parse(made);
    expect([lane, measured.kind, measured.count]).toEqual(['cpu', 'forecast', 1]);
    expect(measured.meanMs).toBeGreaterThanOrEqual(25);
    expect(notes.join()).toContain('not measured');
    const much = { kind: 'forecast', workers: 1, machine: asked.machine };
    expect((await call('/v1/plan/capacity', much)).status).toBe(200);
  });

  test.each([
    [{ ...asked, kind: 'forecast' }, 400, 'invalid_body', 'give either job or kind'],
    [{ machine: asked.machine }, 400, 'invalid_body', 'give either job or kind'],
    [{ machine: asked.machine, kind: 'toString' }, 404, 'unknown_kind', 'toString'],
    [{ job: asked.job }, 400, 'invalid_body', 'machine'],
    [{ ...asked, seats: 1 }, 400, 'invalid_body', 'seats'],
  ])('refuses %o', async (body, status, code, says) => {
    const said = await refusal(await call('/v1/plan', body));
    expect(said).toEqual([status, code, expect.stringContaining(says)]);
  });
});

describe('POST /v1/plan/capacity', () => {
  test('says how long it takes', async () => {
    const body = { users: 1_000, jobsPerUser: 10, workers: 3, slots: 6, job: { cpuMs: 60_000 } };
    const made = capacity.parse(await (await call('/v1/plan/capacity', body)).json());
    expect(made.figures.find(({ name }) => name === 'hours')?.value).toBeCloseTo(9.27, 2);
  });

  test('refuses what has neither slots nor a machine', async () => {
    const said = await refusal(await call('/v1/plan/capacity', { workers: 1, job: { cpuMs: 1 } }));
    expect(said).toEqual([400, 'invalid_body', expect.stringContaining('give slots')]);
  });
});

describe('GET /v1/efficiency', () => {
  test('looks, and says when it has not seen enough', async () => {
    await fleet.say({ ...beat, at: Date.now() });
    const response = await call('/v1/efficiency');
    const { lanes } = z.object({ lanes: z.array(efficiency) }).parse(await response.json());
    expect(lanes.map(({ lane, busy, slots, advice: says }) => [lane, busy, slots, says])).toEqual([
      ['cpu', 0, 2, 'not enough samples'],
      ['io', 0, 2_000, 'not enough samples'],
    ]);
    const [status, code] = await refusal(await call('/v1/efficiency?windowS=soon'));
    expect([status, code]).toEqual([400, 'invalid_body']);
  });

  test('is on the operations page', async () => {
    const page = await (await call('/')).text();
    expect(page).toMatch(/<h2>Lanes<\/h2>[^]*not enough samples/);
  });
});

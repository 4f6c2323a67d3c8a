import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { kinds, Refusal } from '../../protocol/index.ts';
import type { HistoryState } from '../history/historian.ts';
import type { History } from '../history/history.ts';
import { questions } from '../history/questions.ts';
import { Admission } from '../jobs/admission.ts';
import { Fleet, type Beat } from '../jobs/fleet.ts';
import { Queues } from '../jobs/queues.ts';
import { Counters } from '../lib/counters.ts';
import { createLog } from '../lib/log.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import type { ArenaBeat } from '../match/arenas.ts';
import { ARENAS_KEY, jobId, MATCHES_KEY } from '../relay/keys.ts';
import { adminApp, startAdmin, type Watched } from './admin.ts';

const log = createLog('fatal', {});
const config = {
  ADMIN_HOST: '127.0.0.1',
  ADMIN_PORT: 0,
  ADMIN_PASSWORD: undefined,
  TRUST_FLY_CLIENT_IP: false,
  DRILLS: true,
};
let server: TestRedis;
let redis: Redis;
let gateway: Watched;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  await redis.ping();
});

beforeEach(async () => {
  await redis.flushall();
  gateway = {
    name: 'gateway-of-test',
    port: 3_000,
    redis,
    queues: new Queues(redis, () => undefined),
    fleet: new Fleet(redis),
    counters: new Counters(),
    gauges: () => ({ sockets: 3, sessions: 2 }),
    messages: () => [
      ['ping', 41],
      ['say', 1_001],
    ],
  };
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

interface Init {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(path: string, init: Init = {}): Promise<Response> {
  const headers = { host: 'localhost:3001', ...init.headers };
  return await adminApp(gateway, config, log).request(path, { ...init, headers });
}

async function read(path: string): Promise<string> {
  const response = await ask(path);
  expect(response.status).toBe(200);
  return await response.text();
}

/** One arena that lives, one that said its last word a minute ago. */
async function host(): Promise<void> {
  const beat: ArenaBeat = {
    arena: 'arena-one',
    game: 'knockout',
    version: '1',
    worker: 'w-one',
    core: 1,
    pid: 4_242,
    term: 3,
    matches: 120,
    capacity: 500,
    latenessP99Ms: 1.25,
    at: Date.now(),
  };
  const dead = { ...beat, arena: 'arena-two', at: Date.now() - 60_000 };
  for (const one of [beat, dead]) await redis.hset(ARENAS_KEY, one.arena, JSON.stringify(one));
  await redis.zadd(MATCHES_KEY, 1, 'a', 2, 'b');
}

/** A system at work: two workers, one kind with requests, failures on both sides. */
async function work(): Promise<void> {
  const beat: Beat = {
    worker: 'w-one',
    lanes: ['cpu', 'io'],
    arenas: [],
    cores: [1, 2],
    busy: 2,
    ioSlots: 40,
    counts: [['requests_ended', 'done', 500]],
    at: Date.now(),
  };
  await gateway.fleet.say(beat);
  await gateway.fleet.say({ ...beat, worker: 'w-two', lanes: [], cores: [null], busy: 0 });
  const admission = new Admission(redis);
  for (let i = 0; i < 7; i++) await admission.admit(kinds.pipeline, `p/${i}`, Date.now() + 60_000);
  await admission.admit(kinds.pipeline, 'p/over', Date.now() - 1);
  for (let i = 0; i < 5; i++) await add(`r${i}`);
  gateway.counters.add('frames_refused', 'text_frame', 3);
}

async function add(id: string, player = 'p'): Promise<string> {
  const job = jobId(player, id);
  const options = { jobId: job, priority: kinds.pipeline.priority };
  await gateway.queues.lane('io').add('pipeline', { note: '<script>' }, options);
  return job;
}

/** A history that says so of itself, and answers what the test gives it. */
function keeps(state: HistoryState, answer?: unknown): History {
  return {
    state,
    ask: async (question) => {
      if (answer === undefined) throw new Refusal('unavailable', 'the history: no answer in time');
      return questions[question].answer.parse(answer) as never;
    },
  };
}

describe('the history', () => {
  const call = async (path: string): Promise<unknown> => {
    const response = await ask(path);
    const body: unknown = await response.json();
    return { status: response.status, body };
  };
  const refusal = (status: number, code: string): unknown => ({
    status,
    body: { error: expect.objectContaining({ code }) as unknown },
  });
  const failing = { is: 'failing', since: 0, code: 'SQLITE_FULL', why: 'disk <full>' } as const;

  test('that is off, away or cannot answer is refused, and the page says which', async () => {
    for (const path of ['requests', 'requests/ann/r', 'statistics', 'samples', 'matches'])
      expect(await call(`/v1/history/${path}`)).toEqual(refusal(503, 'unavailable'));
    expect(await read('/')).toContain('HISTORY_URL is not set');
    gateway = { ...gateway, history: keeps(failing) };
    expect(await call('/v1/history/requests')).toEqual(refusal(503, 'unavailable'));
    const page = await read('/');
    expect(page).toContain('00:00:00 UTC (SQLITE_FULL: disk &lt;full&gt;)');
    expect(page).toContain('The game goes on');
    expect(await read('/metrics')).toContain('muster_history_writing 0');
  });

  test('that is written shows how much it holds', async () => {
    const state = { is: 'writing', at: Date.now(), notes: 1_234 } as const;
    gateway = { ...gateway, history: keeps(state, { requests: 99_000, bytes: 3_145_728 }) };
    expect(await read('/')).toContain('It holds 99,000 requests in 3.0 MiB.');
    expect(await read('/metrics')).toContain('muster_history_notes_total 1234');
  });

  test('does not know what nobody recorded, and refuses questions that are none', async () => {
    gateway = { ...gateway, history: keeps({ is: 'starting' }, null) };
    expect(await call('/v1/history/requests/ann/nothing')).toEqual(refusal(404, 'unknown_request'));
    for (const query of ['limit=0', 'limit=1001', 'state=lost', 'sinceMs=soon', 'nonsense=1'])
      expect(await call(`/v1/history/requests?${query}`)).toEqual(refusal(400, 'invalid_body'));
    expect(await call('/v1/history/requests/ann/a%20b')).toEqual(refusal(400, 'invalid_body'));
  });
});

test('the queues are told as they are now; not while Redis is away', async () => {
  await work();
  const response = await ask('/v1/queues');
  expect(await response.json()).toMatchObject({
    lanes: [
      { lane: 'cpu', workers: 1, slots: 2, busy: 0, waiting: 0 },
      { lane: 'io', workers: 1, slots: 40, busy: 0, waiting: 5, jobs: { prioritized: 5 } },
      { lane: 'arena', workers: 0, slots: 0 },
    ],
    workers: [
      { worker: 'w-one', cores: [1, 2] },
      { worker: 'w-two', cores: [null] },
    ],
  });
  const away = connectRedis('redis://127.0.0.1:9', 'test', () => undefined);
  gateway = { ...gateway, redis: away };
  expect((await ask('/v1/queues')).status).toBe(503);
  away.disconnect();
});

describe('the metrics', () => {
  const metrics = async (): Promise<Map<string, number>> => {
    const text = await read('/metrics');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
    );
  };

  test('tell what gateway, workers and queues count', async () => {
    await work();
    const now = Object.fromEntries(await metrics());
    expect(now).toMatchObject({
      muster_sockets: 3,
      muster_sessions: 2,
      muster_redis_up: 1,
      'muster_messages_total{cause="say"}': 1_001,
      'muster_frames_refused_total{cause="text_frame"}': 3,
      'muster_worker_busy{worker="w-one"}': 2,
      'muster_worker_cores{worker="w-two"}': 1,
      'muster_worker_lane{worker="w-one",lane="cpu"}': 1,
      'muster_worker_requests_ended_total{worker="w-one",cause="done"}': 500,
      'muster_lane_jobs{lane="io",state="prioritized"}': 5,
      'muster_lane_jobs{lane="cpu",state="active"}': 0,
      'muster_kind_depth{kind="pipeline",lane="io"}': 7,
      'muster_kind_depth_limit{kind="pipeline",lane="io"}': kinds.pipeline.depth,
    });
    expect(now).not.toHaveProperty('muster_worker_lane{worker="w-two",lane="cpu"}');
  });

  test('tell of living arenas and of running matches', async () => {
    await host();
    const now = await metrics();
    const labels = 'arena="arena-one",worker="w-one",core="1",game="knockout"';
    expect(Object.fromEntries(now)).toMatchObject({
      muster_matches: 2,
      [`muster_arena_matches{${labels}}`]: 120,
      [`muster_arena_capacity{${labels}}`]: 500,
      [`muster_arena_term{${labels}}`]: 3,
      [`muster_arena_lateness_p99_seconds{${labels}}`]: 0.00125,
    });
    expect([...now.keys()].join()).not.toContain('arena-two');
  });

  test('begin with muster_, and every counter has a cause', async () => {
    await work();
    for (const name of (await metrics()).keys()) {
      expect(name).toMatch(/^muster_/);
      expect(!/_total\b/.test(name) || /cause="/.test(name)).toBe(true);
    }
  });

  test('are totals: a second scrape adds nothing, and a worker that left is gone', async () => {
    await work();
    const app = adminApp(gateway, config, log);
    const scrape = async () =>
      await (await app.request('/metrics', { headers: { host: 'localhost' } })).text();
    await scrape();
    await gateway.fleet.leave('w-one');
    gateway.counters.add('redis_errors');
    const text = await scrape();
    expect(text).toContain('muster_frames_refused_total{cause="text_frame"} 3\n');
    expect(text).toContain('muster_redis_errors_total{cause=""} 1\n');
    expect(text).not.toContain('w-one');
  });

  test('escape what workers and causes are called', async () => {
    gateway.counters.add('frames_refused', 'a"b\\c\nd');
    expect(await read('/metrics')).toContain('{cause="a\\"b\\\\c\\nd"} 1\n');
  });
});

describe('the operations page', () => {
  test('shows figures, workers, lanes, kinds and counts without any script', async () => {
    await work();
    const page = await read('/');
    for (const shown of [
      'gateway-of-test',
      'w-one',
      'w-two',
      '1,042',
      'warming up',
      '1 unpinned',
    ]) {
      expect(page).toContain(shown);
    }
    expect(page).toContain('frames refused: text_frame');
    expect(page).toContain('/queues/queue/io?status=prioritized');
  });

  test('shows the arenas that live', async () => {
    await host();
    const page = await read('/');
    expect(page).toContain('knockout 1');
    expect(page).toContain('1.3 ms');
    expect(page).not.toContain('arena-two');
  });

  test('says so when no worker is up', async () => {
    expect(await read('/')).toContain('No worker is up');
  });

  test('escapes what others wrote', async () => {
    await gateway.fleet.say({
      worker: '<img src=x onerror=alert(1)>',
      lanes: [],
      arenas: [],
      cores: [],
      busy: 0,
      ioSlots: 0,
      counts: [['<b>', '"><b>', 1]],
      at: Date.now(),
    });
    const page = await read('/');
    expect(page).not.toMatch(/<img|<b>/);
    expect(page).toContain('&lt;img');
  });

  test('allows no code but its own and no frame around it', async () => {
    const policy = (await ask('/')).headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    const board = (await ask('/queues')).headers.get('content-security-policy');
    expect(board).toContain("default-src 'self'");
    expect(board).toContain("frame-ancestors 'none'");
  });

  test('brings its style and script', async () => {
    const page = await read('/');
    for (const [, path = ''] of page.matchAll(/(?:src|href)="(\/operations[^"]*)"/g)) {
      expect((await read(path)).length).toBeGreaterThan(100);
    }
  });
});

describe('while Redis is away', () => {
  test('page and metrics answer all the same and say so', async () => {
    const lost = connectRedis('redis://127.0.0.1:1', 'test', () => undefined);
    gateway = { ...gateway, redis: lost, fleet: new Fleet(lost) };
    expect(await read('/')).toContain('Redis cannot be reached');
    const metrics = await read('/metrics');
    expect(metrics).toContain('muster_redis_up 0\n');
    expect(metrics).toContain('muster_sockets 3\n');
    lost.disconnect();
  });

  test('and when it hangs, they do not wait for it', async () => {
    vi.spyOn(gateway.fleet, 'list').mockReturnValue(new Promise(() => undefined));
    expect(await read('/')).toContain('Redis cannot be reached');
  });
});

describe('the queue dashboard', () => {
  const put = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await ask(`/queues/api/queues/io/${path}`, { method: 'PUT', headers })).status;

  test('lists both lanes with what waits in them', async () => {
    await work();
    const { queues } = JSON.parse(await read('/queues/api/queues')) as {
      queues: { name: string; counts: Record<string, number> }[];
    };
    expect(queues).toMatchObject([
      { name: 'cpu', counts: { prioritized: 0 } },
      { name: 'io', counts: { prioritized: 5 } },
    ]);
  });

  test.each(['plain-player', 'ä@b %/:c', '玩家'])(
    'finds and removes a job of %s',
    async (player) => {
      const job = await add('r1', player);
      const path = encodeURIComponent(job);
      expect(await read(`/queues/api/queues/io/${path}`)).toContain('r1');
      // As its own page asks for it: decoded once too often.
      expect(await read(`/queues/api/queues/io/${encodeURIComponent(`${player}/r1`)}`)).toContain(
        'r1',
      );
      expect(await put(`${path}/clean`)).toBe(204);
      expect(await gateway.queues.lane('io').getJob(job)).toBeUndefined();
    },
  );

  test('changes nothing for a page of another site', async () => {
    const path = `${encodeURIComponent(await add('r1'))}/clean`;
    expect(await put(path, { 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await put(path, { origin: 'http://evil.example' })).toBe(403);
    expect(await put(path, { host: 'evil.example' })).toBe(403);
    expect(await gateway.queues.lane('io').getPrioritizedCount()).toBe(1);
    expect(gateway.counters.get('admin_refused', 'cross_site')).toBe(2);
    expect(gateway.counters.get('admin_refused', 'host')).toBe(1);
  });

  test('takes no endless body', async () => {
    const body = 'x'.repeat(2 ** 20 + 1);
    const headers = { 'content-length': String(body.length) };
    const response = await ask('/queues/api/queues/io/add', { method: 'POST', body, headers });
    expect(response.status).toBe(413);
  });
});

describe('the port', () => {
  test('answers whoever may log in; anybody may ask whether it lives', async () => {
    const admin = await startAdmin(gateway, { ...config, ADMIN_PASSWORD: 'secret' }, log);
    const url = `http://127.0.0.1:${admin?.port}`;
    const authorization = `Basic ${Buffer.from('admin:secret').toString('base64')}`;
    for (const path of ['/', '/metrics', '/queues', '/queues/api/queues', '/operations.js']) {
      expect((await fetch(url + path)).status).toBe(401);
      const response = await fetch(url + path, { headers: { authorization } });
      expect(response.status).toBe(200);
      await response.text();
    }
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true });
    // Connections are kept alive: it must not wait for them.
    await admin?.stop();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('counts wrong passwords by the address behind the proxy, where there is one', async () => {
    const fly = { ...config, ADMIN_PASSWORD: 'secret', TRUST_FLY_CLIENT_IP: true };
    const admin = await startAdmin(gateway, fly, log);
    const from = async (ip: string, pair: string) => {
      const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
      const headers = { authorization, 'fly-client-ip': ip };
      return (await fetch(`http://127.0.0.1:${admin?.port}/metrics`, { headers })).status;
    };
    for (let i = 0; i < 10; i++) expect(await from('192.0.2.1', 'admin:no')).toBe(401);
    expect(await from('192.0.2.1', 'admin:secret')).toBe(429);
    expect(await from('192.0.2.2', 'admin:secret')).toBe(200);
    await admin?.stop();
  });

  test('is done without when it is taken, with a warning that says what to do', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
      });
    });
    const warn = vi.fn<(message: string) => void>();
    const taken = { ...config, ADMIN_PORT: port };
    expect(await startAdmin(gateway, taken, { ...log, warn })).toBeUndefined();
    expect(warn.mock.calls[0]?.[0]).toContain('ADMIN_PORT');
    await new Promise((resolve) => other.close(resolve));
  });
});

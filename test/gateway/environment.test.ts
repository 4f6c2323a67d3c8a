import { beforeAll, expect, test } from 'vitest';
import { Muster, token } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import { spawnNode } from '../support/process.ts';

let muster: Muster;
beforeAll(async () => {
  muster = await Muster.start({ workers: 0 });
});

const ENTRIES = ['dist/gateway.js', 'dist/worker.js'];

/** What a process says when it refuses to start. */
async function refusal(entry: string, env: Record<string, string>): Promise<string> {
  const started = spawnNode(entry, env);
  expect(await started.exited).toEqual({ code: 1, signal: null });
  return started.output();
}

test.each(ENTRIES)(
  'bad input: %s refuses to start with malformed variables and lists them all',
  async (entry) => {
    const wrong: Record<string, string> = {
      PORT: '65536',
      LOG_LEVEL: 'loud',
      GUESTS: 'yes',
      FRAME_MAX_BYTES: '1e4',
      SESSION_TTL_MS: '-1',
      CORES: '0;1',
      LOCK_MS: 'soon',
    };
    const secret = { REDIS_URL: 'http://:pass@127.0.0.1', JWT_SECRET: 'too short' };
    const said = await refusal(entry, { ...wrong, ...secret });
    const [first, ...lines] = said.trimEnd().split('\n');
    expect(first).toBe('bad environment:');
    for (const [name, value] of Object.entries(wrong)) {
      expect(lines.filter((line) => line.includes(`${name}=${value}: `))).toHaveLength(1);
    }
    // Of these the value is not shown.
    for (const [name, value] of Object.entries(secret)) {
      expect(lines.filter((line) => line.includes(`${name}=`))).toHaveLength(1);
      expect(said).not.toContain(value);
    }
    expect(lines).toHaveLength(Object.keys({ ...wrong, ...secret }).length);
  },
);

test.each(ENTRIES)('%s says that it needs a REDIS_URL', async (entry) => {
  const said = await refusal(entry, { REDIS_URL: '' });
  expect(said.trimEnd().split('\n')).toEqual([
    'bad environment:',
    expect.stringContaining('REDIS_URL'),
  ]);
});

test('in production a gateway does not start without a way to tell its players', async () => {
  const env = { REDIS_URL: muster.redis.url, NODE_ENV: 'production', ADMIN_PORT: '0' };
  expect(await refusal('dist/gateway.js', env)).toMatch(/GUESTS.*JWT_SECRET.*JWT_JWKS_URL/);
});

test('a dashboard that others can reach needs a password', async () => {
  const env = { REDIS_URL: muster.redis.url, ADMIN_HOST: '0.0.0.0' };
  expect(await refusal('dist/gateway.js', env)).toMatch(/ADMIN_HOST=0\.0\.0\.0.*ADMIN_PASSWORD/);
});

test('a port that is taken, or an address that is not ours, is said so, and who has it goes on', async () => {
  const PORT = String(await freePort());
  const first = await muster.startGateway({ PORT });
  const env = { REDIS_URL: muster.redis.url, HOST: '127.0.0.1', PORT, ADMIN_PORT: '0' };
  expect(await refusal('dist/gateway.js', env)).toContain(
    `gateway: cannot listen on 127.0.0.1:${PORT}`,
  );
  const elsewhere = { ...env, HOST: '203.0.113.1' };
  expect(await refusal('dist/gateway.js', elsewhere)).toContain('cannot listen on 203.0.113.1');
  const raw = await muster.raw({ token: await token('ann') }, first);
  expect((await raw.hello()).player).toBe('ann');
  raw.close();
});

test('a gateway starts again at once at a port whose sockets it has closed itself', async () => {
  const PORT = String(await freePort());
  for (let round = 0; round < 2; round++) {
    const gateway = await muster.startGateway({ PORT });
    const raw = await muster.raw({ player: 'ann' }, gateway);
    await raw.hello();
    gateway.process.kill('SIGTERM');
    expect((await raw.closed).reason).toBe('going_away');
    expect(await gateway.process.exited).toEqual({ code: 0, signal: null });
  }
});

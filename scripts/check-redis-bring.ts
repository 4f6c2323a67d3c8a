/**
 * `npm run check:redis-bring`: brings a Redis into a temporary folder, as a machine without one
 * would, starts it there and talks to it. Not part of `npm test`, because it downloads.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGuard } from './lib/guard.ts';
import { bringRedis } from './lib/redis/bring.ts';
import { askRedis } from './lib/redis/command.ts';
import { startRedisServer } from './lib/redis/server.ts';

const folder = await mkdtemp(join(tmpdir(), 'muster-bring-'));
const guard = startGuard({ graceSeconds: 1 });
/**
 * Where a Redis is installed, apt would leave out the libraries that came with it: apt is shown a
 * list of installed packages without them, by a configuration file of its own.
 */
async function forgetInstalledRedis(): Promise<void> {
  const installed = await readFile('/var/lib/dpkg/status', 'utf8').catch(() => undefined);
  if (installed === undefined) return;
  const ofRedis = /^Package: (redis|valkey|libjemalloc|liblua|liblzf|libhiredis|lua-)/;
  const others = installed.split('\n\n').filter((entry) => !ofRedis.test(entry));
  const status = join(folder, 'status');
  await writeFile(status, others.join('\n\n'));
  process.env['APT_CONFIG'] = join(folder, 'apt.conf');
  await writeFile(process.env['APT_CONFIG'], `Dir::State::status "${status}";\n`);
}

try {
  await forgetInstalledRedis();
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const program = await bringRedis(join(folder, 'redis'), say);
  say(`brought version ${program.version} with ${program.libraries.length} library folders`);
  const server = await startRedisServer({ program, dataDir: join(folder, 'data'), guard });
  const [, policy] = await askRedis(server.url, ['CONFIG', 'GET', 'maxmemory-policy']);
  await server.stop();
  if (policy !== 'noeviction') throw new Error(`it runs with maxmemory-policy ${policy}`);
  say('it started, answered and stopped');
} finally {
  guard.release();
  await rm(folder, { recursive: true, force: true });
}

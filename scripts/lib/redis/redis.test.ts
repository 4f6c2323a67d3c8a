import { chmod, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { endWithTests, removeWithTests } from '../../../test/support/cleanup.ts';
import { startTestRedis } from '../../../test/support/redis.ts';
import { until } from '../../../test/support/until.ts';
import { projectRoot } from '../../build.mjs';
import { freePort } from '../ports.ts';
import { howToInstall } from './bring.ts';
import { askRedis, pingRedis } from './command.ts';
import { type EnsuredRedis, ensureRedis } from './ensure.ts';
import { broughtProgram, findRedis, onPath, tryProgram } from './find.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-ensure-'));
  removeWithTests(folder);
});

const lines: string[] = [];
async function ensure(url?: string): Promise<EnsuredRedis> {
  const redis = await ensureRedis({
    dataDir: join(folder, 'data'),
    programDir: join(projectRoot(), '.muster', 'redis'),
    log: (line) => void lines.push(line),
    url,
  });
  if (redis.pid !== undefined) endWithTests(redis.pid);
  onTestFinished(() => redis.stop());
  return redis;
}

async function config(url: string, name: string): Promise<string | undefined> {
  return (await askRedis(url, ['CONFIG', 'GET', name]))[1];
}

describe('ensureRedis', () => {
  test('REDIS_URL wins, and what we did not start is never stopped', async () => {
    const theirs = await startTestRedis();
    const redis = await ensure(theirs.url);
    expect(redis).toMatchObject({ url: theirs.url, owned: false, pid: undefined });
    await redis.stop();
    await pingRedis(theirs.url);
  });

  test('REDIS_URL that nobody answers at is an error without the password in it', async () => {
    const url = `redis://user:hidden@127.0.0.1:${await freePort()}`;
    await expect(ensure(url)).rejects.toThrow(/REDIS_URL is set to redis:\/\/127.*ECONNREFUSED/);
    await expect(ensure(url)).rejects.not.toThrow(/hidden/);
  });

  test('its own server keeps jobs, not a cache, and listens on the loopback alone', async () => {
    const { url, owned } = await ensure();
    expect(owned).toBe(true);
    expect(await config(url, 'appendonly')).toBe('yes');
    expect(await config(url, 'appendfsync')).toBe('everysec');
    expect(await config(url, 'maxmemory-policy')).toBe('noeviction');
    expect(await config(url, 'bind')).toBe('127.0.0.1');
    expect(await config(url, 'dir')).toBe(join(folder, 'data'));
  });

  test('data lives on from one run to the next', async () => {
    const first = await ensure();
    await askRedis(first.url, ['SET', 'kept', 'yes']);
    await first.stop();
    await expect(pingRedis(first.url)).rejects.toThrow('ECONNREFUSED');
    const second = await ensure();
    expect(await askRedis(second.url, ['GET', 'kept'])).toEqual(['yes']);
  });

  test('a server of ours that was killed comes back with its data, where its clients look', async () => {
    const redis = await ensure();
    await askRedis(redis.url, ['SET', 'kept', 'yes']);
    const { pid } = redis;
    process.kill(pid ?? 0, 'SIGKILL');
    await until(() => redis.pid !== pid);
    endWithTests(redis.pid ?? 0);
    expect(await askRedis(redis.url, ['GET', 'kept'])).toEqual(['yes']);
    expect(lines.join('\n')).toContain(`Redis (pid ${pid}) has ended`);
  });

  test('two servers never work on one data folder', async () => {
    const { url } = await ensure();
    await expect(ensure()).rejects.toThrow(`a Redis at ${url} already works on`);
  });

  test('a record of a server that is gone, or was never ours, is no obstacle', async () => {
    const stranger = await startTestRedis();
    await (await ensure()).stop();
    await writeFile(join(folder, 'data', 'server.json'), JSON.stringify({ url: stranger.url }));
    await (await ensure()).stop();
    await writeFile(join(folder, 'data', 'server.json'), '{"url');
    expect((await ensure()).owned).toBe(true);
  });
});

async function script(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
}

describe('finding a program', () => {
  test('redis-server comes before valkey-server, and the PATH before a brought copy', async () => {
    await script('valkey-server', 'echo "Valkey server v=8.1.1 sha=0"');
    const valkey = await findRedis(join(folder, 'none'), folder);
    expect(valkey).toMatchObject({ path: join(folder, 'valkey-server'), version: '8.1.1' });
    await script('redis-server', 'echo "Redis server v=7.0.15 sha=0"');
    expect(await findRedis(join(folder, 'none'), folder)).toMatchObject({ version: '7.0.15' });
    expect(await findRedis(join(folder, 'none'), '')).toBeUndefined();
  });

  test('one that is too old, fails or is none is passed over', async () => {
    expect(
      await tryProgram(await script('a', 'echo "Redis server v=6.0.16 sha=0"')),
    ).toBeUndefined();
    expect(await tryProgram(await script('b', 'echo "Redis server v=6.2.0 sha=0"'))).toBeDefined();
    expect(await tryProgram(await script('c', 'exit 127'))).toBeUndefined();
    expect(await tryProgram(await script('d', 'echo hello'))).toBeUndefined();
    expect(await tryProgram(join(folder, 'missing'))).toBeUndefined();
    expect(await onPath('a', `${folder}:/nowhere`)).toEqual([join(folder, 'a')]);
  });

  test('a brought copy is found by its record, with its libraries', async () => {
    await script('server', 'echo "Redis server v=7.2.0 at $LD_LIBRARY_PATH"');
    const record = { path: 'server', libraries: ['lib'] };
    expect(await broughtProgram(folder)).toBeUndefined();
    await writeFile(join(folder, 'program.json'), JSON.stringify(record));
    const found = await broughtProgram(folder);
    expect(found).toMatchObject({ libraries: [join(folder, 'lib')], version: '7.2.0' });
    await writeFile(join(folder, 'program.json'), '{"path": 7}');
    expect(await broughtProgram(folder)).toBeUndefined();
  });

  test('where we cannot bring one, the message has the commands of that system', () => {
    expect(howToInstall('darwin')).toContain('brew install redis');
    expect(howToInstall('win32')).toContain('wsl --install');
    expect(howToInstall('linux')).toMatch(/apt-get install redis-server[^]*dnf[^]*apk add redis/);
    expect(howToInstall()).toContain('REDIS_URL=redis://HOST:PORT npm start');
  });
});

describe('askRedis', () => {
  test('reads every form of reply', async () => {
    const { url } = await startTestRedis();
    expect(await askRedis(url, ['SET', 'a', 'two\r\nlines'])).toEqual(['OK']);
    expect(await askRedis(url, ['GET', 'a'])).toEqual(['two\r\nlines']);
    expect(await askRedis(url, ['GET', 'none'])).toEqual(['']);
    expect(await askRedis(url, ['RPUSH', 'l', 'x', 'y', ''])).toEqual([':3']);
    expect(await askRedis(url, ['LRANGE', 'l', '0', '-1'])).toEqual(['x', 'y', '']);
    expect((await askRedis(url, ['INFO', 'server']))[0]).toMatch(/redis_version:\d/);
    await expect(askRedis(url, ['NOSUCH'])).rejects.toThrow("ERR unknown command 'NOSUCH'");
  });

  test('logs in with what the address holds', async () => {
    const { url } = await startTestRedis();
    await askRedis(url, ['CONFIG', 'SET', 'requirepass', 'p@ss']);
    await expect(pingRedis(url)).rejects.toThrow('NOAUTH');
    await pingRedis(url.replace('//', '//:p%40ss@'));
    await expect(pingRedis(url.replace('//', '//:wrong@'))).rejects.toThrow('WRONGPASS');
    await expect(pingRedis('http://127.0.0.1')).rejects.toThrow('begins with redis://');
  });
});

test('an ended server leaves nothing but its data', async () => {
  await (await ensure()).stop();
  expect(await readdir(join(folder, 'data'))).toEqual(['appendonlydir']);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { projectRoot } from '../../scripts/build.mjs';
import { configurationTable, defaultsOf, withTable } from '../../scripts/lib/configuration.ts';
import type * as Module from './config.ts';

const REDIS_URL = 'redis://127.0.0.1:6379';

/** The table as a process with this NODE_ENV has it: some defaults depend on it. */
async function configIn(mode: string): Promise<typeof Module> {
  vi.resetModules();
  vi.stubEnv('NODE_ENV', mode);
  return await import('./config.ts');
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

test('docs/configuration.md has the table of variables: see scripts/write-configuration.ts', async () => {
  const page = await readFile(join(projectRoot(), 'docs', 'configuration.md'), 'utf8');
  const { variables } = await configIn('development');
  const production = (await configIn('production')).variables;
  const table = configurationTable(variables, defaultsOf(variables), defaultsOf(production));
  expect(page).toContain(table);
  expect(page).toBe(withTable(page, table));
});

describe('what a process refuses to start with', () => {
  test('a wrong value of every variable at once: each has its line', async () => {
    const { readConfig, variables } = await configIn('test');
    const numbers = Object.entries(variables).filter(
      ([, { fallback }]) => fallback !== undefined && /^\d+$/.test(fallback),
    );
    const flags = Object.entries(variables).filter(([, { fallback }]) =>
      ['on', 'off'].includes(fallback ?? ''),
    );
    const wrong = {
      ...Object.fromEntries(numbers.map(([name]) => [name, '1e3'])),
      ...Object.fromEntries(flags.map(([name]) => [name, 'true'])),
      REDIS_URL: 'http://127.0.0.1',
      LOG_LEVEL: 'loud',
      JWT_SECRET: 'short',
      JWT_JWKS_URL: 'nowhere',
      CORES: '1,two',
    };
    const problems = problemsOf(() => readConfig(wrong));
    const named = problems.map((problem) => problem.split('=')[0]);
    expect(new Set(named)).toEqual(new Set(Object.keys(wrong)));
    expect(named).toHaveLength(new Set(named).size);
  });

  test('an absent REDIS_URL', async () => {
    const { readConfig } = await configIn('test');
    expect(problemsOf(() => readConfig({}))).toEqual([expect.stringContaining('REDIS_URL')]);
  });

  test('a dashboard without password that others can reach', async () => {
    const { readConfig } = await configIn('test');
    const open = { REDIS_URL, ADMIN_HOST: '0.0.0.0' };
    expect(problemsOf(() => readConfig(open))).toEqual([expect.stringContaining('ADMIN_HOST')]);
    expect(readConfig({ ...open, ADMIN_PASSWORD: 'correct horse' }).ADMIN_HOST).toBe('0.0.0.0');
    expect(readConfig({ ...open, ADMIN_PORT: '0' }).ADMIN_PORT).toBe(0);
    for (const ADMIN_HOST of ['127.0.0.1', 'localhost', '::1']) {
      expect(readConfig({ REDIS_URL, ADMIN_HOST }).ADMIN_HOST).toBe(ADMIN_HOST);
    }
  });

  test('a gateway that nobody could connect to', async () => {
    const { readConfig } = await configIn('production');
    expect(problemsOf(() => readConfig({ REDIS_URL }))).toEqual([
      expect.stringContaining('GUESTS'),
    ]);
    expect(readConfig({ REDIS_URL, JWT_SECRET: 'sixteen letters!' }).GUESTS).toBe(false);
    expect(readConfig({ REDIS_URL, GUESTS: 'on' }).GUESTS).toBe(true);
  });
});

test('development admits guests from any page and lets drills run, production does neither', async () => {
  const development = (await configIn('development')).readConfig({ REDIS_URL });
  expect(development).toMatchObject({ GUESTS: true, DRILLS: true, ORIGINS: ['*'] });
  const production = (await configIn('production')).readConfig({
    REDIS_URL,
    JWT_SECRET: 'sixteen letters!',
  });
  expect(production).toMatchObject({ GUESTS: false, DRILLS: false, ORIGINS: [] });
});

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    // Not instanceof: each mode has its own copy of the module that declares the class.
    if (error instanceof Error && 'problems' in error) return error.problems as string[];
    throw error;
  }
  throw new Error('nothing was refused');
}

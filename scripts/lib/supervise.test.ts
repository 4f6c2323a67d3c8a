import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { guard } from '../../test/support/cleanup.ts';
import { until } from '../../test/support/until.ts';
import { projectRoot } from '../build.mjs';
import { runs } from './running.ts';
import { supervise, type Supervised } from './supervise.ts';

interface Run {
  child: Supervised;
  lines: string[];
  deaths: string[];
  /** Waits for the line at its `nth` occurrence and returns the number in it. */
  number: (pattern: RegExp, nth?: number) => Promise<number>;
}

function run(mode: string, { graceMs = 60_000, again = true } = {}): Run {
  const lines: string[] = [];
  const deaths: string[] = [];
  const child = supervise({
    name: 'child',
    file: join(projectRoot(), 'dist/fixtures/child.js'),
    env: { ...process.env, MODE: mode },
    guard,
    log: (line) => void lines.push(line),
    graceMs,
    onDeath: (how) => {
      deaths.push(how);
      return again;
    },
  });
  onTestFinished(async () => {
    child.kill();
    await child.stop();
  });
  const matches = (pattern: RegExp): string[] =>
    lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  return {
    child,
    lines,
    deaths,
    async number(pattern, nth = 1) {
      await until(() => matches(pattern).length >= nth);
      return Number(matches(pattern)[nth - 1]);
    },
  };
}

const PID = /^pid (\d+)$/;

test('a process that was killed is started again, and says so', async () => {
  const { child, lines, deaths, number } = run('stay');
  const pid = await number(PID);
  expect(child.pid).toBe(pid);
  process.kill(pid, 'SIGKILL');
  const next = await number(PID, 2);
  expect(next).not.toBe(pid);
  expect(child.pid).toBe(next);
  expect(deaths).toEqual(['SIGKILL']);
  expect(lines).toContain('the child has ended (SIGKILL): starting it again in 250 ms');
});

test('the pause doubles with each death', async () => {
  const { lines } = run('end');
  await until(() => lines.some((line) => line.includes('again in 1000 ms')));
  expect(lines.filter((line) => line.includes('again in'))).toEqual([
    'the child has ended (code 3): starting it again in 250 ms',
    'the child has ended (code 3): starting it again in 500 ms',
    'the child has ended (code 3): starting it again in 1000 ms',
  ]);
});

test('whoever says no to a new start gets none', async () => {
  const { child, lines, deaths } = run('end', { again: false });
  await until(() => deaths.length > 0);
  await child.stop();
  expect(deaths).toEqual(['code 3']);
  expect(lines.filter((line) => PID.test(line))).toHaveLength(1);
});

test('restart ends it in order and is no death', async () => {
  const { child, lines, deaths, number } = run('stay');
  await number(PID);
  await child.restart();
  await number(PID, 2);
  expect(lines).toContain('asked to leave');
  expect(deaths).toEqual([]);
});

test('stop asks first, and kills what does not listen', async () => {
  const willing = run('stay');
  await willing.number(PID);
  await willing.child.stop();
  expect(willing.lines).toContain('asked to leave');
  const deaf = run('deaf', { graceMs: 200 });
  const pid = await deaf.number(PID);
  await deaf.child.stop();
  expect(deaf.lines).toContain('asked to leave');
  expect(await runs(pid)).toBe(false);
  expect([...willing.deaths, ...deaf.deaths]).toEqual([]);
});

test('what a killed process had started ends with it', async () => {
  const { number } = run('nest', { again: false });
  const inner = await number(/^inner (\d+)$/);
  process.kill(await number(PID), 'SIGKILL');
  await until(async () => !(await runs(inner)));
  expect(await runs(inner)).toBe(false);
});

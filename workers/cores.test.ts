import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { allowedCores, canPin, forkCommand, parseCpuList, planCores } from './cores.ts';

describe('the kernel tells the allowed cores', () => {
  test.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0-3,8,10-11', [0, 1, 2, 3, 8, 10, 11]],
    ['5', [5]],
  ])('as %s', (list, cores) => {
    expect(parseCpuList(list)).toEqual(cores);
  });

  test('any set of ids comes back from the form the kernel writes it in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { minLength: 1 }), (ids) => {
        const cores = ids.toSorted((a, b) => a - b);
        expect(parseCpuList(asKernel(cores))).toEqual(cores);
      }),
    );
  });

  test('in the status of the process', () => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-cores-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const status = join(folder, 'status');
    writeFileSync(status, 'Name:\tnode\nCpus_allowed:\tf5\nCpus_allowed_list:\t4-7\nMems:\t1\n');
    expect(allowedCores(status)).toEqual([4, 5, 6, 7]);
    writeFileSync(status, 'Name:\tnode\n');
    expect(allowedCores(status)).toBeUndefined();
    expect(allowedCores(join(folder, 'absent'))).toBeUndefined();
  });
});

describe('a plan', () => {
  test('leaves the first allowed core to the others', () => {
    expect(planCores('auto', [2, 3, 7])).toEqual([{ core: 3 }, { core: 7 }]);
  });

  test('shares the only core', () => {
    expect(planCores('auto', [6])).toEqual([{ core: 6 }]);
  });

  test('takes the cores it is told, the first included', () => {
    expect(planCores('2,0', [0, 1, 2])).toEqual([{ core: 2 }, { core: 0 }]);
  });

  test('refuses a core that this process may not use', () => {
    expect(() => planCores('1,4', [0, 1])).toThrow('CORES: 4 is not among 0,1');
  });

  test('has unpinned places where the system does not tell', () => {
    const none = { core: undefined };
    expect(planCores('auto', undefined, 4)).toEqual([none, none, none]);
    expect(planCores('auto', undefined, 1)).toEqual([none]);
    expect(planCores('0,1', undefined, 8)).toEqual([none, none]);
  });

  test('never gives a place twice, and always at least one', () => {
    const allowed = fc.uniqueArray(fc.nat(200), { minLength: 1 });
    fc.assert(
      fc.property(allowed, (cores) => {
        const plan = planCores('auto', cores);
        expect(plan.length).toBe(Math.max(cores.length - 1, 1));
        expect(new Set(plan.map(({ core }) => core)).size).toBe(plan.length);
      }),
    );
  });
});

test('a forked child may run on its core alone, from the start and with every thread', () => {
  const core = allowedCores()?.at(-1);
  const { execPath, execArgv } = forkCommand(core, ['--no-warnings']);
  expect(execArgv).toContain('--no-warnings');
  const script =
    'const fs = require("node:fs"); const path = "/proc/self/task/";' +
    'console.log(JSON.stringify(fs.existsSync(path) ? fs.readdirSync(path).map((id) =>' +
    '/Cpus_allowed_list:\\s*(.*)/.exec(fs.readFileSync(path + id + "/status", "utf8"))[1]) : []))';
  const text = execFileSync(execPath, [...execArgv, '-e', script], { encoding: 'utf8' });
  const threads: unknown = JSON.parse(text);
  const pinned = core !== undefined && canPin();
  expect(execPath).toBe(pinned ? 'taskset' : process.execPath);
  // Where nothing is pinned every thread may run on whatever this process may.
  const expected = pinned ? [String(core)] : [asKernel(allowedCores() ?? [])];
  expect(new Set(threads as string[])).toEqual(new Set(core === undefined ? [] : expected));
});

test('a child without a core is forked plainly', () => {
  expect(forkCommand(undefined, ['--x'])).toEqual({
    execPath: process.execPath,
    execArgv: ['--x'],
  });
});

function asKernel(cores: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const core of cores) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === core - 1) last[1] = core;
    else parts.push([core, core]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

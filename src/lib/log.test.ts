import { afterEach, expect, test, vi } from 'vitest';
import { createLog } from './log.ts';

function listen(): () => unknown[] {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written.push(String(chunk));
    return true;
  });
  return () => {
    vi.restoreAllMocks();
    return written.map((line) => {
      expect(line.endsWith('\n')).toBe(true);
      expect(line.trimEnd()).not.toContain('\n');
      return JSON.parse(line) as unknown;
    });
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('one JSON object a line, with the fields of the process and of the call', () => {
  const heard = listen();
  createLog('info', { role: 'gateway' }).info('listens', { port: 3000, why: 'a\nb' });
  expect(heard()).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
      level: 'info',
      role: 'gateway',
      message: 'listens',
      port: 3000,
      why: 'a\nb',
    },
  ]);
});

test('what is below the level is not written', () => {
  const heard = listen();
  const log = createLog('warn', {});
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)
    log[level](level);
  expect(heard()).toMatchObject([{ level: 'warn' }, { level: 'error' }, { level: 'fatal' }]);
});

test('an error keeps its name, message and stack; a bigint is no fault', () => {
  const heard = listen();
  createLog('info', {}).error('failed', { error: new TypeError('no'), count: 2n ** 64n });
  expect(heard()).toMatchObject([
    {
      error: {
        name: 'TypeError',
        message: 'no',
        stack: expect.stringContaining('log.test') as unknown,
      },
      count: '18446744073709551616',
    },
  ]);
});

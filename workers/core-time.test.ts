import { expect, test } from 'vitest';
import { coreTime } from './core-time.ts';

// Only Linux tells.
test.runIf(process.platform === 'linux')(
  'who computes has run, and nobody is known who is not there',
  () => {
    const before = coreTime(process.pid);
    for (const end = process.cpuUsage().user + 30_000; process.cpuUsage().user < end;);
    const after = coreTime(process.pid);
    expect((after?.ran ?? 0) - (before?.ran ?? 0)).toBeGreaterThan(1);
    expect(after?.waited).toBeGreaterThanOrEqual(before?.waited ?? Infinity);
    expect(coreTime(2 ** 30)).toBeUndefined();
  },
);

import type { WorkloadProcessor } from '../workload.ts';

export const drillParts: WorkloadProcessor<'drill_parts'> = {
  part: ({ bad, spinMs, seed }, part, { attempt }) => {
    const act = bad.find((one) => one.part === part && attempt <= one.times)?.act;
    if (act === 'throw') throw new Error(`drill: part ${part}`);
    // At once: a process that leaves by itself takes its time where the core is busy, up to the limit of the part.
    if (act === 'die') process.kill(process.pid, 'SIGKILL');
    if (act === 'hang') for (;;);
    for (const until = performance.now() + spinMs; performance.now() < until;);
    return { value: act === 'bad_value' ? Number.NaN : part + seed, pid: process.pid };
  },
  start: () => ({ sum: 0, digest: 0, failed: [], byProcess: {} }),
  fold: ({ sum, digest, failed, byProcess }, part, outcome) => {
    if ('failure' in outcome) {
      return { sum, digest, byProcess, failed: [...failed, { part, code: outcome.failure.code }] };
    }
    const { value, pid } = outcome.value;
    return {
      sum: sum + value,
      digest: (Math.imul(digest, 31) + value) >>> 0,
      failed,
      byProcess: { ...byProcess, [pid]: (byProcess[pid] ?? 0) + 1 },
    };
  },
  report: ({ sum }, tally) => ({ ...tally, sum }),
  finish: (sum) => sum,
};

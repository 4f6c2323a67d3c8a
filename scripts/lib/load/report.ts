import type { Level } from './at-once.ts';
import type { FloodReport } from './flood.ts';
import type { RunOutcome } from './orders.ts';
import { count, mib } from './text.ts';

/** What S4 says of itself: 4 workers of 1,000 threads, a queue of 100,000 each. */
export const S4 = {
  atOnce: 4_000,
  perRequestMs: 3_500,
  requestsPerS: 1_143,
  million: 1_000_000,
  millionS: 14.5 * 60,
} as const;

/** @returns the lines of one level, the first names it */
export function levelLines({ requests, ms, outcome, workerBytes, holds, sound }: Level): string[] {
  const { ran, whole, seconds, peakRunning } = outcome;
  const beside = requests === S4.atOnce && ms === S4.perRequestMs ? ' (S4: 4,000 threads)' : '';
  return [
    `${count(requests)} at once, ${ms} ms each${beside}`,
    ...pairs({
      'ran at the same time': `${count(peakRunning)} in one io-lane process`,
      'one run took': `${spread(ran)} (${holds ? 'as it should' : 'LONGER than it should'})`,
      'as players saw it': spread(whole),
      'all of them': `${seconds.toFixed(2)} s, ${count(Math.round(requests / seconds))} requests/s`,
      ...(workerBytes !== undefined && { worker: mib(workerBytes) }),
      ...verdict(outcome, sound),
    }),
  ];
}

/** How many one io-lane process held, by how long each of them took. */
export function heldLine(levels: readonly Level[]): string {
  const most = new Map<number, number>();
  for (const { ms, holds, sound, requests } of levels)
    if (holds && sound) most.set(ms, Math.max(most.get(ms) ?? 0, requests));
  const held = [...most].map(([ms, requests]) => `${count(requests)} of ${ms / 1_000} s`);
  return `one io-lane process held at once: ${held.length === 0 ? 'none of these' : held.join(', ')}`;
}

export function floodLines(report: FloodReport): string[] {
  const { total, ms, kind, outcome, accepted, ended, peakDepth, peakBytes, cpuUs, leftovers } =
    report;
  const { seconds, figures } = outcome;
  const perS = ended / seconds;
  const refused = Object.entries(figures.refused).map(([code, times]) => `${code} ${count(times)}`);
  const http = Object.entries(figures.http).map(([status, times]) => `${status}: ${count(times)}`);
  const bound = (total / S4.million) * S4.millionS;
  return [
    `${count(total)} requests of ${ms} ms (${kind})`,
    ...pairs({
      time: `${minutes(seconds)} (S4 says ${minutes(bound)} for as many: ${(bound / seconds).toFixed(1)} times as long)`,
      'requests/s': `${count(Math.round(perS))} (S4: ${count(S4.requestsPerS)}: ${(perS / S4.requestsPerS).toFixed(1)} times)`,
      'accepted, ended': `${count(accepted)}, ${count(ended)}`,
      'most at once': `${count(outcome.peakUnended)} unended, ${count(outcome.peakRunning)} running`,
      ...(peakDepth !== undefined && { 'most in the queue': `${count(peakDepth)} of one kind` }),
      refused: refused.length === 0 ? 'none' : `${refused.join(', ')}; ${retry(report)}`,
      'over HTTP': http.join(', '),
      ...(figures.retryAfterS !== undefined && {
        'HTTP 503': `Retry-After: ${figures.retryAfterS}`,
      }),
      'one run took': spread(outcome.ran),
      'waited in the queue': spread(outcome.waited),
      'as players saw it': spread(outcome.whole),
      'progress reports': count(figures.reports),
      'memory, highest': each(peakBytes, mib),
      'CPU us a request': each(cpuUs, (us) => us.toFixed(0)),
      ...(leftovers !== undefined && { 'left in Redis': each({ ...leftovers }, count) }),
      ...verdict(outcome, report.sound),
    }),
  ];
}

export function asJson(levels: readonly Level[], flood: FloodReport | undefined): object {
  return {
    command: 'load',
    atOnce: levels.map(({ requests, ms, holds, sound, workerBytes, outcome }) => ({
      requests,
      ms,
      holds,
      sound,
      workerBytes,
      ...plain(outcome),
    })),
    ...(flood !== undefined && {
      flood: {
        kind: flood.kind,
        total: flood.total,
        ms: flood.ms,
        requestsPerS: flood.ended / flood.outcome.seconds,
        accepted: flood.accepted,
        ended: flood.ended,
        peakDepth: flood.peakDepth,
        peakBytes: flood.peakBytes,
        cpuUs: flood.cpuUs,
        leftovers: flood.leftovers,
        sound: flood.sound,
        ...plain(flood.outcome),
      },
    }),
  };
}

function plain({ figures, ...rest }: RunOutcome): object {
  const { lost, doubled, strange, refused, retryMs, obeyed, http, retryAfterS } = figures;
  return { ...rest, lost, doubled, strange, refused, retryMs, obeyed, http, retryAfterS };
}

function verdict({ figures, other, faults, stalled }: RunOutcome, sound: boolean) {
  const { lost, doubled, strange } = figures;
  const ends = Object.entries(other).map(([state, times]) => `${state} ${count(times)}`);
  const odd = [
    ...(stalled ? ['nothing ended for too long'] : []),
    ...ends,
    ...(strange > 0 ? [`${strange} frames about what was never asked for`] : []),
    ...faults,
  ];
  return {
    lost: String(lost),
    'ended twice': String(doubled),
    ...(odd.length > 0 && { 'not as it should be': odd.join('; ') }),
    verdict: sound ? 'every request that was accepted ended once' : 'NOT SOUND',
  };
}

function retry({ outcome: { figures } }: FloodReport): string {
  const { retryMs, obeyed } = figures;
  if (retryMs === undefined) return 'no time named';
  return `asked again after the ${retryMs.min} to ${retryMs.max} ms that were named, ${count(obeyed)} times`;
}

function spread(of: RunOutcome['ran']): string {
  if (of === undefined) return '-';
  return Object.entries(of)
    .map(([name, ms]) => `${name} ${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`)
    .join(', ');
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
}

function each<V>(values: Readonly<Record<string, V>>, text: (value: V) => string): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${text(value)}`)
    .join(', ');
}

function pairs(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `  ${name.padEnd(22)}${value}`);
}

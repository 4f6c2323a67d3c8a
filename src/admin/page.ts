import { html } from 'hono/html';
import type { HistoryReading } from './history-reading.ts';
import type { Beat } from '../jobs/fleet.ts';
import type { Efficiency } from '../plan/index.ts';
import type { ArenaBeat } from '../match/arenas.ts';
import {
  jobStates,
  type Behind,
  type KindReading,
  type LaneReading,
  type Watched,
} from './reading.ts';

type Html = ReturnType<typeof html>;

/** The operations page: plain HTML that is complete without its script. @param behind undefined: Redis is away */
export function operationsPage(
  gateway: Watched,
  behind: Behind | undefined,
  verdicts: readonly Efficiency[],
  history: HistoryReading,
): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Muster operations</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/operations.css" />
        <script src="/operations.js" type="module"></script>
      </head>
      <body>
        <header>
          <h1>Muster operations</h1>
          <nav>
            <a href="/queues">Queues</a><a href="/metrics">Metrics</a><a href="/docs">API</a>
          </nav>
          <label><input type="checkbox" id="repeat" checked />every 5 s while visible</label>
          <form action="/"><button id="refresh">Refresh</button></form>
          <p id="failed" class="warn" role="status"></p>
        </header>
        <main>
          <p class="soft">
            Gateway <code>${gateway.name}</code> on port ${gateway.port}, read at
            ${new Date().toISOString().slice(11, 19)} UTC
          </p>
          ${figures(gateway, behind)}
          ${
            behind === undefined
              ? html`<p class="warn">Redis cannot be reached: workers and queues are not known.</p>`
              : html`${workers(behind.workers)} ${arenas(behind.arenas)} ${efficiencies(verdicts)}
                ${lanes(behind.lanes)} ${kinds(behind.kinds)}`
          }
          ${historyPart(history)} ${counts(gateway, behind)}
        </main>
      </body>
    </html>`;
}

function figures(gateway: Watched, behind: Behind | undefined): Html {
  const handled = Array.from(gateway.messages()).reduce((sum, [, count]) => sum + count, 0);
  const sum = (...states: (keyof LaneReading['jobs'])[]) =>
    (behind?.lanes ?? []).reduce(
      (all, { jobs }) => all + states.reduce((some, state) => some + jobs[state], 0),
      0,
    );
  const known = (number: number) => (behind === undefined ? '–' : whole(number));
  const shown: readonly (readonly [string, string])[] = [
    ...Object.entries(gateway.gauges()).map(([name, value]) => [name, whole(value)] as const),
    ['messages so far', whole(handled)],
    ['workers', known(behind?.workers.length ?? 0)],
    ['matches', known(behind?.matches ?? 0)],
    ['jobs waiting', known(sum('waiting', 'prioritized', 'delayed'))],
    ['jobs running', known(sum('active'))],
  ];
  return html`<dl class="figures">
    ${shown.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function workers(all: readonly Beat[]): Html {
  if (all.length === 0) {
    return html`<h2>Workers</h2>
      <p class="warn">
        No worker is up: requests wait until one comes or their deadline is over.
      </p>`;
  }
  const now = Date.now();
  return table(
    'Workers',
    ['worker', 'lanes', 'cores', '#busy', '#seen'],
    all.map(({ worker, lanes: ready, cores, busy, at }) => [
      html`<code>${worker}</code>`,
      ready.length === 0 ? 'warming up' : ready.join(', '),
      coresOf(cores),
      whole(busy),
      `${Math.max(Math.round((now - at) / 1_000), 0)} s`,
    ]),
  );
}

/** Cores without a number are those of a system that cannot pin. */
function coresOf(cores: Beat['cores']): string {
  const pinned = cores.filter((core) => core !== null);
  const unpinned = cores.length - pinned.length;
  return [...pinned, ...(unpinned > 0 ? [`${unpinned} unpinned`] : [])].join(', ') || 'none';
}

function arenas(all: readonly ArenaBeat[]): Html {
  if (all.length === 0) return html``;
  return table(
    'Arenas',
    ['arena', 'game', 'worker', 'core', '#matches', '#of', '#term', '#late p99'],
    all.map((one) => [
      html`<code>${one.arena}</code>`,
      `${one.game} ${one.version}`,
      html`<code>${one.worker}</code>`,
      String(one.core ?? 'unpinned'),
      whole(one.matches),
      whole(one.capacity),
      whole(one.term),
      `${one.latenessP99Ms.toFixed(1)} ms`,
    ]),
  );
}

/** Whether each lane has the slots that it needs, as far as it was looked at. */
function efficiencies(all: readonly Efficiency[]): Html {
  return table(
    'Lanes',
    ['lane', '#busy', '#slots', '#waiting', 'advice'],
    all.map((one) => [
      one.lane,
      whole(one.busy),
      whole(one.slots),
      whole(one.waiting),
      html`${adviceOf(one)} <span class="reason">${one.reason}</span>`,
    ]),
  );
}

function adviceOf({ advice, change, unit }: Efficiency): string {
  return change === 0 ? advice : `${advice} ${whole(Math.abs(change))} ${unit}`;
}

/** States down, lanes across: that way round it fits a phone. */
function lanes(all: readonly LaneReading[]): Html {
  return table(
    'Queues by lane',
    ['jobs', ...all.map(({ lane }) => `#${lane}`)],
    jobStates.map((state) => [
      state,
      ...all.map(({ lane, jobs }) =>
        jobs[state] === 0
          ? '0'
          : html`<a href="/queues/queue/${lane}?status=${state}">${whole(jobs[state])}</a>`,
      ),
    ]),
  );
}

function kinds(all: readonly KindReading[]): Html {
  return table(
    'Unfinished requests by kind',
    ['kind', 'lane', '#unfinished', '#held back', '#limit', ''],
    all.map(({ name, lane, depth, limit, gate }) => [
      name,
      lane,
      whole(depth),
      gate === undefined ? '' : whole(gate.held),
      whole(limit),
      html`<meter value="${depth}" max="${limit}" high="${limit * 0.8}"></meter>`,
    ]),
  );
}

function historyPart(history: HistoryReading): Html {
  return html`<h2>History</h2>
    <p class="${history.isWrong ? 'warn' : ''}">${history.text}</p>`;
}

/** This gateway's counters and the sum of the workers'. */
function counts(gateway: Watched, behind: Behind | undefined): Html {
  const sums = new Map<string, number>();
  for (const { counts: said } of behind?.workers ?? []) {
    for (const [name, cause, count] of said) {
      const key = `${name}\0${cause}`;
      sums.set(key, (sums.get(key) ?? 0) + count);
    }
  }
  const rows = [
    ...Array.from(gateway.counters.entries(), (counted) => ['gateway', ...counted] as const),
    ...Array.from(sums, ([key, count]) => {
      const [name = '', cause = ''] = key.split('\0');
      return ['workers', name, cause, count] as const;
    }),
  ].toSorted((a, b) => `${a[1]} ${a[2]}`.localeCompare(`${b[1]} ${b[2]}`));
  if (rows.length === 0) return html``;
  return table(
    'Counted since they started',
    ['what', 'by', '#count'],
    rows.map(([by, name, cause, count]) => [
      name.replaceAll('_', ' ') + (cause === '' ? '' : `: ${cause}`),
      by,
      whole(count),
    ]),
  );
}

/** @param heads a leading # marks a column of numbers */
function table(title: string, heads: readonly string[], rows: readonly (string | Html)[][]): Html {
  const kind = (column: number) => (heads[column]?.startsWith('#') === true ? 'number' : '');
  return html`<h2>${title}</h2>
    <div class="table">
      <table>
        <thead>
          <tr>
            ${heads.map((head, i) => html`<th class="${kind(i)}">${head.replace('#', '')}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                ${row.map((cell, i) => html`<td class="${kind(i)}">${cell}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function whole(number: number): string {
  return number.toLocaleString('en');
}

/**
 * `npm run status -- queues | request PLAYER ID | requests | statistics | samples | matches [--json] [--url ADDRESS]`:
 * what queues do, and what became of requests and matches, from the operator's API of the running `npm start` or of the
 * dashboard at that address; ADMIN_PASSWORD where it has one. Status 1 when it does not answer, or says no.
 */
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { queueStatus } from '../src/admin/api/queues.ts';
import { questions } from '../src/history/questions.ts';
import { findOperator } from './lib/operator.ts';
import * as views from './lib/status/views.ts';

const USAGE = `usage: npm run status -- WHAT [--json] [--url http://HOST:PORT]
  queues                            what waits and runs now
  request PLAYER ID                 one request's life
  requests   [--player P] [--kind K] [--state S] [--limit N] [--after CURSOR]
  statistics [--over MINUTES]       rows, states, waits, errors and throughput by kind
  samples    [--lane L] [--limit N] queues over the last hour
  matches    [--player P] [--limit N]`;

const options = {
  json: { type: 'boolean', default: false },
  url: { type: 'string' },
  player: { type: 'string' },
  kind: { type: 'string' },
  state: { type: 'string' },
  limit: { type: 'string' },
  after: { type: 'string' },
  over: { type: 'string' },
  lane: { type: 'string' },
} as const;

interface Asked {
  readonly path: string;
  /** @throws ZodError where the answer is of another version */
  view(answer: unknown): string[];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const asked = askedFor(positionals, values);
  const call = await findOperator(values.url);
  const answer = await call(asked.path);
  if (values.json) console.log(JSON.stringify(answer, undefined, 2));
  else for (const line of asked.view(answer)) console.log(line);
}

function askedFor(
  [what, ...names]: readonly string[],
  given: Readonly<Record<string, string | boolean | undefined>>,
): Asked {
  const query = (...keys: string[]) => {
    const pairs = keys.flatMap((key): [string, string][] => {
      const value = given[key];
      return typeof value === 'string' ? [[key, value]] : [];
    });
    return `?${new URLSearchParams(pairs).toString()}`;
  };
  const [player, id] = names;
  switch (what) {
    case 'queues':
      return { path: '/v1/queues', view: (all) => views.queuesView(queueStatus.parse(all)) };
    case 'request': {
      if (player === undefined || id === undefined) throw new Error(USAGE);
      const name = [player, id].map(encodeURIComponent).join('/');
      const life = questions.request.answer.unwrap();
      return {
        path: `/v1/history/requests/${name}`,
        view: (one) => views.requestView(life.parse(one)),
      };
    }
    case 'requests':
      return {
        path: `/v1/history/requests${query('player', 'kind', 'state', 'limit', 'after')}`,
        view: (all) => views.requestsView(questions.requests.answer.parse(all)),
      };
    case 'statistics': {
      const minutes = z.coerce.number().positive().default(60).parse(given['over']);
      return {
        path: `/v1/history/statistics?overMs=${minutes * 60_000}`,
        view: (all) => views.statisticsView(questions.statistics.answer.parse(all)),
      };
    }
    case 'samples':
      return {
        path: `/v1/history/samples${query('lane', 'limit')}`,
        view: (all) => views.samplesView(questions.samples.answer.parse(all)),
      };
    case 'matches':
      return {
        path: `/v1/history/matches${query('player', 'limit')}`,
        view: (all) => views.matchesView(questions.matches.answer.parse(all)),
      };
    default:
      throw new Error(USAGE);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

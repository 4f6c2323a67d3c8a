import * as z from 'zod';
import { Refusal, requestId } from '../../../protocol/index.ts';
import type { History } from '../../history/history.ts';
import { questions, requestStatesKept } from '../../history/questions.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

const tag = 'history';
const time = z.coerce.number().min(0);
const limit = z.coerce.number().int().min(1).max(1_000);
const lane = z.enum(['cpu', 'io', 'arena']);

/** What was recorded of requests, matches and queues. @param history undefined: none is kept */
export function historyEndpoints(history: History | undefined): readonly Endpoint[] {
  const known = (): History => {
    if (history === undefined) throw new Refusal('unavailable', 'no history is kept (HISTORY_URL)');
    return history;
  };
  return [
    endpoint({
      method: 'get',
      path: '/v1/history/requests',
      summary: 'Requests, newest first; `next` of a reply goes on as `after` of the next call.',
      tag,
      query: z.strictObject({
        player: z.string().optional(),
        kind: z.string().optional(),
        state: z.enum(requestStatesKept).optional(),
        sinceMs: time.optional(),
        untilMs: time.optional(),
        after: z.string().optional(),
        limit: limit.default(50),
      }),
      reply: questions.requests.answer,
      answer: async ({ query }) => await known().ask('requests', query),
    }),
    endpoint({
      method: 'get',
      path: '/v1/history/requests/{player}/{id}',
      summary: "One request's life: stages, attempts, intermediate results, end.",
      tag,
      params: z.strictObject({ player: z.string(), id: requestId }),
      reply: questions.request.answer.unwrap(),
      answer: async ({ params }) => {
        const life = await known().ask('request', params);
        if (life === null) throw new Refusal('unknown_request');
        return life;
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/history/statistics',
      summary: 'Rows and size of the database; states, waits, runs, errors and throughput by kind.',
      tag,
      query: z.strictObject({
        overMs: z.coerce.number().min(1_000).max(2_592_000_000).default(3_600_000),
      }),
      reply: questions.statistics.answer,
      answer: async ({ query }) => await known().ask('statistics', query),
    }),
    endpoint({
      method: 'get',
      path: '/v1/history/samples',
      summary:
        'Queues and workers over time, oldest first; of the last hour unless asked otherwise.',
      tag,
      query: z.strictObject({
        sinceMs: time.optional(),
        untilMs: time.optional(),
        lane: lane.optional(),
        limit: limit.default(1_000),
      }),
      reply: questions.samples.answer,
      answer: async ({ query }) => await known().ask('samples', query),
    }),
    endpoint({
      method: 'get',
      path: '/v1/history/matches',
      summary: 'Matches, newest first, with their seats, results and what they did to ratings.',
      tag,
      query: z.strictObject({
        player: z.string().optional(),
        match: z.string().optional(),
        limit: limit.default(50),
      }),
      reply: questions.matches.answer,
      answer: async ({ query }) => await known().ask('matches', query),
    }),
  ];
}

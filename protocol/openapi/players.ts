import * as z from 'zod';
import type { ReplyErrorCode } from '../errors.ts';
import { kinds, type Kind, type KindName } from '../kinds/index.ts';
import { end, requestStatus } from '../messages/server.ts';
import { matchId, requestId } from '../messages/shared.ts';
import { SUBPROTOCOL } from '../version.ts';
import {
  jsonOf,
  parametersOf,
  REFUSAL,
  refTo,
  refusalBody,
  refusals,
  schemaOf,
  type Document,
  type JsonSchema,
  type Operation,
  type Parameter,
} from './document.ts';
import { inputExamples } from './examples.ts';
import { matchInFull, matchList } from './matches.ts';

/** A request that goes on: SPEC.md J2, J3. */
export const jobStatus = requestStatus.extend({ deadline: z.iso.datetime() });

const JOBS = 'jobs';
const MATCHES = 'matches';
const HEALTH = 'health';

/** Codes that any call with a token may be refused with. */
const ANY: readonly ReplyErrorCode[] = ['unauthorized', 'rate_limited', 'unavailable', 'internal'];

const requestFields = z.strictObject({ id: requestId.describe('of the request') });
const matchFields = z.strictObject({ match: matchId });
const deadlineField = z.strictObject({
  deadlineMs: z.coerce
    .number()
    .int()
    .min(1)
    .max(99_999_999)
    .optional()
    .describe("from acceptance to end, at most the kind's own, ms"),
});
const idempotencyKey: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The request id. Sent once or ten times, the request takes effect once. Absent: one is made.',
  schema: schemaOf(requestId, 'input'),
};

/**
 * The players' HTTP API as an OpenAPI document: SPEC.md J, M14 and M15, with a path for each job kind.
 * @param drills whether kinds that misbehave on demand are there
 */
export function playersDocument(drills: boolean): Document {
  const shown = Object.values(kinds).filter(({ name }) => drills || !name.startsWith('drill'));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Muster for players',
      version: SUBPROTOCOL,
      description:
        'The same requests as over the socket, by HTTP. The socket itself is described in protocol/SPEC.md.',
    },
    servers: [{ url: '/', description: "the gateway's port for players" }],
    tags: [
      { name: JOBS, description: 'Heavy work: asked for, looked at, streamed, cancelled.' },
      { name: MATCHES, description: 'Matches that run or are over, and their replays.' },
      { name: HEALTH, description: 'For whoever keeps the process up.' },
    ],
    paths: {
      ...Object.fromEntries(shown.map((kind) => [`/v1/jobs/${kind.name}`, { post: submit(kind) }])),
      '/v1/jobs/{id}': { get: look(), delete: cancel() },
      '/v1/jobs/{id}/stream': { get: stream() },
      '/v1/matches': { get: listMatches() },
      '/v1/matches/{match}': { get: oneMatch() },
      '/v1/matches/{match}/replay': { get: replay() },
      '/healthz': { get: health('healthz', 'Whether the process lives', false) },
      '/readyz': { get: health('readyz', 'Whether a request can be served end to end', true) },
    },
    components: {
      schemas: {
        [REFUSAL]: schemaOf(refusalBody, 'output'),
        Status: schemaOf(jobStatus, 'output'),
        End: schemaOf(end, 'output'),
        ...Object.fromEntries(shown.flatMap(kindSchemas)),
      },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: "The player's token; a guest's comes with `welcome` over the socket.",
        },
      },
    },
  };
}

/** `forecast` makes `ForecastInput`, `ForecastProgress` and `ForecastResult`. */
function kindSchemas(kind: Kind): [string, JsonSchema][] {
  const name = schemaName(kind);
  return [
    [`${name}Input`, schemaOf(kind.input, 'input')],
    [`${name}Progress`, schemaOf(kind.progress, 'output')],
    [`${name}Result`, schemaOf(kind.result, 'output')],
  ];
}

function schemaName({ name }: Kind): string {
  return name.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
}

function submit(kind: Kind): Operation {
  const { name, lane, attempts, deadlineMs, timeLimitMs, perPlayer, depth, inputBytes } = kind;
  const drill = name.startsWith('drill') ? ' Misbehaves on demand; only where DRILLS is on.' : '';
  return {
    operationId: `submit_${name}`,
    summary: `Ask for ${name}`,
    description:
      `Done by the ${lane} lane.${drill} At most ${attempts} attempts of ${timeLimitMs} ms each; ended after ` +
      `${deadlineMs} ms in any case. One player may have ${perPlayer} unfinished (\`too_many_in_flight\`), all ` +
      `together ${depth} (\`overloaded\`); the input may have ${inputBytes} bytes (\`input_too_large\`). Progress is ` +
      `\`${schemaName(kind)}Progress\`, the result \`${schemaName(kind)}Result\`.`,
    tags: [JOBS],
    security: [{ token: [] }],
    parameters: [idempotencyKey, ...parametersOf('query', deadlineField)],
    requestBody: {
      required: true,
      content: jsonOf(refTo(`${schemaName(kind)}Input`), inputExamples[name as KindName]),
    },
    responses: {
      202: {
        description: 'It is durable, and will end once.',
        headers: { Location: { schema: { type: 'string' } } },
        content: jsonOf(refTo('Status'), { ...STATUS, kind: name }),
      },
      ...refusals([
        'malformed_body',
        'invalid_body',
        'invalid_input',
        'input_too_large',
        'unknown_kind',
        'id_conflict',
        'too_many_in_flight',
        'unacknowledged',
        ...(name === 'matchmake' ? (['in_match'] as const) : []),
        'overloaded',
        ...ANY,
      ]),
    },
  };
}

const STATUS = {
  id: 'r-1',
  kind: 'forecast',
  state: 'accepted',
  attempt: 0,
  deadline: '2027-01-01T00:01:00.000Z',
};
const END = {
  id: 'r-1',
  kind: 'pipeline',
  state: 'done',
  result: { note: '', steps: ['first', 'second', 'then'] },
  attempt: 1,
  ran: { worker: 'w-1', pid: 4_711, waitedMs: 2, ms: 103 },
};

const statusOrEnd = {
  description: 'Its status until it has ended, then its end.',
  content: jsonOf({ anyOf: [refTo('End'), refTo('Status')] }, END),
};

function look(): Operation {
  return {
    operationId: 'request',
    summary: 'Look at a request',
    description: 'Reading its end acknowledges it.',
    tags: [JOBS],
    security: [{ token: [] }],
    parameters: parametersOf('path', requestFields),
    responses: { 200: statusOrEnd, ...refusals(['unknown_request', ...ANY]) },
  };
}

function cancel(): Operation {
  return {
    operationId: 'cancel',
    summary: 'Cancel a request',
    tags: [JOBS],
    security: [{ token: [] }],
    parameters: parametersOf('path', requestFields),
    responses: { 200: statusOrEnd, ...refusals(['unknown_request', 'already_ended', ...ANY]) },
  };
}

function stream(): Operation {
  return {
    operationId: 'stream',
    summary: 'Follow a request by Server-Sent Events',
    description:
      '`status` at once, `progress` (attempt, seq, value) as it comes, `ended` last; then the stream closes.',
    tags: [JOBS],
    security: [{ token: [] }],
    parameters: parametersOf('path', requestFields),
    responses: {
      200: {
        description: 'Events.',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      ...refusals(['unknown_request', 'too_many_streams', ...ANY]),
    },
  };
}

/** Who only looks needs no token where guests need none. */
const OPEN = [{}, { token: [] }];

function listMatches(): Operation {
  return {
    operationId: 'matches',
    summary: 'The newest 100 matches that are not over',
    tags: [MATCHES],
    security: OPEN,
    responses: {
      200: { description: 'Newest first.', content: jsonOf(schemaOf(matchList, 'output')) },
      ...refusals(ANY),
    },
  };
}

function oneMatch(): Operation {
  return {
    operationId: 'match',
    summary: 'Look at a match',
    tags: [MATCHES],
    security: OPEN,
    parameters: parametersOf('path', matchFields),
    responses: {
      200: {
        description: 'Where it is played, or what became of it.',
        content: jsonOf(schemaOf(matchInFull, 'output')),
      },
      ...refusals(['invalid_body', 'not_found', ...ANY]),
    },
  };
}

function replay(): Operation {
  return {
    operationId: 'replay',
    summary: 'The replay file of a match that is over',
    tags: [MATCHES],
    security: OPEN,
    parameters: parametersOf('path', matchFields),
    responses: {
      200: {
        description: 'The file: SPEC.md M16.',
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      },
      ...refusals(['invalid_body', 'not_found', ...ANY]),
    },
  };
}

function health(operationId: string, summary: string, fails: boolean): Operation {
  const content = jsonOf({ type: 'object' });
  return {
    operationId,
    summary,
    tags: [HEALTH],
    security: [],
    responses: {
      200: { description: 'Yes.', content },
      ...(fails && { 503: { description: 'No; the body says what is missing.', content } }),
    },
  };
}

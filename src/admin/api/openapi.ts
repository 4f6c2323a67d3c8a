import * as z from 'zod';
import {
  jsonOf,
  parametersOf,
  REFUSAL,
  refusalBody,
  refusals,
  schemaOf,
  type Document,
  type Operation,
} from '../../../protocol/openapi/index.ts';
import type { ReplyErrorCode } from '../../../protocol/index.ts';
import type { Endpoint } from './endpoint.ts';

/** Codes that any endpoint may refuse a call with; those of their own are named in replies. */
const ANY: readonly ReplyErrorCode[] = [
  'invalid_body',
  'malformed_body',
  'unavailable',
  'internal',
];

/** The operator's API as an OpenAPI document, from the table that its calls are checked by. */
export function operatorDocument(endpoints: readonly Endpoint[]): Document {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const one of endpoints) {
    paths[one.path] = { ...paths[one.path], [one.method]: operation(one) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Muster for operators',
      version: 'v1',
      description: "What the dashboard's port answers, beside its pages and /metrics.",
    },
    servers: [{ url: '/', description: 'the dashboard: ADMIN_PORT' }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { [REFUSAL]: schemaOf(refusalBody, 'output') },
      securitySchemes: {
        login: { type: 'http', scheme: 'basic', description: 'admin and ADMIN_PASSWORD' },
      },
    },
  };
}

function operation(one: Endpoint): Operation {
  const { method, path, summary, tag, params, query, body, reply, status } = one;
  const parameters = [...parametersOf('path', params), ...parametersOf('query', query)];
  // A call without a body is given undefined: where the schema takes that, none is needed.
  const optional = body.safeParse(undefined).success;
  const takesBody = !(body instanceof z.ZodUndefined);
  const examples: unknown = body.meta()?.['examples'];
  const example: unknown = Array.isArray(examples) ? examples[0] : undefined;
  return {
    operationId: `${method}${path.replace(/\W+/g, '_')}`.replace(/_$/, ''),
    summary,
    tags: [tag],
    security: [{}, { login: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(takesBody && {
      requestBody: { required: !optional, content: jsonOf(schemaOf(body, 'input'), example) },
    }),
    responses: {
      [status]: { description: 'As asked.', content: jsonOf(schemaOf(reply, 'output')) },
      ...refusals(path.includes('{') ? [...ANY, 'not_found'] : ANY),
    },
  };
}

import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { faultsOf } from '../../../protocol/openapi/sound.fixture.ts';
import { endpoint } from './endpoint.ts';
import { operatorDocument } from './openapi.ts';

const reply = z.strictObject({ ok: z.boolean() });
const table = [
  endpoint({
    method: 'get',
    path: '/v1/things/{thing}',
    summary: 'one',
    tag: 'things',
    params: z.strictObject({ thing: z.string().max(9) }),
    query: z.strictObject({ limit: z.coerce.number().int().min(1).default(50).describe('rows') }),
    reply,
    answer: async () => ({ ok: true }),
  }),
  endpoint({
    method: 'post',
    path: '/v1/things',
    summary: 'another',
    tag: 'things',
    body: z
      .strictObject({ name: z.string(), size: z.number().default(1) })
      .meta({ examples: [{ name: 'a' }] }),
    status: 202,
    reply,
    answer: async () => ({ ok: true }),
  }),
];

describe("the operator's document", () => {
  const document = operatorDocument(table);

  it('is sound', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(faultsOf(document)).toEqual([]);
  });

  it('tells parameters with what they take and what they are when they are left out', () => {
    expect(document.paths['/v1/things/{thing}']?.get?.parameters).toEqual([
      { name: 'thing', in: 'path', required: true, schema: { type: 'string', maxLength: 9 } },
      {
        name: 'limit',
        in: 'query',
        required: false,
        description: 'rows',
        schema: expect.objectContaining({ type: 'integer', minimum: 1, default: 50 }) as object,
      },
    ]);
    expect(document.paths['/v1/things/{thing}']?.get?.requestBody).toBeUndefined();
  });

  it('tells bodies with an example, and answers by their status', () => {
    const { requestBody, responses } = document.paths['/v1/things']?.post ?? {};
    const sent = requestBody?.content['application/json'];
    expect([requestBody?.required, sent?.schema['required']]).toEqual([true, ['name']]);
    expect(sent?.example).toEqual({ name: 'a' });
    expect(Object.keys(responses ?? {})).toEqual(['202', '400', '500', '503']);
    expect(responses?.['400']?.description).toContain('`invalid_body`');
  });
});

import * as z from 'zod';
import { replyErrors, type ReplyErrorCode } from '../errors.ts';

/** A JSON Schema of the 2020-12 dialect, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

interface Content {
  readonly [type: string]: { readonly schema: JsonSchema; readonly example?: unknown };
}

export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  readonly content?: Content;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

export type Method = 'get' | 'post' | 'delete';

export interface Document {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string; readonly description?: string }[];
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<Method, Operation>>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes?: Readonly<Record<string, JsonSchema>>;
  };
}

/** @param io `input`: what may be sent, where fields with a default may be left out; `output`: what comes */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return own;
}

/** What both ports answer a refused call with. */
export const refusalBody = z.strictObject({
  error: z.strictObject({
    code: z.enum(Object.keys(replyErrors) as [ReplyErrorCode, ...ReplyErrorCode[]]),
    message: z.string(),
    retry: z.enum(['never', 'later', 'after']),
    retryAfterMs: z.int().min(0).optional(),
  }),
});

export const REFUSAL = 'Refusal';

/** @returns an answer for each HTTP status that these codes have, which names them */
export function refusals(codes: readonly ReplyErrorCode[]): Record<string, Answer> {
  const answers: Record<string, Answer> = {};
  for (const code of codes) {
    const { http, says, retry } = replyErrors[code];
    const before = answers[http];
    const example = { error: { code, message: says, retry } };
    const line = `\`${code}\`: ${says}.`;
    answers[http] = {
      description: before === undefined ? line : `${before.description} ${line}`,
      ...(retry === 'after' && { headers: { 'Retry-After': { schema: { type: 'integer' } } } }),
      ...(before?.headers !== undefined && { headers: before.headers }),
      content: jsonOf(refTo(REFUSAL), before?.content?.['application/json']?.example ?? example),
    };
  }
  return answers;
}

/** @param name of a schema of the document's components */
export function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/** @returns one parameter for each field of an object */
export function parametersOf(where: 'path' | 'query', fields: z.ZodObject): Parameter[] {
  const { properties = {}, required = [] } = schemaOf(fields, 'input') as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => {
    const { description, ...rest } = schema;
    return {
      name,
      in: where,
      required: where === 'path' || required.includes(name),
      ...(typeof description === 'string' && { description }),
      schema: rest,
    };
  });
}

export function jsonOf(schema: JsonSchema, example?: unknown): Content {
  return { 'application/json': { schema, ...(example !== undefined && { example }) } };
}

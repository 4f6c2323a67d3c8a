import type { Env, Hono, HonoRequest } from 'hono';
import * as z from 'zod';
import { explain, Refusal } from '../../../protocol/index.ts';
import { refused } from '../../lib/refused.ts';

type Fields = z.ZodObject;

/** What an endpoint is given: each part has been through its schema. */
export interface Given<P extends Fields, Q extends Fields, B extends z.ZodType> {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
}

/** One call of the operator's API. Everything that is written about it is made from this. */
export interface Endpoint<
  P extends Fields = Fields,
  Q extends Fields = Fields,
  B extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'delete';
  /** Parameters stand in braces, as OpenAPI writes them. */
  readonly path: `/v1/${string}`;
  readonly summary: string;
  readonly tag: string;
  readonly params: P;
  /** Values come as text: numbers need z.coerce. */
  readonly query: Q;
  /** What a call without a body is given is undefined. */
  readonly body: B;
  readonly reply: z.ZodType;
  /** Of a call that went well. */
  readonly status: 200 | 202;
  /** @throws Refusal */
  answer(given: Given<P, Q, B>): Promise<unknown>;
}

const nothing = z.strictObject({});
const noBody = z.undefined();

/** Declares an endpoint; parts that are left out take nothing. */
export function endpoint<
  R extends z.ZodType,
  P extends Fields = typeof nothing,
  Q extends Fields = typeof nothing,
  B extends z.ZodType = typeof noBody,
>(
  parts: Pick<Endpoint<P, Q, B>, 'method' | 'path' | 'summary' | 'tag'> & {
    readonly params?: P;
    readonly query?: Q;
    readonly body?: B;
    readonly status?: 200 | 202;
    readonly reply: R;
    answer(given: Given<P, Q, B>): Promise<z.input<R>>;
  },
): Endpoint {
  const whole = { params: nothing, query: nothing, body: noBody, status: 200, ...parts };
  // The table does not know each one's types; `call` gives it only what its schemas have made.
  return whole as unknown as Endpoint;
}

/** Puts the endpoints on an app. Whatever is wrong with a call leaves as JSON with a code, as on the players' port. */
export function mount<E extends Env>(
  app: Hono<E>,
  endpoints: readonly Endpoint[],
  failed: (error: unknown, path: string) => void,
): void {
  for (const one of endpoints) {
    const path = one.path.replace(/\{(\w+)\}/g, ':$1');
    app.on(one.method.toUpperCase(), path, async (context) => {
      try {
        const reply = one.reply.parse(await call(one, context.req));
        return context.json(reply as object, one.status, { 'cache-control': 'no-store' });
      } catch (error) {
        if (!(error instanceof Refusal)) failed(error, context.req.path);
        const { status, headers, body } = refused(error);
        return new Response(body, { status, headers });
      }
    });
  }
}

async function call(one: Endpoint, request: HonoRequest): Promise<unknown> {
  const text = await request.text();
  return await one.answer({
    params: read(one.params, request.param()) as Record<string, unknown>,
    query: read(one.query, request.query()) as Record<string, unknown>,
    body: read(one.body, text === '' ? undefined : parsed(text)),
  });
}

function read(schema: z.ZodType, value: unknown): unknown {
  const is = schema.safeParse(value);
  if (!is.success) throw new Refusal('invalid_body', explain(is.error));
  return is.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Refusal('malformed_body', error instanceof Error ? error.message : undefined);
  }
}

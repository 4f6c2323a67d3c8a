import type { ZodType } from 'zod';
import type { FixedBody } from '../fixed.ts';

/** A body that travels as MessagePack and is checked by a schema; the default. */
export interface PackedBody<T> {
  readonly form: 'msgpack';
  readonly schema: ZodType<T>;
}

export type Body<T> = PackedBody<T> | FixedBody<T>;

export function packed<T>(schema: ZodType<T>): PackedBody<T> {
  return { form: 'msgpack', schema };
}

/** One kind of frame. `type` is its first byte, unique in its direction. */
export interface MessageSpec<T = unknown> {
  readonly type: number;
  readonly body: Body<T>;
}

/** The value that a spec's body carries. */
export type BodyOf<S> = S extends { readonly body: Body<infer T> } ? T : never;

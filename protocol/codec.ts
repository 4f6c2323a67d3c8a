import { Refusal } from './errors.ts';
import { decodeBody, encodeBody, MalformedBody, type BodyBounds } from './msgpack.ts';
import type { Body, BodyOf, MessageSpec } from './messages/spec.ts';

export type Decoder = (frame: Uint8Array) => unknown;

/**
 * @param bounds of a msgpack body; the default of msgpack.ts where absent
 * @returns a function that reads a whole frame of this spec, type byte included, into its body.
 * It throws Refusal `malformed_body` or `invalid_body` with the reason.
 */
export function decoder(spec: MessageSpec, bounds?: BodyBounds): Decoder {
  const { body } = spec;
  if (body.form === 'fixed') {
    const { size } = body;
    return (frame) => {
      if (frame.length !== size + 1) {
        throw new Refusal('malformed_body', `${frame.length - 1} bytes where ${size} belong`);
      }
      const value = body.decode(new DataView(frame.buffer, frame.byteOffset, frame.length), 1);
      if (typeof value === 'string') throw new Refusal('invalid_body', value);
      return value;
    };
  }
  const { schema } = body;
  return (frame) => {
    const parsed = schema.safeParse(unpack(frame.subarray(1), bounds));
    if (!parsed.success) throw new Refusal('invalid_body', explain(parsed.error));
    return parsed.data;
  };
}

function unpack(bytes: Uint8Array, bounds?: BodyBounds): unknown {
  try {
    return decodeBody(bytes, bounds);
  } catch (error) {
    if (error instanceof MalformedBody) throw new Refusal('malformed_body', error.message);
    throw error;
  }
}

/** @returns the first reasons of a schema's error, as `path: reason; path: reason`. */
export function explain(error: {
  issues: readonly { path: PropertyKey[]; message: string }[];
}): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) =>
      path.length > 0 ? `${path.map(String).join('.')}: ${message}` : message,
    )
    .join('; ')
    .slice(0, 500);
}

/**
 * @returns a frame of its own memory.
 * @throws RangeError when a fixed body's number is out of its range. Packed bodies are not checked on the way out:
 * the compiler has, and a peer will.
 */
export function encodeFrame<S extends MessageSpec>(spec: S, value: BodyOf<S>): Uint8Array {
  const body = spec.body as Body<BodyOf<S>>;
  if (body.form === 'fixed') {
    const frame = new Uint8Array(body.size + 1);
    frame[0] = spec.type;
    body.encode(new DataView(frame.buffer), 1, value);
    return frame;
  }
  const packedBody = encodeBody(value);
  const frame = new Uint8Array(packedBody.length + 1);
  frame[0] = spec.type;
  frame.set(packedBody, 1);
  return frame;
}

/** @returns the spec names by type byte. @throws Error when two specs claim one byte: a fault of the table. */
export function byType<N extends string>(table: Record<N, MessageSpec>): (N | undefined)[] {
  const names: (N | undefined)[] = [];
  for (const name of Object.keys(table) as N[]) {
    const { type } = table[name];
    if (names[type] !== undefined) throw new Error(`${names[type]} and ${name} share type ${type}`);
    names[type] = name;
  }
  return names;
}

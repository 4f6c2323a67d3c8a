import {
  byType,
  clientMessages,
  decoder,
  encodeFrame,
  Refusal,
  serverMessages,
  type BodyBounds,
  type ClientBody,
  type ClientMessageName,
  type Decoder,
  type ServerBody,
  type ServerMessageName,
} from '../index.ts';
import { MusterError } from './errors.ts';

/** Results and member lists may be larger than what a client may send; a gateway is trusted, but not without end. */
const BOUNDS: BodyBounds = { depth: 32, items: 1_000_000, stringBytes: 4_194_304 };

const names = byType(serverMessages);
const readers: (Decoder | undefined)[] = names.map((name) =>
  name === undefined ? undefined : decoder(serverMessages[name], BOUNDS),
);
const checkers = new Map<ClientMessageName, Decoder>();

export type ServerFrame = {
  [N in ServerMessageName]: { readonly name: N; readonly body: ServerBody<N> };
}[ServerMessageName];

/** Type byte and header of the messages that are a header with more behind it. */
const HEADER_BYTES: { readonly [N in ServerMessageName]?: number } = {
  reliable: 1 + serverMessages.reliable.body.size,
  snapshot: 1 + serverMessages.snapshot.body.size,
};

const NOTHING = new Uint8Array();

/**
 * @returns the frame, undefined when its type is not known here; `inner`: what follows the header of a `reliable` (a
 * frame) or a `snapshot` (its payload), in the memory of `bytes`; of other frames nothing
 * @throws Refusal when it cannot be read
 */
export function readFrame(
  bytes: Uint8Array,
): { frame: ServerFrame; inner: Uint8Array } | undefined {
  const type = bytes[0];
  const name = type === undefined ? undefined : names[type];
  const read = type === undefined ? undefined : readers[type];
  if (name === undefined || read === undefined) return undefined;
  const header = HEADER_BYTES[name];
  if (header === undefined) {
    return { frame: { name, body: read(bytes) } as ServerFrame, inner: NOTHING };
  }
  const frame = { name, body: read(bytes.subarray(0, header)) } as ServerFrame;
  return { frame, inner: bytes.subarray(header) };
}

/**
 * A packed body is read back as the gateway will read it: a refusal of bytes that are no body names neither ref nor
 * request, so nobody would learn of it.
 * @throws MusterError malformed_body or invalid_body
 */
export function writeFrame<N extends ClientMessageName>(name: N, body: ClientBody<N>): Uint8Array {
  try {
    const frame = encodeFrame(clientMessages[name], body as never);
    if (clientMessages[name].body.form === 'msgpack') checker(name)(frame);
    return frame;
  } catch (error) {
    if (error instanceof Refusal) throw new MusterError(error.code, error.message);
    throw new MusterError('invalid_body', error instanceof Error ? error.message : String(error));
  }
}

function checker(name: ClientMessageName): Decoder {
  let check = checkers.get(name);
  if (check === undefined) checkers.set(name, (check = decoder(clientMessages[name])));
  return check;
}

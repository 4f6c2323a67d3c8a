import fc from 'fast-check';
import {
  clientMessages,
  encodeBody,
  encodeFrame,
  kinds,
  type ClientBody,
  type ClientMessageName,
} from '../../protocol/index.ts';

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
const room = fc.constantFrom('a', 'b', 'c.d', 'e-f');
const ref = fc.option(fc.nat(), { nil: undefined });
const u32 = fc.nat({ max: 2 ** 32 - 1 });
const match = fc.stringMatching(/^[A-Za-z0-9_-]{16}$/);
const stick = fc.integer({ min: -127, max: 127 });

/** What a body may be made of. */
const value = fc.jsonValue({ maxDepth: 4 });

/** A body of every message that a client may send after hello, right by its schema. */
const bodies: { readonly [N in Exclude<ClientMessageName, 'hello'>]: fc.Arbitrary<ClientBody<N>> } =
  {
    ping: fc.record({ seq: u32, clientTime: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    ack: fc.record({ epoch: u32, offset: u32 }),
    request: fc.record({
      ref,
      id,
      kind: fc.oneof(
        fc.constantFrom(...Object.keys(kinds)),
        fc.string({ minLength: 1, maxLength: 9 }),
      ),
      input: fc.oneof(value, fc.constantFrom({}, { act: 'echo' }, { firstMs: 1 })),
    }),
    cancel: fc.record({ ref, id }),
    join: fc.record({ ref, room }),
    leave: fc.record({ ref, room }),
    say: fc.record({ ref, room, text: fc.string({ minLength: 1, maxLength: 80, unit: 'binary' }) }),
    presence: fc.record({ ref, room }),
    watch: fc.record({ ref, match }),
    unwatch: fc.record({ ref, match }),
    steer: fc.record({ handle: u32, seq: u32, x: stick, y: stick, buttons: fc.nat(255) }),
    forfeit: fc.record({ ref, match }),
  };

const names = Object.keys(bodies) as (keyof typeof bodies)[];

const valid: fc.Arbitrary<Uint8Array> = fc.oneof(
  ...names.map((name) =>
    (bodies[name] as fc.Arbitrary<never>).map((body) => encodeFrame(clientMessages[name], body)),
  ),
);

/** The right type byte before a body that may be anything MessagePack can say, and more. */
const misshapen = fc
  .tuple(
    fc.constantFrom(...Object.values(clientMessages).map(({ type }) => type)),
    fc.oneof(
      value,
      fc.dictionary(
        fc.constantFrom('ref', 'id', 'room', 'match', 'text', 'kind', 'input', '__proto__'),
        value,
      ),
      fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, maxDepth: 3 }),
    ),
  )
  .map(([type, body]) => {
    try {
      return Uint8Array.from([type, ...encodeBody(body)]);
    } catch {
      // What cannot be packed is no frame; a bare type byte is one.
      return Uint8Array.of(type);
    }
  });

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(fc.integer({ min: 0, max: 12 }), fc.uint8Array({ maxLength: 200 }))
    .map(([type, body]) => Uint8Array.from([type, ...body])),
  fc.nat({ max: 65_000 }).map((length) => new Uint8Array(length).fill(4)),
);

/** One change to a frame: a byte set, bits flipped, cut, something put in, a part twice. */
const mutation = fc.record({
  how: fc.constantFrom('set', 'flip', 'cut', 'insert', 'double'),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  byte: fc.integer({ min: 0, max: 255 }),
});

const mutated = fc
  .tuple(fc.oneof(valid, misshapen), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([frame, mutations]) => mutations.reduce(mutate, frame));

function mutate(
  frame: Uint8Array,
  { how, at, byte }: { how: string; at: number; byte: number },
): Uint8Array {
  const place = Math.floor(at * frame.length);
  const [before, after] = [[...frame.subarray(0, place)], [...frame.subarray(place)]];
  switch (how) {
    case 'set':
      return Uint8Array.from([...before, byte, ...after.slice(1)]);
    case 'flip':
      return Uint8Array.from([...before, (after[0] ?? 0) ^ byte, ...after.slice(1)]);
    case 'cut':
      return Uint8Array.from(before);
    case 'insert':
      return Uint8Array.from([...before, byte, ...after]);
    default:
      return Uint8Array.from([...before, ...after, ...after]).subarray(0, 60_000);
  }
}

/** What a client may send, and mostly should not. */
export const frames = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: mutated },
    { weight: 2, arbitrary: misshapen },
    { weight: 1, arbitrary: valid },
    { weight: 1, arbitrary: noise },
    { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
  ),
  { minLength: 1, maxLength: 60 },
);

/** Requests as an HTTP client would write them, then changed. */
export const exchanges = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'OPTIONS', 'BREW', 'get'),
    fc.oneof(
      fc.constantFrom('/healthz', '/v1/jobs/pipeline', '/v1/jobs/a/stream', '/v1/socket', '/', '*'),
      fc.webPath(),
      fc.string({ maxLength: 50, unit: 'binary' }),
    ),
    fc.array(
      fc.tuple(
        fc.oneof(
          fc.constantFrom(
            'authorization',
            'content-length',
            'transfer-encoding',
            'idempotency-key',
            'upgrade',
            'sec-websocket-key',
            'sec-websocket-protocol',
            'sec-websocket-version',
            'fly-client-ip',
            'origin',
          ),
          fc.stringMatching(/^[a-zA-Z-]{1,12}$/),
        ),
        fc.oneof(
          fc.constantFrom(
            'websocket',
            'chunked',
            'dGhlIHNhbXBsZSBub25jZQ==',
            'muster.v1',
            'Bearer x',
            '5',
            '-1',
            '99999999999999999999',
          ),
          fc.string({ maxLength: 40, unit: 'binary' }),
        ),
      ),
      { maxLength: 6 },
    ),
    fc.uint8Array({ maxLength: 100 }),
    fc.array(mutation, { maxLength: 3 }),
  )
  .map(([method, path, headers, body, mutations]) => {
    const lines = headers.map(([name, text]) => `${name}: ${text}\r\n`).join('');
    const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${lines}\r\n`);
    return mutations.reduce(mutate, Uint8Array.from(Buffer.concat([head, body])));
  });

import { beforeAll, describe, expect, test } from 'vitest';
import {
  clientMessages,
  encodeBody,
  replyErrors,
  serverMessages,
  type ReplyErrorCode,
} from '../../protocol/index.ts';
import { Muster } from '../support/muster.ts';
import type { RawClient } from '../support/raw-client.ts';

let muster: Muster;
beforeAll(async () => {
  muster = await Muster.start({ workers: 0 });
});

const { hello, ping, ack, request, cancel, join, leave, say, presence, watch, steer, forfeit } =
  clientMessages;

/** Bytes from numbers, text and other bytes, one after the other. */
function bytes(...parts: (number | string | Uint8Array)[]): Uint8Array {
  const read = parts.map((part) =>
    typeof part === 'number' ? Uint8Array.of(part) : Buffer.from(part as string),
  );
  return Buffer.concat(read);
}

/** MessagePack as msgpack.org writes it, by hand: what an encoder would never produce. */
const str = (text: string): Uint8Array => bytes(0xa0 | Buffer.byteLength(text), text);
const float64 = (value: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(9));
  view.setUint8(0, 0xcb);
  view.setFloat64(1, value);
  return new Uint8Array(view.buffer);
};
const nested = (levels: number): Uint8Array => bytes(...Array<number>(levels).fill(0x91), 0xc0);

/** A `join` whose room is these bytes. */
const joining = (...room: (number | string | Uint8Array)[]): Uint8Array =>
  bytes(join.type, 0x81, str('room'), ...room);
/** A `join` of room x with one more key, given as bytes with its value. */
const joiningWith = (...entry: (number | string | Uint8Array)[]): Uint8Array =>
  bytes(join.type, 0x82, str('room'), str('x'), ...entry);
/** A message as an encoder writes it, whatever its schema says. */
const packed = (type: number, body: unknown): Uint8Array => bytes(type, encodeBody(body));
/** A request for a pipeline whose input is these bytes. */
const asking = (...input: (number | string | Uint8Array)[]): Uint8Array =>
  bytes(
    request.type,
    0x83,
    str('id'),
    str('r'),
    str('kind'),
    str('pipeline'),
    str('input'),
    ...input,
  );
const fixed = (type: number, hex: string): Uint8Array => bytes(type, Buffer.from(hex, 'hex'));

interface Bad {
  readonly what: string;
  readonly frame: Uint8Array | string;
  readonly code: ReplyErrorCode;
  /** What the error repeats of the frame, besides its type where that is known. */
  readonly repeats?: { readonly ref?: number; readonly id?: string };
  readonly says?: RegExp;
}

function family(code: ReplyErrorCode, frames: Record<string, Uint8Array | string>): Bad[] {
  return Object.entries(frames).map(([what, frame]) => ({ what, frame, code }));
}

const families: Record<string, Bad[]> = {
  'F1 text frame': family('text_frame', { hello: '{"hello":1}', empty: '', long: 'x'.repeat(999) }),
  'F1 empty frame': family('empty_frame', { 'no byte at all': bytes() }),
  'F1 unknown type': family('unknown_type', {
    zero: bytes(0, 0x80),
    'one above the last': bytes(forfeit.type + 1, 0x80),
    'the highest': bytes(255, 0x80),
    'a bare type byte': bytes(0x20),
  }),
  'F2 message of a gateway': family('unknown_type', {
    over: packed(serverMessages.over.type, { match: 'A'.repeat(16), replay: '/' }),
  }),
  'F2 message of a gateway whose type is one of ours': family('invalid_body', {
    accepted: packed(serverMessages.accepted.type, { id: 'r', kind: 'k', state: 'x', attempt: 0 }),
    progress: packed(serverMessages.progress.type, { id: 'r', attempt: 1, seq: 1, value: 1 }),
    members: packed(serverMessages.members.type, { room: 'x', members: [], total: 0 }),
    moved: packed(serverMessages.moved.type, { room: 'x', player: 'y', here: true }),
  }),
  'F7 truncated': family('malformed_body', {
    'no body': bytes(join.type),
    'map without entries': bytes(join.type, 0x81),
    'key without value': bytes(join.type, 0x81, str('room')),
    'string cut': bytes(join.type, 0x81, str('room'), 0xa5, 'lob'),
    'string without length': joining(0xd9),
    'str 16 without length': joining(0xda, 0x01),
    'str 32 without length': joining(0xdb, 0, 0),
    'float 64 cut': joining(0xcb, 0x40),
    'uint 32 cut': joining(0xce, 1, 2, 3),
    'int 64 cut': joining(0xd3, 0),
    'map 16 without length': bytes(join.type, 0xde, 0),
    'array 32 without length': bytes(join.type, 0xdd, 0, 0, 0),
    'array shorter than it says': joining(0x93, 0xc0, 0xc0),
  }),
  'F5 trailing bytes': family('malformed_body', {
    'one byte': bytes(joining(str('x')), 0),
    'a second body': bytes(joining(str('x')), 0x80),
    'a second frame': bytes(joining(str('x')), joining(str('y'))),
  }),
  'F5 extension types': family('malformed_body', {
    'fixext 1': joining(0xd4, 1, 0),
    'fixext 16': joining(0xd8, 1, Buffer.alloc(16)),
    'ext 8': joining(0xc7, 2, 1, 0, 0),
    'ext 32 that says 4 GiB': joining(0xc9, 0xff, 0xff, 0xff, 0xff, 1),
    'msgpackr record': asking(0xd4, 0x72, 0x40, 0x91, str('a'), 0xc0),
    'msgpackr undefined': joining(0xd4, 0, 0),
  }),
  'F5 timestamps': family('malformed_body', {
    '32 bits': asking(0xd6, 0xff, 0, 0, 0, 1),
    '64 bits': asking(0xd7, 0xff, Buffer.alloc(8)),
    '96 bits': asking(0xc7, 12, 0xff, Buffer.alloc(12)),
  }),
  'F5 binary where text belongs': family('malformed_body', {
    'bin 8': joining(0xc4, 1, 'x'),
    'bin 16': joining(0xc5, 0, 1, 'x'),
    'bin 32': joining(0xc6, 0, 0, 0, 1, 'x'),
  }),
  'F5 the byte 0xc1': family('malformed_body', {
    'as a value': joining(0xc1),
    'as the body': bytes(join.type, 0xc1),
  }),
  'F6 deep nesting': family('malformed_body', {
    '13 levels': asking(nested(12)),
    '8 000 levels': asking(nested(8_000)),
    'maps in maps': asking(...Array.from({ length: 12 }, () => bytes(0x81, str('k'))), 0xc0),
  }),
  'F6 too many items': family('malformed_body', {
    '4 097 in a list': asking(0xdc, 0x10, 0x01, Buffer.alloc(4_097, 0xc0)),
    'a list that says 2^32 - 1': asking(0xdd, 0xff, 0xff, 0xff, 0xff),
    'a map that says 2^32 - 1': asking(0xdf, 0xff, 0xff, 0xff, 0xff),
    'many small lists': asking(0xdc, 0x08, 0x00, ...Array.from({ length: 2_048 }, () => nested(1))),
  }),
  'F6 huge strings': family('malformed_body', {
    '8 193 bytes': asking(0xda, 0x20, 0x01, Buffer.alloc(8_193, 0x78)),
    'one that says 4 GiB': joining(0xdb, 0xff, 0xff, 0xff, 0xff),
  }),
  'F5 strings that are no UTF-8': family('malformed_body', {
    overlong: joining(0xa2, 0xc0, 0xaf),
    'overlong in three bytes': joining(0xa3, 0xe0, 0x80, 0xaf),
    surrogate: joining(0xa3, 0xed, 0xa0, 0x80),
    'cut sequence': joining(0xa2, 0xe2, 0x82),
    'cut sequence before an ASCII letter': joining(0xa2, 0xc3, 'x'),
    'above U+10FFFF': joining(0xa4, 0xf4, 0x90, 0x80, 0x80),
    'lone continuation': joining(0xa1, 0x80),
    '0xff': joining(0xa1, 0xff),
    'in a key': joiningWith(0xa1, 0xff, 0xc0),
  }),
  'F5 NaN and infinities': family('malformed_body', {
    'NaN in 64 bits': asking(float64(Number.NaN)),
    'NaN in 32 bits': asking(0xca, 0x7f, 0xc0, 0, 0),
    Infinity: asking(float64(Number.POSITIVE_INFINITY)),
    '-Infinity in 32 bits': asking(0xca, 0xff, 0x80, 0, 0),
  }),
  'F5 integers beyond 2^53': family('malformed_body', {
    '2^53': asking(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0),
    '-2^53': asking(0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 0),
    '2^64 - 1': asking(0xcf, Buffer.alloc(8, 0xff)),
  }),
  'F5 keys that are no strings': family('malformed_body', {
    integer: joiningWith(1, 0xc0),
    nil: joiningWith(0xc0, 0xc0),
    list: joiningWith(0x90, 0xc0),
    binary: joiningWith(0xc4, 1, 'k', 0xc0),
    'str 16': joiningWith(0xda, 0, 1, 'k', 0xc0),
  }),
  'F5 keys of every object': family('malformed_body', {
    __proto__: joiningWith(str('__proto__'), 0x80),
    constructor: joiningWith(str('constructor'), 0xc0),
    prototype: joiningWith(str('prototype'), 0xc0),
    '__proto__ as str 8': joiningWith(0xd9, 9, '__proto__', 0x80),
    '__proto__ deep in an input': asking(0x81, str('note'), 0x81, str('__proto__'), 0xc0),
  }),
  'F7 extra fields': family('invalid_body', {
    'beside the room': joiningWith(str('extra'), 1),
    'a field of another message': packed(leave.type, { room: 'x', text: 'y' }),
    'in ping’s place': packed(cancel.type, { id: 'r', seq: 1 }),
  }),
  'F7 missing fields': family('invalid_body', {
    'no room': bytes(join.type, 0x80),
    'no text': packed(say.type, { room: 'x' }),
    'no id': packed(request.type, { kind: 'pipeline', input: {} }),
    'no kind': packed(request.type, { id: 'r', input: {} }),
    'no input': packed(request.type, { id: 'r', kind: 'pipeline' }),
  }),
  'F7 wrong types': family('invalid_body', {
    'a number for a room': joining(5),
    'nil for a room': joining(0xc0),
    'a list for a room': joining(0x91, str('x')),
    'true for text': packed(say.type, { room: 'x', text: true }),
    'nil for an optional ref': packed(join.type, { room: 'x', ref: null }),
    'a list as the body': bytes(join.type, 0x91, str('x')),
    'nil as the body': bytes(join.type, 0xc0),
    'a string as the body': bytes(join.type, str('room')),
  }),
  'F7 out of range': family('invalid_body', {
    'ref below 0': packed(join.type, { room: 'x', ref: -1 }),
    'ref of 2^32': packed(join.type, { room: 'x', ref: 2 ** 32 }),
    'ref of 1.5': packed(join.type, { room: 'x', ref: 1.5 }),
    'empty text': packed(say.type, { room: 'x', text: '' }),
    '501 characters': packed(say.type, { room: 'x', text: 'x'.repeat(501) }),
    'no time to run': packed(request.type, { id: 'r', kind: 'drill', input: 1, deadlineMs: 0 }),
    'a day and 1 ms': packed(request.type, {
      id: 'r',
      kind: 'd',
      input: 1,
      deadlineMs: 86_400_001,
    }),
    'a kind without name': packed(request.type, { id: 'r', kind: '', input: {} }),
    'a kind of 65 letters': packed(request.type, { id: 'r', kind: 'k'.repeat(65), input: {} }),
  }),
  'F9 fixed body of another length': family('malformed_body', {
    'ping without body': bytes(ping.type),
    'ping one byte short': fixed(ping.type, '00'.repeat(11)),
    'ping one byte long': fixed(ping.type, '00'.repeat(13)),
    'ack one byte short': fixed(ack.type, '00'.repeat(7)),
    'ack of 16 000 bytes': fixed(ack.type, '00'.repeat(16_000)),
    'ping as MessagePack': packed(ping.type, { seq: 1, clientTime: 1 }),
  }),
  'F9 NaN and infinities in a fixed body': family('invalid_body', {
    NaN: fixed(ping.type, '000000017ff8000000000000'),
    'another NaN': fixed(ping.type, '00000001fff0000000000001'),
    Infinity: fixed(ping.type, '000000017ff0000000000000'),
    '-Infinity': fixed(ping.type, '00000001fff0000000000000'),
  }),
  'F4 frame over the limit': family('frame_too_large', {
    'one byte over': asking(Buffer.alloc(16_385 - asking().length, 0x78)),
    'four times the limit': asking(Buffer.alloc(65_536 - asking().length, 0x78)),
    ping: bytes(ping.type, Buffer.alloc(20_000)),
  }),
  'H6 hello twice': family('hello_twice', {
    'a valid one': packed(hello.type, {}),
    'one that is no hello': bytes(hello.type, 0xc1),
  }),
  'Q1 malformed request id': family('invalid_body', {
    empty: packed(cancel.type, { id: '' }),
    'with a space': packed(cancel.type, { id: 'a b' }),
    'with a colon': packed(request.type, { id: 'a:b', kind: 'pipeline', input: {} }),
    'with a slash': packed(request.type, { id: '../x', kind: 'pipeline', input: {} }),
    '65 characters': packed(cancel.type, { id: 'x'.repeat(65) }),
    'a number': packed(cancel.type, { id: 7 }),
  }),
  'P malformed room name': family('invalid_body', {
    empty: joining(str('')),
    'with a space': joining(str('a b')),
    'with braces': joining(str('{x}')),
    '65 characters': packed(join.type, { room: 'x'.repeat(65) }),
    'a letter outside ASCII': joining(str('é')),
  }),
  'K1 unknown kind': ['nonsense', 'constructor', 'toString', '__proto__', 'Pipeline'].map(
    (kind) => ({
      what: kind,
      frame: packed(request.type, { ref: 4, id: 'r-1', kind, input: {} }),
      code: 'unknown_kind',
      repeats: { ref: 4, id: 'r-1' },
    }),
  ),
  'Q invalid input': Object.entries({
    'a list': [],
    nil: null,
    'a wrong type': { firstMs: '1' },
    'an extra field': { other: 1 },
    'out of range': { firstMs: 60_001 },
    'a fraction': { thenMs: 0.5 },
    'below 0': { thenMs: -1 },
    '11 levels': { note: [[[[[[[[[[1]]]]]]]]]] },
    'the highest integer': { firstMs: Number.MAX_SAFE_INTEGER },
  }).map(([what, input]) => ({
    what,
    frame: packed(request.type, { ref: 5, id: 'r-2', kind: 'pipeline', input }),
    code: 'invalid_input',
    repeats: { ref: 5, id: 'r-2' },
  })),
  'K1 input over the limit': Object.entries({
    'one long string': { note: 'x'.repeat(8_192) },
    'a long list': { note: Array.from({ length: 1_500 }, () => 'longer') },
  }).map(([what, input]) => ({
    what,
    frame: packed(request.type, { ref: 6, id: 'r-3', kind: 'pipeline', input }),
    code: 'input_too_large',
    repeats: { ref: 6, id: 'r-3' },
  })),
  'Q8 unknown request': [
    {
      what: 'cancel of what never was',
      frame: packed(cancel.type, { ref: 7, id: 'never' }),
      code: 'unknown_request',
      repeats: { ref: 7, id: 'never' },
    },
  ],
  'F9 a stick beyond its range': family('invalid_body', {
    x: fixed(steer.type, '0000000100000001800000'),
    y: fixed(steer.type, '0000000100000001008000'),
  }),
  'M2 unknown match': [
    {
      what: 'watch',
      frame: packed(watch.type, { ref: 8, match: 'A'.repeat(16) }),
      code: 'not_found',
      repeats: { ref: 8 },
    },
    {
      what: 'forfeit',
      frame: packed(forfeit.type, { ref: 8, match: 'A'.repeat(16) }),
      code: 'not_found',
      repeats: { ref: 8 },
    },
  ],
  'P3 not in the room': [
    [leave.type, { ref: 8, room: 'elsewhere' }],
    [presence.type, { ref: 8, room: 'elsewhere' }],
    [say.type, { ref: 8, room: 'elsewhere', text: 'hi' }],
  ].map(([type, body]) => ({
    what: `type ${type as number}`,
    frame: packed(type as number, body),
    code: 'not_in_room',
    repeats: { ref: 8 },
  })),
};

const typesKnown = new Set<unknown>(Object.values(clientMessages).map(({ type }) => type));

async function refused(raw: RawClient, { frame, code, repeats }: Bad): Promise<void> {
  raw.sendBytes(frame);
  const { body } = await raw.next('error');
  const type = typeof frame === 'string' ? undefined : frame[0];
  expect(body).toEqual({
    code,
    message: expect.stringContaining(replyErrors[code].says) as string,
    retry: replyErrors[code].retry,
    ...(typesKnown.has(type) && { type }),
    ...repeats,
  });
}

let seq = 0;
/** The socket is open and does what it is for. */
async function useful(raw: RawClient): Promise<void> {
  seq++;
  raw.send('ping', { seq, clientTime: 1 });
  expect((await raw.next('pong')).body.seq).toBe(seq);
}

describe('G1, G2: a malformed frame is answered by its code, and the socket stays open and useful', () => {
  test.each(Object.entries(families))('%s', async (_name, frames) => {
    const raw = await muster.raw({ player: 'ann' });
    await raw.hello();
    for (const bad of frames) {
      await refused(raw, bad);
      await useful(raw);
    }
    raw.send('join', { ref: 9, room: 'lobby' });
    expect((await raw.next('members')).body).toMatchObject({ ref: 9, room: 'lobby' });
    // One answer each, and nothing else was done.
    expect(raw.all('error')).toHaveLength(frames.length);
    expect(raw.all('members')).toHaveLength(1);
    raw.close();
  });

  test('there are at least 20 families of them', () => {
    expect(Object.keys(families).length).toBeGreaterThanOrEqual(20);
  });
});

test('H6: before hello everything else is hello_first, a bad hello is refused, a good one still opens', async () => {
  const raw = await muster.raw({ player: 'bea' });
  const session = { id: 'A'.repeat(16), epoch: 1, offset: 0, nonce: 0 };
  const before: Bad[] = [
    ...family('hello_first', {
      ping: fixed(ping.type, '00'.repeat(12)),
      request: packed(request.type, { ref: 1, id: 'r', kind: 'pipeline', input: {} }),
      'what is no request': bytes(request.type, 0xc1),
    }),
    ...family('text_frame', { text: 'hello' }),
    ...family('malformed_body', { 'hello that is none': bytes(hello.type, 0xc1) }),
    ...family('invalid_body', {
      'a token in the wrong place': packed(hello.type, { token: 'x' }),
      'a session without position': packed(hello.type, { session: { id: session.id } }),
      'a session id that is short': packed(hello.type, { session: { ...session, id: 'A' } }),
      'a session id with other letters': packed(hello.type, {
        session: { ...session, id: 'A'.repeat(15) + ':' },
      }),
      'an epoch below 0': packed(hello.type, { session: { ...session, epoch: -1 } }),
      'an offset of 2^32': packed(hello.type, { session: { ...session, offset: 2 ** 32 } }),
    }),
  ];
  for (const bad of before) await refused(raw, bad);
  expect((await raw.hello()).player).toBe('bea');
  await useful(raw);
  raw.close();
});

test('F4: a frame of four times the limit and one byte cuts its socket without a code, and no other', async () => {
  const [raw, other] = await Promise.all([
    muster.raw({ player: 'cid' }),
    muster.raw({ player: 'dan' }),
  ]);
  await Promise.all([raw.hello(), other.hello()]);
  raw.sendBytes(bytes(request.type, Buffer.alloc(65_536)));
  expect((await raw.closed).code).toBe(1006);
  await useful(other);
  other.close();
});

test('F8: every width of a number and any order of keys means the same', async () => {
  const raw = await muster.raw({ player: 'eve' });
  await raw.hello();
  const refs = [
    bytes(7),
    bytes(0xcc, 7),
    bytes(0xcd, 0, 7),
    bytes(0xce, 0, 0, 0, 7),
    bytes(0xcf, Buffer.alloc(7), 7),
    bytes(0xd0, 7),
    bytes(0xd1, 0, 7),
    bytes(0xd2, 0, 0, 0, 7),
    bytes(0xd3, Buffer.alloc(7), 7),
    bytes(0xca, 0x40, 0xe0, 0, 0),
    float64(7),
  ];
  for (const ref of refs) {
    const room = bytes(0xdb, 0, 0, 0, 1, 'x');
    raw.sendBytes(bytes(join.type, 0xde, 0, 2, str('ref'), ref, 0xd9, 4, 'room', room));
    expect((await raw.next('members')).body).toMatchObject({ ref: 7, room: 'x' });
  }
  expect(raw.all('error')).toEqual([]);
  raw.close();
});

test('the gateway that answered all this had no fault of its own', () => {
  const lines = muster.gateway.process.output().split('\n');
  expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoder, encodeFrame } from '../codec.ts';
import { Refusal } from '../errors.ts';
import { encodeBody } from '../msgpack.ts';
import { clientMessages, type ClientBody, type ClientMessageName } from './client.ts';
import { serverMessages } from './server.ts';
import { hasEnded, requestStates } from './shared.ts';

const names = Object.keys(clientMessages) as ClientMessageName[];
const SESSION = { id: 'AAAAAAAAAAAAAAAA', epoch: 1, offset: 2, nonce: 3 };
const good: { readonly [N in ClientMessageName]: readonly ClientBody<N>[] } = {
  hello: [{}, { session: SESSION }],
  ping: [
    { seq: 0, clientTime: -1.5 },
    { seq: 4_294_967_295, clientTime: 0 },
  ],
  ack: [{ epoch: 1, offset: 2 }],
  request: [
    { id: 'r', kind: 'k', input: null },
    {
      ref: 0,
      id: 'A-z_9'.repeat(12),
      kind: 'k'.repeat(64),
      input: { a: [1] },
      deadlineMs: 86_400_000,
    },
  ],
  cancel: [{ id: 'r' }, { ref: 1, id: 'r' }],
  join: [{ room: 'a.b-c_1' }],
  leave: [{ ref: 4_294_967_295, room: 'a' }],
  say: [
    { room: 'a', text: 'x' },
    { room: 'a', text: 'é'.repeat(500) },
  ],
  presence: [{ room: 'a' }],
  watch: [{ match: 'AbC-_0123456789z' }],
  unwatch: [{ ref: 9, match: 'AbC-_0123456789z' }],
  steer: [
    { handle: 4_294_967_295, seq: 1, x: -127, y: 127, buttons: 255 },
    { handle: 0, seq: 0, x: 0, y: 0, buttons: 0 },
  ],
  forfeit: [{ ref: 1, match: 'AbC-_0123456789z' }],
};

/** Bodies that are well-formed MessagePack, and wrong. */
const bad: { readonly [N in ClientMessageName]?: readonly unknown[] } = {
  hello: [
    { ref: -1 },
    { session: null },
    { session: { ...SESSION, id: 'short' } },
    { session: { ...SESSION, id: 'AAAAAAAAAAAAAAA/' } },
    { session: { ...SESSION, epoch: 4_294_967_296 } },
    { session: { ...SESSION, offset: 0.5 } },
    { session: { id: SESSION.id, epoch: 1, offset: 2 } },
    { session: { ...SESSION, extra: 1 } },
  ],
  request: [
    { kind: 'k', input: 1 },
    { id: '', kind: 'k', input: 1 },
    { id: 'a'.repeat(65), kind: 'k', input: 1 },
    { id: 'a b', kind: 'k', input: 1 },
    { id: 'a\n', kind: 'k', input: 1 },
    { id: 7, kind: 'k', input: 1 },
    { id: 'a', kind: '', input: 1 },
    { id: 'a', kind: 'k'.repeat(65), input: 1 },
    { id: 'a', kind: 'k', input: 1, deadlineMs: 0 },
    { id: 'a', kind: 'k', input: 1, deadlineMs: 86_400_001 },
    { id: 'a', kind: 'k', input: 1, deadlineMs: 1.5 },
    { id: 'a', kind: 'k', input: 1, priority: 1 },
  ],
  cancel: [{}, { id: ['r'] }, { id: 'r', why: 'x' }],
  join: [{}, { room: '' }, { room: 'a/b' }, { room: 'a'.repeat(65) }, { room: 'a\u0000' }],
  leave: [{ room: 1 }],
  say: [
    { room: 'a', text: '' },
    { room: 'a', text: 'x'.repeat(501) },
    { room: 'a', text: 5 },
    { room: 'a' },
  ],
  presence: [{ room: null }],
  watch: [{}, { match: 'short' }, { match: 'AbC-_0123456789z0' }, { match: 'AbC-_012345678=' }],
  unwatch: [{ match: 7 }, { match: 'AbC-_0123456789z', slot: 1 }],
  forfeit: [{}, { match: 'AbC-_0123456789z', slot: 1 }],
};

function codeOf(name: ClientMessageName, frame: Uint8Array): string {
  try {
    decoder(clientMessages[name])(frame);
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('messages of a client', () => {
  it.each(names)('F2 %s comes back as it was', (name) => {
    const spec = clientMessages[name];
    for (const body of good[name]) {
      expect(decoder(spec)(encodeFrame(spec, body as never))).toEqual(body);
    }
  });

  const families = names.flatMap((name) => (bad[name] ?? []).map((body) => ({ name, body })));
  it.each(families)('F7 $name refuses $body', ({ name, body }) => {
    const { type } = clientMessages[name];
    expect(codeOf(name, Uint8Array.from([type, ...encodeBody(body)]))).toBe('invalid_body');
  });

  it('F9 steer refuses a stick beyond its range', () => {
    const frame = encodeFrame(clientMessages.steer, {
      handle: 1,
      seq: 1,
      x: 0,
      y: 0,
      buttons: 0,
    });
    for (const at of [9, 10]) {
      const wrong = frame.slice();
      wrong[at] = 0x80;
      expect(codeOf('steer', wrong)).toBe('invalid_body');
    }
  });

  it.each(names)('G1 %s takes or refuses whatever comes, and never fails otherwise', (name) => {
    const { type } = clientMessages[name];
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.jsonValue({ maxDepth: 3 }).map((value) => encodeBody(value)),
    );
    fc.assert(
      fc.property(body, (bytes) => {
        expect(['accepted', 'malformed_body', 'invalid_body']).toContain(
          codeOf(name, Uint8Array.from([type, ...bytes])),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('messages of a gateway', () => {
  it('F2 name the reply of every message that has one', () => {
    for (const spec of Object.values(clientMessages)) {
      const reply = 'reply' in spec ? spec.reply : 'welcome';
      expect(Object.keys(serverMessages)).toContain(reply);
    }
  });

  it('F3 every reply that is waited for can carry ref', () => {
    for (const name of ['accepted', 'ok', 'members', 'watching', 'error'] as const) {
      const { body } = serverMessages[name];
      expect(Object.keys((body.schema as { shape?: object }).shape ?? {})).toContain('ref');
    }
  });

  it('Q6 know which states are ends', () => {
    expect(requestStates.filter(hasEnded)).toEqual(['done', 'failed', 'cancelled', 'expired']);
    expect(hasEnded('gone')).toBe(false);
  });
});

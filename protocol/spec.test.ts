import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  clientMessages,
  closes,
  decodeDelta,
  decodeKeyframe,
  decoder,
  failures,
  kinds,
  matchFailures,
  replyErrors,
  serverMessages,
  verifyFaults,
  type MessageSpec,
} from './index.ts';

const spec = readFileSync(new URL('SPEC.md', import.meta.url), 'utf8');

/** Cells of every table row of the section that begins with this heading, without back-quotes. */
function rows(from: string, to: string): string[][] {
  const start = spec.indexOf(from);
  const end = spec.indexOf(to, start + 1);
  if (start < 0 || end < 0) throw new Error(`SPEC.md lacks ${start < 0 ? from : to}`);
  return spec
    .slice(start, end)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .slice(1);
}

function messageRows(table: Record<string, MessageSpec & { cost?: number; reply?: string }>) {
  return Object.entries(table).map(([name, { type, body }]) => [String(type), name, body.form]);
}

describe('SPEC.md says what the code does', () => {
  it('F2 lists every message of a client: type byte, form, credits, reply', () => {
    const written = rows('Client to gateway:', 'Gateway to client:');
    expect(written.map((row) => row.slice(0, 3))).toEqual(messageRows(clientMessages));
    // `welcome` also comes unasked, so the code does not count it as the reply to hello.
    const others = Object.entries<{ cost: number; reply?: string }>(clientMessages).map(
      ([name, { cost, reply }]) => [String(cost), name === 'hello' ? 'welcome' : (reply ?? 'none')],
    );
    expect(written.map((row) => row.slice(3))).toEqual(others);
  });

  it('F2 lists every message of a gateway: type byte, form', () => {
    const written = rows('Gateway to client:', '- **F3**');
    expect(written.map(([type, name, body = '']) => [type, name, body.split(' ')[0]])).toEqual(
      messageRows(serverMessages),
    );
  });

  it('F9 lists the fields of every fixed body at their places', () => {
    const written = rows('### Fixed bodies', '### Every message');
    const fixedOnes = [clientMessages, serverMessages].flatMap((table) =>
      Object.entries<MessageSpec>(table).flatMap(([name, { type, body }]) => {
        if (body.form !== 'fixed') return [];
        let at = 1;
        const fields = Object.entries(body.fields).map(([field, { width }]) => {
          const place = `${field} ${width} at ${at}`;
          at += Number(width.slice(1)) / 8;
          return place;
        });
        expect(at).toBe(body.size + 1);
        return [[name, String(type), fields.join(', ')]];
      }),
    );
    expect(
      written.map(([name, type, fields = '']) => [name, type, fields.replace(/, then the .*/, '')]),
    ).toEqual(fixedOnes);
  });

  it('E lists every reply error with its status and retry', () => {
    const written = rows('## E. Reply errors', '- **E4**').map((row) => row.slice(0, 3));
    expect(written).toEqual(
      Object.entries(replyErrors).map(([code, { http, retry }]) => [code, String(http), retry]),
    );
  });

  it('E4 lists every failure and whether a new try is worth it', () => {
    const written = rows('- **E4**', '## C. Closes').map((row) => row.slice(0, 2));
    expect(written).toEqual(
      Object.entries(failures).map(([code, { retry }]) => [code, retry ? 'yes' : 'no']),
    );
  });

  it('M10 lists every way in which a match can fail', () => {
    const written = rows('- **M10**', '- **M11**').map(([code]) => code);
    expect(written).toEqual(Object.keys(matchFailures));
  });

  it('C1 lists every close with its number and retry', () => {
    const written = rows('## C. Closes', '- **C2**').map((row) => row.slice(0, 3));
    expect(written).toEqual(
      Object.entries(closes).map(([name, { code, retry }]) => [String(code), name, retry]),
    );
  });

  it('K1 lists every job kind with its limits', () => {
    const written = rows('## K. Job kinds', '- **K2**');
    expect(written).toEqual(
      Object.values(kinds).map((kind) =>
        [
          kind.name,
          kind.lane,
          kind.delivery,
          kind.attempts,
          kind.deadlineMs,
          kind.timeLimitMs,
          kind.perPlayer,
          kind.depth,
          kind.inputBytes,
        ].map(String),
      ),
    );
  });

  it('K4 lists every fault that verify finds', () => {
    const written = rows('- **K4**', '- **K5**').map(([why]) => why);
    expect(written).toEqual(Object.keys(verifyFaults));
  });

  it('names an existing code for every bad input', () => {
    const known = [
      ...Object.keys(replyErrors).map((code) => `error ${code}`),
      ...Object.entries(closes).map(([name, { code }]) => `close ${code} ${name}`),
    ];
    for (const [input, answer = ''] of rows('## Bad input, named', '| malformed environment')) {
      const named = [...answer.matchAll(/error \w+|close \d+ \w+/g)].map(([code]) => code);
      expect({ input, named: named.length > 0 }).toEqual({ input, named: true });
      expect({ input, unknown: named.filter((code) => !known.includes(code)) }).toEqual({
        input,
        unknown: [],
      });
    }
  });

  it('numbers its rules without a gap', () => {
    const numbers = new Map<string, number[]>();
    for (const [, letter = '', number] of spec.matchAll(/^- \*\*([A-Z])(\d+)\*\*/gm)) {
      numbers.set(letter, [...(numbers.get(letter) ?? []), Number(number)]);
    }
    expect([...numbers.keys()].join('')).toBe('HFRQPMLECKJG');
    for (const list of numbers.values()) expect(list).toEqual(list.map((_, index) => index + 1));
  });
});

interface Example {
  readonly direction: 'client' | 'server';
  readonly name: string;
  readonly frame: Uint8Array;
  readonly bodies: string[];
}

const examples: Example[] = [
  ...spec.matchAll(/^```frame (client|server) (\w+)\n([^=]+)((?:= .*\n)+)```$/gm),
].map(([, direction, name = '', hex = '', bodies = '']) => ({
  direction: direction === 'client' ? 'client' : 'server',
  name,
  frame: Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')),
  bodies: bodies
    .trim()
    .split('\n')
    .map((line) => line.slice(2)),
}));

function decode(direction: Example['direction'], name: string, frame: Uint8Array): unknown {
  const table: Record<string, MessageSpec> =
    direction === 'client' ? clientMessages : serverMessages;
  const message = table[name];
  if (message === undefined) throw new Error(`no message ${name}`);
  expect(frame[0]).toBe(message.type);
  return decoder(message)(frame);
}

/** Bytes before what follows a header. */
const headers = new Map([
  ['reliable', 9],
  ['snapshot', 17],
]);

/** The vector that a snapshot of the examples shows; its keyframe is among them. */
function pictureOf(frame: Uint8Array): Int32Array {
  const head = (of: Uint8Array) =>
    decode('server', 'snapshot', of.subarray(0, 17)) as { tick: number; key: number };
  const { tick, key } = head(frame);
  const payload = frame.subarray(17);
  if (key === tick) return decodeKeyframe(payload);
  const base = examples.find((one) => one.name === 'snapshot' && head(one.frame).tick === key);
  if (base === undefined) throw new Error(`no example of keyframe ${key}`);
  return decodeDelta(payload, pictureOf(base.frame));
}

describe('the examples of SPEC.md', () => {
  it('F2 there is one of every message', () => {
    const shown = new Set(examples.map(({ direction, name }) => `${direction} ${name}`));
    for (const name of Object.keys(clientMessages)) expect(shown).toContain(`client ${name}`);
    for (const name of Object.keys(serverMessages)) expect(shown).toContain(`server ${name}`);
    expect(examples).toHaveLength([...spec.matchAll(/^```frame/gm)].length);
  });

  it.each(examples)('F decode to what stands behind them: $direction $name $bodies', (example) => {
    const { direction, name, frame, bodies } = example;
    const [body = '', inner = ''] = bodies;
    const header = headers.get(name) ?? frame.length;
    const space = inner.indexOf(' ');
    const decoded = [decode(direction, name, frame.subarray(0, header))];
    const written: unknown[] = [JSON.parse(body)];
    if (name === 'snapshot') {
      decoded.push([...pictureOf(frame)]);
      written.push(JSON.parse(inner));
    } else if (header < frame.length) {
      decoded.push(decode(direction, inner.slice(0, space), frame.subarray(header)));
      written.push(JSON.parse(inner.slice(space)));
    }
    expect(decoded).toEqual(written);
  });
});

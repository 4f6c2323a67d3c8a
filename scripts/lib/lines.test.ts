import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { eachLine, readable } from './lines.ts';

test('lines are whole, however their pieces arrive', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  eachLine(stream, (line) => void lines.push(line));
  const bytes = Buffer.from('one\ntwo\n\nthree \u{1f6a9} and the rest');
  // In the middle of a word, of a line end's neighbourhood and of a character of four bytes.
  let from = 0;
  for (const to of [2, 7, 8, 17, bytes.length]) {
    stream.write(bytes.subarray(from, to));
    from = to;
  }
  stream.end();
  await new Promise((resolve) => stream.once('close', resolve));
  expect(lines).toEqual(['one', 'two', '', 'three \u{1f6a9} and the rest']);
});

test('a JSON log line is made readable, with its fields', () => {
  const record = {
    time: '2026-01-02T03:04:05.678Z',
    level: 'info',
    role: 'gateway',
    message: 'listening',
    port: 3000,
    why: 'two words',
    list: [1, 'a b'],
  };
  expect(readable(JSON.stringify(record), 'gateway')).toBe(
    '03:04:05.678 info  gateway listening port=3000 why="two words" list=[1,"a b"]',
  );
});

test('an error keeps its stack over several lines', () => {
  const error = { name: 'Error', message: 'no', stack: 'Error: no\n    at here' };
  const record = { time: '2026-01-02T03:04:05.678Z', level: 'error', message: 'failed', error };
  expect(readable(JSON.stringify(record), 'worker')).toBe(
    '03:04:05.678 error worker  failed error=Error: no\n    at here',
  );
});

test.each(['plain words', '{"half', '[1]', 'null', '{"no":"message"}', ''])(
  'anything else passes as it is: %j',
  (line) => expect(readable(line, 'gateway')).toBe(line),
);

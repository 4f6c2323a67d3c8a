import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measureRegions } from './regions.ts';

let server: Server;
let here: string;

beforeAll(async () => {
  server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('no port');
  here = `http://127.0.0.1:${at.port}/`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('a region that answers is measured, one that does not is left out', async () => {
  const measured = await measureRegions({ here, gone: 'http://127.0.0.1:1/' });
  expect(Object.keys(measured)).toEqual(['here']);
  expect(measured['here']).toBeGreaterThan(0);
});

test('the first round trip, which opens the connection, does not count', async () => {
  const asked: string[] = [];
  const measured = await measureRegions({ a: 'x' }, async (address) => {
    asked.push(address);
    if (asked.length > 1) throw new Error('gone');
  });
  expect(asked).toHaveLength(2);
  expect(measured).toEqual({});
});

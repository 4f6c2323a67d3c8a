import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servePages } from './pages.ts';
import type { Exchange } from './uws.ts';

const SECRET = 'not for players';
let outside: string;
let serve: (exchange: Exchange) => boolean;

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'muster-pages-'));
  const folder = join(outside, 'demo');
  await mkdir(join(folder, 'deep'), { recursive: true });
  await writeFile(join(outside, 'secret.html'), SECRET);
  await writeFile(join(folder, 'index.html'), 'index');
  await writeFile(join(folder, 'main.js'), 'script');
  await writeFile(join(folder, 'deep', 'a.css'), 'style');
  await writeFile(join(folder, 'notes.txt'), 'notes');
  serve = servePages(folder);
});

afterAll(async () => await rm(outside, { recursive: true }));

/** @returns status, type and text of the answer; undefined when there is no page at the path */
function ask(path: string): readonly [number, string | undefined, string] | undefined {
  let answer: readonly [number, string | undefined, string] | undefined;
  const reply: Exchange['reply'] = (status, headers, body) => {
    answer = [status, headers['content-type'], Buffer.from(body).toString()];
  };
  const exchange: Partial<Exchange> = { path, reply };
  expect(serve(exchange as Exchange)).toBe(answer !== undefined);
  return answer;
}

test('files of the folder, each by its type', () => {
  expect(ask('/')).toEqual([200, 'text/html; charset=utf-8', 'index']);
  expect(ask('/index.html')?.[2]).toBe('index');
  expect(ask('/main.js')).toEqual([200, 'text/javascript; charset=utf-8', 'script']);
  expect(ask('/deep/a.css')).toEqual([200, 'text/css; charset=utf-8', 'style']);
});

test('nothing where there is no file, and no file of a type that pages do not have', () => {
  for (const path of ['/none.html', '/deep', '/deep/', '/notes.txt', '/main', '']) {
    expect(ask(path)).toBeUndefined();
  }
});

test('no path leads out of the folder', () => {
  const part = fc.constantFrom('..', '.', '', 'deep', 'demo', '%2e%2e', '..%2f', '\\..', '\0');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      expect(ask(`/${[...parts, 'secret.html'].join('/')}`)).toBeUndefined();
    }),
  );
});

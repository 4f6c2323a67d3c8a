import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAst } from 'vitest/node';

const GAMES = import.meta.dirname;

/** What a simulation may import besides its own folder and the helpers beside it. */
const PACKAGES = new Set(['zod', '@dimforge/rapier2d-compat']);

/** Exact on every engine, or rounded correctly by the standard. */
const EXACT_MATH = new Set(
  `abs ceil clz32 floor fround imul max min round sign sqrt trunc
  E PI SQRT2 SQRT1_2 LN2 LN10 LOG2E LOG10E`.split(/\s+/),
);

/** Clocks, chance, I/O, other threads, the collector's moods, and ways to reach them unseen. */
const IMPURE = new Set(
  `Date performance Temporal setTimeout setInterval setImmediate queueMicrotask
  requestAnimationFrame crypto process console fetch WebSocket XMLHttpRequest localStorage navigator
  Worker SharedArrayBuffer Atomics WeakRef FinalizationRegistry Intl eval Function require module
  globalThis global window self Reflect Proxy WebAssembly sessionStorage indexedDB document location
  EventSource MessageChannel BroadcastChannel postMessage requestIdleCallback scheduler AbortSignal
  Event CustomEvent File Deno Bun Buffer`.split(/\s+/),
);

/** Members that depend on the machine's language or its files, or lead to the Function constructor. */
const IMPURE_MEMBERS =
  /^(toLocale\w*|localeCompare|constructor|__proto__|stack|captureStackTrace)$/;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string';

const nameOf = (node: unknown): string =>
  isNode(node) && typeof node['name'] === 'string' ? node['name'] : '';

/** What makes a source impure, as lines `file:line what`. `file` must lie in `games`. */
function impurities(source: string, file: string, games: string): string[] {
  const found: string[] = [];
  const report = (node: Node, what: string): void => {
    const line = source.slice(0, node.start).split('\n').length;
    found.push(`${relative(games, file)}:${line} ${what}`);
  };

  const checkImport = (node: Node): void => {
    const from = isNode(node['source']) ? node['source']['value'] : undefined;
    if (typeof from !== 'string' || PACKAGES.has(from)) return;
    const target = resolve(dirname(file), from);
    const [folder, ...rest] = relative(games, target).split('/');
    // Helpers lie beside the games; another game is no helper.
    const isHelper = rest.length === 0 && folder !== '..';
    const isOwn = rest.length > 0 && folder === relative(games, file).split('/')[0];
    if (!from.startsWith('.') || !(isHelper || isOwn)) report(node, `imports ${from}`);
  };

  const checkIdentifier = (node: Node, parent: Node | undefined, role: string): void => {
    const isMember = parent?.type === 'MemberExpression' && role === 'property';
    const isKey = role === 'key';
    const isLabel = (isMember || isKey) && parent?.['computed'] !== true;
    const name = nameOf(node);
    if (isMember && IMPURE_MEMBERS.test(name)) report(node, `.${name}`);
    if (isLabel) return;
    if (name === 'Math') {
      const isExact =
        parent?.type === 'MemberExpression' &&
        parent['computed'] !== true &&
        EXACT_MATH.has(nameOf(parent['property']));
      if (!isExact) report(node, `Math.${nameOf(parent?.['property']) || '?'}`);
    } else if (IMPURE.has(name)) report(node, name);
  };

  const walk = (node: Node, parent?: Node, role = ''): void => {
    if (node.type === 'Identifier') checkIdentifier(node, parent, role);
    if (/^(Import|ExportAll|ExportNamed)Declaration$/.test(node.type)) checkImport(node);
    if (/^(ImportExpression|MetaProperty)$/.test(node.type))
      report(node, 'import() or import.meta');
    if (node['operator'] === '**' || node['operator'] === '**=') report(node, '**');
    for (const [key, value] of Object.entries(node)) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (isNode(child)) walk(child, node, key);
      }
    }
  };

  walk(parseAst(source, { lang: 'ts' }) as unknown as Node);
  return found;
}

/**
 * Not what a match runs: what serves tests, the list of games, and what drill does when it is asked to misbehave
 * (kill its process, keep it busy for a time), which nothing pure can do.
 */
const EXEMPT = ['suite.ts', 'index.ts', join('drill', 'deeds.ts')];

/** Sources that a match runs. */
const sources = readdirSync(GAMES, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !EXEMPT.includes(name),
);

test.each(sources)('%s is pure', (name) => {
  const file = join(GAMES, name);
  expect(impurities(readFileSync(file, 'utf8'), file, GAMES)).toEqual([]);
});

test('there are sources to look at', () => {
  expect(sources).toContain(join('knockout', 'simulation.ts'));
});

describe('the check itself', () => {
  const check = (source: string): string[] => impurities(source, '/games/pong/index.ts', '/games');

  test.each([
    'const x = Math.random()',
    'const x = Math.sin(1)',
    'const x = Math["cos"](1)',
    'const { atan2 } = Math',
    'const m = Math; m.exp(1)',
    'const x = 2 ** 0.5',
    'let x = 2; x **= 3',
    'const now = Date.now()',
    'const now = new Date()',
    'const text = `${performance.now()}`',
    'setTimeout(() => {}, 1)',
    'console.log(1)',
    'const o = { Date }',
    'globalThis.Date',
    '(() => {}).constructor("return 1")()',
    'const where = error.stack',
    'const late = AbortSignal.timeout(1)',
    'document.title',
    'const bytes = Buffer.alloc(1)',
    '[1].toLocaleString()',
    '"a".localeCompare("b")',
    'import { readFileSync } from "node:fs"',
    'import x from "lodash"',
    'import { y } from "../chess/index.ts"',
    'import { y } from "../../lib/redis.ts"',
    'export * from "node:os"',
    'const x = await import("zod")',
    'const here = import.meta.url',
  ])('refuses %s', (source) => {
    expect(check(source)).toHaveLength(1);
  });

  test.each([
    'const x = Math.sqrt(Math.max(1, 2)) // Math.sin(x) ** 2, Date.now()',
    'const text = "Date.now() Math.random()"; /* performance */ const r = /Math.sin/',
    'const o = { Date: 1, process: 2 }; o.Date + o.process',
    'import { z } from "zod"; import { Random } from "../random.ts"; import "./rules.ts"',
    'export type { Seat } from "../contract.ts"',
    'class A { constructor() {} static process() {} }',
  ])('allows %s', (source) => {
    expect(check(source)).toEqual([]);
  });
});

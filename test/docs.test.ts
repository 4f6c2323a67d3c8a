import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { projectRoot } from '../scripts/build.mjs';
import { defineKind } from '../protocol/kinds/kind.ts';
import { assumptions } from '../src/plan/index.ts';
import { variables } from '../src/lib/config.ts';

const nothing = z.null();
const parts = {
  name: 'x',
  lane: 'cpu',
  input: nothing,
  progress: nothing,
  result: nothing,
} as const;
/** What a variable, a field of a kind or one of the planner's assumptions is unless it is set. */
const defaults: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    Object.entries(variables).map(([name, { fallback }]) => [name, Number(fallback)]),
  ),
  ...defineKind(parts),
  ...assumptions.parse({}),
};

const read = (page: string): string => readFileSync(join(projectRoot(), 'docs', page), 'utf8');

/** `NAME` 1,000 in a sentence, or as the first two cells of a row. */
const NUMBER = /`(\w+)`(?: \| | )(\d[\d,.]*\d|\d)/g;

test.each(['workflow.md', 'worker-models.md', 'queue-models.md', 'planner.md'])(
  'the defaults that %s tells are those of the code',
  (page) => {
    const told = Array.from(read(page).matchAll(NUMBER), ([, name = '', number = '']) => ({
      name,
      is: Number(number.replaceAll(',', '')),
    })).filter(({ name }) => name in defaults);
    expect(told.length).toBeGreaterThan(3);
    expect(told).toEqual(told.map(({ name }) => ({ name, is: defaults[name] })));
  },
);

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { violations } from './check.ts';
import { importsOf } from './imports.ts';
import type { Rules } from './rules.ts';

const ROOMS = ['protocol', 'src', 'workers', 'demo', 'scripts', 'bench', 'test'];

/** Checks every source under `root`. Returns what breaks the rules, and how much was looked at. */
export async function checkTree(
  root: string,
  rules: Rules,
): Promise<{ bad: string[]; files: number; imports: number }> {
  const files = existsSync(join(root, 'vitest.config.ts')) ? ['vitest.config.ts'] : [];
  for (const room of ROOMS) {
    if (!existsSync(join(root, room))) continue;
    for (const name of await readdir(join(root, room), { recursive: true })) {
      if (/\.(ts|mjs|cjs)$/.test(name) && !/\.d\.[cm]?ts$/.test(name))
        files.push(`${room}/${name}`);
    }
  }
  const imports = await importsOf(root, files);
  return { bad: violations(imports, rules), files: files.length, imports: imports.length };
}

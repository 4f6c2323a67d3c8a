/** `node scripts/run.mjs write-configuration`: writes the table of variables into docs/configuration.md. */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { variables } from '../src/lib/config.ts';
import { projectRoot } from './build.mjs';
import { configurationTable, defaultsOf, withTable, type Defaults } from './lib/configuration.ts';

if (process.argv[2] === '--defaults') {
  process.stdout.write(JSON.stringify(defaultsOf(variables)));
} else {
  const file = join(projectRoot(), 'docs', 'configuration.md');
  const table = configurationTable(variables, defaultsIn('development'), defaultsIn('production'));
  const page = await readFile(file, 'utf8');
  await writeFile(file, withTable(page, table));
}

/** Defaults are chosen when the table is loaded, so each kind of them needs a process of its own. */
function defaultsIn(mode: string): Defaults {
  const env = { ...process.env, NODE_ENV: mode };
  const json = execFileSync(process.execPath, [process.argv[1] ?? '', '--defaults'], { env });
  return JSON.parse(json.toString()) as Defaults;
}

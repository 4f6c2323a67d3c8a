/** `npm run new-game NAME`: a small game that works, with its test and a queue, to be made into another one. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './build.mjs';
import { BadName, makeGame } from './lib/new-game/make.ts';

async function main([name, ...rest]: readonly string[]): Promise<void> {
  if (name === undefined || rest.length > 0) throw new BadName('usage: npm run new-game NAME');
  const root = projectRoot();
  const files = await makeGame(root, name);
  // Lines that have become too long are wrapped, where the formatter is installed.
  const formatter = join(root, 'node_modules', '.bin', 'oxfmt');
  if (existsSync(formatter)) await promisify(execFile)(formatter, files, { cwd: root });
  for (const file of files) console.log(file);
  console.log(`
npx vitest run workers/games/${name}    its tests, those that every game must pass among them
npm run bots -- --queue ${name}         once npm start runs: headless players find each other and play it

Change rules.ts and simulation.ts; docs/extending.md says what a simulation may and must do.`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof BadName ? error.message : error);
  process.exit(1);
});

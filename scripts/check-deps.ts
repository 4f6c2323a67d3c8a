/** `npm run check:deps`: direction between rooms, entries, vendors and loops; see lib/deps/rules.ts. */
import { projectRoot } from './build.mjs';
import { checkTree } from './lib/deps/index.ts';
import { rules } from './lib/deps/rules.ts';

const { bad, files, imports } = await checkTree(projectRoot(), rules);
for (const line of bad) process.stderr.write(`${line}\n`);
process.stdout.write(`${imports} imports of ${files} files, ${bad.length} against the rules\n`);
process.exitCode = bad.length > 0 ? 1 : 0;

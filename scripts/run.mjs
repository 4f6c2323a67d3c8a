/**
 * Runs one built entry in this very process, after building dist/ if it is stale:
 * `node scripts/run.mjs gateway | worker | NAME of scripts/ | bench ...arguments`.
 *
 * In the same process, because a wrapper that npm or a supervisor kills would leave its child
 * running, and because every signal then reaches the one that must handle it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, isStale, projectRoot } from './build.mjs';

const OUTPUTS = {
  gateway: 'dist/gateway.js',
  worker: 'dist/worker.js',
  bench: 'dist/bench/main.js',
};

const root = projectRoot();
const [name = '', ...rest] = process.argv.slice(2);
const output = join(root, OUTPUTS[name] ?? `dist/scripts/${name}.js`);

try {
  if (await isStale({ root })) {
    await build({ root });
    // esbuild keeps a child of its own, which would outlive what we run.
    const esbuild = await import('esbuild');
    await esbuild.stop();
  }
  if (!/^[\w-]+$/.test(name) || !existsSync(output))
    throw new Error(`there is nothing named "${name}" to run`);
} catch (error) {
  if (!error?.errors) process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
process.argv.splice(1, process.argv.length, output, ...rest);
await import(pathToFileURL(output).href);

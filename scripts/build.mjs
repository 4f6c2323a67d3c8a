/**
 * Builds every entry that exists into dist/ with esbuild, in well under a second.
 *
 * One bundle per process kind, because they load differently:
 * - gateway: everything but uWebSockets.js, in a small first file and others that load after the
 *   first socket can come (it starts while a player waits);
 * - sandbox and arena: everything in one ESM file each, because a core stands idle while its new
 *   child starts;
 * - history: the gateway's thread for its database; everything but the database's native part;
 * - worker and tools: ESM with packages left outside, because BullMQ forks its own `main.js` from
 *   disk and reads `module.filename`;
 * - demo: for the browser.
 *
 * A module that needs a data file finds it from `import.meta.url`, which in a bundle is the
 * bundle's own place in dist/, not the source's.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const STAMP = 'dist/.built.json';
/** Folders whose direct TypeScript files are entries, and where each goes. */
const TOOL_FOLDERS = { scripts: 'scripts', bench: 'bench', 'test/fixtures': 'fixtures' };

/** The project's root: the nearest folder above this file, or above its bundle, with our package.json. */
export function projectRoot(from = import.meta.url) {
  let folder = dirname(fileURLToPath(from));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('no package.json above the build script');
    folder = parent;
  }
  return folder;
}

/** Direct files of a folder whose names fit, each as an entry: source, and output without extension. */
function entriesIn(root, folder, to, fits) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter(fits).toSorted();
  return names.map((name) => ({
    in: `${folder}/${name}`,
    out: `${to}/${name.replace(/\.\w+$/, '')}`,
  }));
}

const isTool = (name) => name.endsWith('.ts') && !/\.(test|d)\.ts$/.test(name);
const isPage = (name) => /\.(html|css|svg|png|ico)$/.test(name);

/** esbuild's options for each group of entries that exist under `root`. */
export function plan(root) {
  const common = {
    absWorkingDir: root,
    bundle: true,
    sourcemap: true,
    target: 'node20',
    platform: 'node',
    outdir: 'dist',
    metafile: true,
    write: false,
    logLevel: 'warning',
  };
  const existing = (entries) => entries.filter((entry) => existsSync(join(root, entry.in)));
  // Packages that are CommonJS inside call require for Node's own modules. The banner is not part of what esbuild
  // parses: a name that a package imports too (msgpackr does createRequire) would be declared twice.
  const banner = {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  };
  const gateway = {
    ...common,
    entryPoints: existing([{ in: 'src/gateway/main.ts', out: 'gateway' }]),
    format: 'esm',
    splitting: true,
    chunkNames: 'gateway/[name]-[hash]',
    // msgpackr-extract is optional and native: msgpackr looks for it at run time.
    external: ['uWebSockets.js', 'msgpackr-extract'],
    banner,
  };
  const tools = Object.entries(TOOL_FOLDERS).flatMap(([folder, to]) =>
    entriesIn(root, folder, to, isTool),
  );
  const esm = { ...common, format: 'esm', packages: 'external' };
  const worker = {
    ...esm,
    entryPoints: existing([
      { in: 'workers/main.ts', out: 'worker' },
      // Piscina's threads load a file of its own from disk.
      { in: 'workers/lab/main.ts', out: 'lab' },
    ]),
  };
  const history = {
    ...common,
    entryPoints: existing([{ in: 'src/history/thread.ts', out: 'history' }]),
    format: 'esm',
    external: ['libsql', 'msgpackr-extract'],
    banner,
  };
  const sandbox = {
    ...common,
    entryPoints: existing([
      { in: 'workers/sandbox.ts', out: 'sandbox' },
      { in: 'workers/arena/main.ts', out: 'arena' },
      { in: 'workers/lab/child.ts', out: 'lab-child' },
    ]),
    format: 'esm',
    external: ['msgpackr-extract'],
    banner,
  };
  const page = entriesIn(root, 'demo', 'demo', isPage);
  const demo = {
    ...common,
    entryPoints: [...existing([{ in: 'demo/main.ts', out: 'demo/main' }]), ...page],
    format: 'esm',
    // The game's WebAssembly is fetched by pages that simulate, not by those that only play.
    splitting: true,
    chunkNames: 'demo/[name]',
    platform: 'browser',
    target: 'es2022',
    loader: Object.fromEntries(page.map((entry) => [extname(entry.in), 'copy'])),
  };
  return [gateway, history, worker, sandbox, { ...esm, entryPoints: tools }, demo].filter(
    (group) => group.entryPoints.length > 0,
  );
}

/** Every entry of a plan as `output: source` lines, to notice that one was added or removed. */
function entryList(groups) {
  return groups.flatMap((group) => group.entryPoints.map((entry) => `${entry.out}: ${entry.in}`));
}

/**
 * Writes only what changed, and each file whole: a process that starts while somebody builds must
 * not read half a bundle. Reports the changed outputs, relative to the root.
 */
function writeChanged(root, onWritten) {
  return {
    name: 'write-changed',
    setup(hooks) {
      hooks.onEnd(async ({ outputFiles, errors }) => {
        if (errors.length > 0) return;
        const changed = [];
        for (const { path, contents } of outputFiles ?? []) {
          const before = await readFile(path).catch(() => undefined);
          if (before?.equals(contents)) continue;
          await mkdir(dirname(path), { recursive: true });
          const whole = `${path}.${process.pid}.tmp`;
          await writeFile(whole, contents);
          await rename(whole, path);
          changed.push(relative(root, path));
        }
        await onWritten?.(changed);
      });
    },
  };
}

/** A process that was started from an older build may still load its chunks for this long, ms. */
const CHUNKS_KEPT_MS = 600_000;

/** Chunks are named by their content: those of builds long past would pile up. */
async function removeOldChunks(root, results) {
  const made = new Set(results.flatMap(({ outputFiles }) => outputFiles.map(({ path }) => path)));
  const folder = join(root, 'dist/gateway');
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    if (made.has(path) || Date.now() - (await stat(path)).mtimeMs < CHUNKS_KEPT_MS) continue;
    await rm(path, { force: true });
  }
}

/** Builds dist/ once. Returns the outputs that changed; throws esbuild's error when a source is wrong. */
export async function build({ root = projectRoot() } = {}) {
  const esbuild = await import('esbuild');
  const startedAt = Date.now();
  const groups = plan(root);
  const changed = [];
  // All are settled first: one wrong source leaves the other groups built.
  const builds = await Promise.allSettled(
    groups.map((group) =>
      esbuild.build({
        ...group,
        plugins: [writeChanged(root, (names) => void changed.push(...names))],
      }),
    ),
  );
  const failed = builds.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
  const results = builds.map(({ value }) => value);
  await removeOldChunks(root, results);
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const own = [...new Set(inputs)].filter((name) => !name.includes('node_modules/'));
  await mkdir(join(root, 'dist'), { recursive: true });
  const stamp = join(root, STAMP);
  // Time of the start, not the end: a file saved while we built is newer than what we read. And
  // a little earlier, for file times come from a clock that ticks every few ms.
  const record = { startedAt: startedAt - 10, entries: entryList(groups), inputs: own };
  await writeFile(`${stamp}.${process.pid}.tmp`, JSON.stringify(record));
  await rename(`${stamp}.${process.pid}.tmp`, stamp);
  return { changed };
}

/** Whether dist/ lacks an entry or is older than a source, the lock file or this script. */
export async function isStale({ root = projectRoot() } = {}) {
  let record;
  try {
    record = JSON.parse(await readFile(join(root, STAMP), 'utf8'));
  } catch {
    return true;
  }
  if (record.entries.join('\n') !== entryList(plan(root)).join('\n')) return true;
  const names = [...record.inputs, 'scripts/build.mjs', 'package-lock.json'];
  const changedAt = await Promise.all(
    names.map((name) =>
      stat(join(root, name)).then(
        (found) => found.mtimeMs,
        () => Infinity,
      ),
    ),
  );
  return changedAt.some((at) => at >= record.startedAt);
}

/**
 * Builds, then builds again whenever a source changes. `onWritten` gets the outputs that changed,
 * first everything that was stale. A wrong source is reported on stderr and waited out.
 */
export async function watch({ root = projectRoot(), onWritten }) {
  const esbuild = await import('esbuild');
  const contexts = await Promise.all(
    plan(root).map((group) =>
      esbuild.context({ ...group, plugins: [writeChanged(root, onWritten)] }),
    ),
  );
  await Promise.all(contexts.map((context) => context.watch()));
  return {
    async stop() {
      await Promise.all(contexts.map((context) => context.dispose()));
    },
  };
}

// Bundled into a tool, this file has the tool's name, and is not what was started.
const startedAs = process.argv[1] ? pathToFileURL(process.argv[1]).href : '';
if (import.meta.url === startedAs && startedAs.endsWith('/build.mjs')) {
  const startedAt = performance.now();
  try {
    const { changed } = await build();
    const ms = Math.round(performance.now() - startedAt);
    process.stderr.write(`built dist/ in ${ms} ms, ${changed.length} files changed\n`);
  } catch (error) {
    // esbuild has printed what is wrong, with its place in the source.
    if (!error?.errors) throw error;
    process.exitCode = 1;
  }
}

import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** One import statement, `import()`, re-export or `require`. */
export interface Import {
  from: string;
  /** A file relative to the root, or what a package or builtin was asked for by. */
  to: string;
  local: boolean;
  /** Types alone: gone when the program runs. */
  typeOnly: boolean;
}

/**
 * esbuild leaves type imports out, and direction holds for types too. So each file is read twice:
 * as it is, and with `import type` and `export type ... from` turned into plain ones. `import()`
 * in a type has no such form; the lint rule consistent-type-imports forbids it.
 */
function withTypes(source: string): string {
  return source
    .replace(/^(\s*import)\s+type\s+(?=[{*\w])/gm, '$1 ')
    .replace(/^(\s*export)\s+type\s+(?=\{[^}]*\}\s*from\b|\*)/gm, '$1 ');
}

/** All imports of `files` (relative to `root`), sorted by importer. */
export async function importsOf(root: string, files: readonly string[]): Promise<Import[]> {
  const real = await collect(root, files, (source) => source);
  const all = await collect(root, files, withTypes);
  return [...all]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, found]) => ({ ...found, typeOnly: !real.has(key) }));
}

async function collect(
  root: string,
  files: readonly string[],
  change: (source: string) => string,
): Promise<Map<string, Omit<Import, 'typeOnly'>>> {
  const found = new Map<string, Omit<Import, 'typeOnly'>>();
  const reader: Plugin = {
    name: 'imports',
    setup(hooks) {
      hooks.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => ({
        contents: change(await readFile(path, 'utf8')),
        loader: path.endsWith('ts') ? 'ts' : 'js',
      }));
      hooks.onResolve({ filter: /./ }, ({ path, importer, kind }) => {
        if (kind === 'entry-point') return undefined;
        const from = relative(root, importer);
        const local = /^\.{0,2}\//.test(path);
        const to = local ? relative(root, join(dirname(importer), path)) : path;
        found.set(`${from} ${to}`, { from, to, local });
        return { path, external: true };
      });
    },
  };
  await build({
    absWorkingDir: root,
    entryPoints: files.map((file) => join(root, file)),
    outdir: join(root, 'nowhere'),
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    // Without it esbuild also leaves out imports whose names are never used as values.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [reader],
  });
  return found;
}

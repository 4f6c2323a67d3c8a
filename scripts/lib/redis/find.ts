import { execFile } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A server program that was run once and said a version we can use. */
export interface RedisProgram {
  path: string;
  /** Where the shared libraries of a brought copy are; none for an installed one. */
  libraries: string[];
  /** As it says itself, such as 7.0.15. */
  version: string;
}

/** Oldest version with all commands that we and BullMQ use. Valkey began at 7.2. */
const OLDEST = [6, 2] as const;

/** Names of the file that says what a brought copy consists of. */
export const BROUGHT_RECORD = 'program.json';

/** Full paths of `name` in the folders of PATH, in their order. */
export async function onPath(name: string, path = process.env['PATH'] ?? ''): Promise<string[]> {
  const found: string[] = [];
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      found.push(file);
  }
  return found;
}

/** The environment that lets a program find the libraries it was brought with. */
export function withLibraries(libraries: readonly string[]): NodeJS.ProcessEnv {
  if (libraries.length === 0) return process.env;
  const before = process.env['LD_LIBRARY_PATH'];
  const all = before ? [...libraries, before] : libraries;
  return { ...process.env, LD_LIBRARY_PATH: all.join(':') };
}

/** Runs the program once; undefined when it does not run or is too old. */
export async function tryProgram(
  path: string,
  libraries: string[] = [],
): Promise<RedisProgram | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], {
      env: withLibraries(libraries),
      timeout: 10_000,
    });
    const version = /v=(\d+)\.(\d+)[\w.]*/.exec(stdout);
    if (!version) return undefined;
    const [major, minor] = [Number(version[1]), Number(version[2])];
    const enough = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
    return enough ? { path, libraries, version: version[0].slice(2) } : undefined;
  } catch {
    return undefined;
  }
}

/** The copy that `bringRedis` left in `folder`, if it still runs. */
export async function broughtProgram(folder: string): Promise<RedisProgram | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(join(folder, BROUGHT_RECORD), 'utf8'));
    if (typeof record !== 'object' || record === null) return undefined;
    if (!('path' in record) || typeof record.path !== 'string') return undefined;
    if (!('libraries' in record) || !Array.isArray(record.libraries)) return undefined;
    // Relative to the folder, so that a checkout may be moved.
    const libraries = record.libraries.map((library) => join(folder, String(library)));
    return await tryProgram(join(folder, record.path), libraries);
  } catch {
    return undefined;
  }
}

/** A Redis or Valkey server on the PATH, else the copy brought into `folder` earlier. */
export async function findRedis(folder: string, path?: string): Promise<RedisProgram | undefined> {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const file of await onPath(name, path)) {
      const program = await tryProgram(file);
      if (program) return program;
    }
  }
  return await broughtProgram(folder);
}

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from './redis/find.ts';

const run = promisify(execFile);

/** Packages that must match the system's own loader: a second copy of them would crash programs. */
const NEVER_UNPACK = /^(libc6|libc-bin|base-files)_/;

/** Whether this is Debian or one of its children, with the two tools we need. */
export async function hasApt(): Promise<boolean> {
  const [apt, dpkg] = await Promise.all([onPath('apt-get'), onPath('dpkg')]);
  return apt.length > 0 && dpkg.length > 0;
}

/**
 * Downloads a package with everything it needs that is not installed, and unpacks it all into
 * `folder`, without root and without changing the system: apt works on lists and a cache of its
 * own, and no package script runs (so no service starts).
 *
 * Returns the folders under `folder` with shared libraries, for LD_LIBRARY_PATH, relative to it.
 * @throws Error with apt's own words.
 */
export async function unpackPackage(
  name: string,
  folder: string,
  log: (line: string) => void,
): Promise<string[]> {
  const work = await mkdtemp(join(tmpdir(), 'muster-apt-'));
  try {
    const debs = join(work, 'archives');
    await mkdir(join(debs, 'partial'), { recursive: true });
    await mkdir(join(work, 'lists', 'partial'), { recursive: true });
    const options = {
      'Dir::State::lists': join(work, 'lists'),
      'Dir::Cache': work,
      'Dir::Cache::archives': debs,
      // The lock belongs to whoever changes the system; we only read its list of packages.
      'Debug::NoLocking': '1',
      'APT::Sandbox::User': '',
      'Acquire::Languages': 'none',
    };
    const flags = Object.entries(options).flatMap(([option, value]) => [
      '-o',
      `${option}=${value}`,
    ]);
    const apt = (...words: string[]): Promise<void> => runApt([...flags, ...words]);
    log(`reading the package lists to find ${name}`);
    await apt('update');
    log(`downloading ${name}`);
    // Reinstall: a package that is installed, but whose program is not on the PATH, comes too.
    const how = ['--yes', '--download-only', '--no-install-recommends', '--reinstall'];
    await apt('install', ...how, name);
    await mkdir(folder, { recursive: true });
    for (const file of await readdir(debs)) {
      if (!file.endsWith('.deb') || NEVER_UNPACK.test(file)) continue;
      await run('dpkg', ['-x', join(debs, file), folder]);
    }
    return await libraryFolders(folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Installs a package for the whole system: for root, where unpacking is not enough. */
export async function installPackage(name: string, log: (line: string) => void): Promise<void> {
  log(`installing ${name}`);
  await runApt(['update']);
  await runApt(['install', '--yes', '--no-install-recommends', name]);
}

async function runApt(words: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  try {
    await run('apt-get', ['--quiet=2', ...words], { env, maxBuffer: 16e6 });
  } catch (error) {
    throw new Error(`apt-get failed: ${reasonOf(error)}`, { cause: error });
  }
}

/** Last lines of what a failed command printed. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return said.split('\n').slice(-3).join(' ') || String(error);
}

async function libraryFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const folders = entries
    .filter((entry) => /\.so(\.\d+)*$/.test(entry.name))
    .map((entry) => relative(root, entry.parentPath));
  return [...new Set(folders)].toSorted();
}

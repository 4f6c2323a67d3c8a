import { execFile } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hasApt, installPackage, unpackPackage } from './debian.ts';
import { onPath, withLibraries } from './redis/find.ts';

const run = promisify(execFile);

/** A browser that was run once. */
export interface Chromium {
  /** For playwright-core's `executablePath`. */
  path: string;
  /** For its `env`: a brought copy needs its libraries. */
  env: NodeJS.ProcessEnv;
  /** For its `args`. */
  args: string[];
  version: string;
}

export interface ChromiumOptions {
  /** Where a copy is brought to, and found again. */
  folder: string;
  log: (line: string) => void;
  /** A browser to insist on. Usually process.env.CHROMIUM_PATH. */
  path: string | undefined;
  /** PATH to look on; ours unless a test says otherwise. */
  search?: string;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** The browser itself: `usr/bin/chromium` of the package is a script that knows only absolute paths. */
const UNPACKED = 'usr/lib/chromium/chromium';
const RECORD = 'chromium.json';

/**
 * A Chromium for tests in a browser: CHROMIUM_PATH, else one on the PATH, else the copy we brought,
 * else we bring one from the system's package archive, unpacked without touching the system; where
 * that copy does not run and we are root, the package is installed.
 *
 * @throws Error with a message that says what to install.
 */
export async function ensureChromium(options: ChromiumOptions): Promise<Chromium> {
  const { folder, log, path, search } = options;
  if (path) {
    const named = await tryBrowser(path);
    if (named) return named;
    throw new Error(`CHROMIUM_PATH is set to ${path}, which does not run`);
  }
  const found = (await installed(search)) ?? (await brought(folder));
  if (found) return found;
  const reasons: string[] = [];
  if (await hasApt()) {
    for (const bring of [unpack, install]) {
      try {
        const browser = await bring(folder, log);
        if (browser) return browser;
      } catch (error) {
        reasons.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  throw new Error(
    [
      'Tests in a browser need Chromium or Chrome, and none could be brought here. Install one:',
      '  Debian:   sudo apt-get install chromium',
      '  Fedora:   sudo dnf install chromium',
      '  Alpine:   sudo apk add chromium',
      '  macOS:    brew install --cask google-chrome',
      'or name one: CHROMIUM_PATH=/path/to/chrome',
      ...reasons.map((reason) => `(${reason})`),
    ].join('\n'),
  );
}

async function installed(search?: string): Promise<Chromium | undefined> {
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  const onSearch = await Promise.all(NAMES.map((name) => onPath(name, search)));
  for (const file of [...onSearch.flat(), ...(process.platform === 'darwin' ? [mac] : [])]) {
    const browser = await tryBrowser(file);
    if (browser) return browser;
  }
  return undefined;
}

async function brought(folder: string): Promise<Chromium | undefined> {
  const text = await readFile(join(folder, RECORD), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const libraries: unknown = JSON.parse(text);
  if (!Array.isArray(libraries)) return undefined;
  return await tryBrowser(
    join(folder, UNPACKED),
    libraries.map((library) => join(folder, String(library))),
  );
}

async function unpack(folder: string, log: (line: string) => void): Promise<Chromium | undefined> {
  const fresh = `${folder}.${process.pid}.new`;
  try {
    const libraries = await unpackPackage('chromium', fresh, log);
    await writeFile(join(fresh, RECORD), JSON.stringify(libraries));
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    return await brought(folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function install(
  _folder: string,
  log: (line: string) => void,
): Promise<Chromium | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  await installPackage('chromium', log);
  return await installed();
}

async function tryBrowser(path: string, libraries: string[] = []): Promise<Chromium | undefined> {
  const env = withLibraries(libraries);
  try {
    // Without --no-sandbox root gets none; tests open our own pages alone.
    const args = ['--no-sandbox'];
    const { stdout } = await run(path, ['--version', ...args], { env, timeout: 30_000 });
    const version = /\d+(\.\d+)+/.exec(stdout)?.[0];
    return version ? { path, env, args, version } : undefined;
  } catch {
    return undefined;
  }
}

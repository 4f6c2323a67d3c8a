import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasApt, unpackPackage } from '../debian.ts';
import { BROUGHT_RECORD, broughtProgram, type RedisProgram } from './find.ts';

/** Debian package, and where its server lies in it. */
const PACKAGES = [
  ['redis-server', 'usr/bin/redis-server'],
  ['valkey-server', 'usr/bin/valkey-server'],
] as const;

/** What to type on systems where we cannot bring a server ourselves. */
export function howToInstall(platform: NodeJS.Platform = process.platform): string {
  const commands: Record<string, string[]> = {
    darwin: ['brew install redis'],
    win32: ['wsl --install -d Debian', '(then run Muster inside WSL)'],
  };
  const linux = [
    'Debian, Ubuntu:  sudo apt-get install redis-server',
    'Fedora, RHEL:    sudo dnf install valkey',
    'Alpine:          sudo apk add redis',
    'Arch:            sudo pacman -S valkey',
  ];
  return [
    'Muster needs a Redis (6.2 or later) or a Valkey server, and could not bring one here.',
    'Install one:',
    ...(commands[platform] ?? linux).map((line) => `  ${line}`),
    'or point to one that runs:',
    '  REDIS_URL=redis://HOST:PORT npm start',
  ].join('\n');
}

/**
 * Brings a server into `folder`, from the system's own package archive.
 *
 * Root or not, the packages are unpacked and not installed: nothing outside the folder changes, no
 * service of the distribution begins to run on 6379, and deleting the folder undoes it.
 *
 * @throws Error whose message says what to do by hand.
 */
export async function bringRedis(
  folder: string,
  log: (line: string) => void,
): Promise<RedisProgram> {
  const reasons: string[] = [];
  if (await hasApt()) {
    for (const [name, path] of PACKAGES) {
      const fresh = `${folder}.${process.pid}.new`;
      try {
        await mkdir(dirname(folder), { recursive: true });
        const libraries = await unpackPackage(name, fresh, log);
        await access(join(fresh, path));
        await writeFile(join(fresh, BROUGHT_RECORD), JSON.stringify({ path, libraries }));
        // Into place in one step: a copy that was cut off half-way must not be taken for one.
        await rm(folder, { recursive: true, force: true });
        await rename(fresh, folder);
        const program = await broughtProgram(folder);
        if (program) return program;
        reasons.push(`${name} was unpacked but does not run`);
      } catch (error) {
        reasons.push(error instanceof Error ? error.message : String(error));
      } finally {
        await rm(fresh, { recursive: true, force: true });
      }
    }
  }
  throw new Error([howToInstall(), ...reasons.map((reason) => `(${reason})`)].join('\n'));
}

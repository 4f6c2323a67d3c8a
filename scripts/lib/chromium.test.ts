import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { removeWithTests } from '../../test/support/cleanup.ts';
import { type Chromium, ensureChromium } from './chromium.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-chromium-'));
  removeWithTests(folder);
});

async function script(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
}

const ensure = (path?: string): Promise<Chromium> =>
  ensureChromium({
    folder: join(folder, 'copy'),
    log: () => {},
    path,
    search: join(folder, 'bin'),
  });

test('CHROMIUM_PATH wins, and is an error when it does not run', async () => {
  await script('bin/chromium', 'echo "Chromium 120.0.1"');
  const named = await script('named', 'echo "Chromium 130.0.2"');
  expect(await ensure(named)).toMatchObject({ path: named, version: '130.0.2' });
  await expect(ensure(join(folder, 'missing'))).rejects.toThrow(
    /CHROMIUM_PATH is set to .*missing/,
  );
});

test('the first browser on the PATH that runs is taken', async () => {
  await script('bin/chromium', 'exit 1');
  const chrome = await script('bin/google-chrome', 'echo "Google Chrome 131.0.6778.85"');
  expect(await ensure()).toMatchObject({ path: chrome, version: '131.0.6778.85' });
});

test('a copy that was brought is found again, with its libraries', async () => {
  const file = await script('copy/usr/lib/chromium/chromium', 'echo "$LD_LIBRARY_PATH 132.0.1"');
  await writeFile(join(folder, 'copy/chromium.json'), '["usr/lib"]');
  const browser = await ensure();
  expect(browser).toMatchObject({ path: file, version: '132.0.1' });
  expect(browser.env['LD_LIBRARY_PATH']).toContain(join(folder, 'copy/usr/lib'));
});

import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, expect, onTestFinished } from 'vitest';
import { projectRoot } from '../../scripts/build.mjs';
import { ensureChromium } from '../../scripts/lib/chromium.ts';
import { HANGS_MS } from './limits.ts';

/** Nothing that calls home, and no more than a page needs. */
const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let launched: Promise<Browser> | undefined;

afterAll(async () => {
  await (await launched)?.close();
});

async function launch(): Promise<Browser> {
  const folder = join(projectRoot(), '.muster', 'chromium');
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const found = await ensureChromium({ folder, log, path: process.env['CHROMIUM_PATH'] });
  const env = Object.fromEntries(
    Object.entries(found.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
  return await chromium.launch({ executablePath: found.path, args: [...found.args, ...ARGS], env });
}

export interface TestPage {
  readonly page: Page;
  /** Fails when the page has thrown, or written an error or a warning to its console. */
  readonly expectNoErrors: () => void;
}

/** A page with storage of its own, that ends with the test, in a headless Chromium that ends with the file. */
export async function openPage(
  url: string,
  options: BrowserContextOptions = {},
): Promise<TestPage> {
  launched ??= launch();
  const context = await (
    await launched
  ).newContext({
    viewport: { width: 1_280, height: 800 },
    ...options,
  });
  // A page that is drawn for nobody still takes a core.
  onTestFinished(async () => await context.close());
  context.setDefaultTimeout(HANGS_MS);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    errors.push(`${message.text()} ${message.location().url}`);
  });
  await page.goto(url);
  return { page, expectNoErrors: () => expect(errors).toEqual([]) };
}

/** What stands in the element of that id. */
export async function textOf(page: Page, id: string): Promise<string> {
  return (await page.locator(`#${id}`).textContent()) ?? '';
}

/** Waits until the element's text fits. */
export async function says(page: Page, id: string, pattern: RegExp): Promise<void> {
  await page.locator(`#${id}`, { hasText: pattern }).waitFor({ state: 'attached' });
}

/** Of the picture that is shown. */
export async function tickOf(page: Page): Promise<number> {
  return Number(await textOf(page, 'f-tick'));
}

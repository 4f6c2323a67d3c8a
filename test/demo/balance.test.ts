import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { openPage, says, textOf } from '../support/browser.ts';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start();
});

async function open(options: Parameters<typeof openPage>[1] = {}) {
  const opened = await openPage(`${muster.gateway.http}/#balance`, options);
  await says(opened.page, 'link', /^Connected$/);
  return opened;
}

async function choose(page: Page, nth: number, option: string, values: string): Promise<void> {
  await page.getByRole('combobox', { name: 'Option' }).nth(nth).selectOption(option);
  await page.getByLabel('Its values').nth(nth).fill(values);
}

const start = async (page: Page): Promise<void> =>
  await page.getByRole('button', { name: 'Start the sweep' }).click();

/** Of the table, column by column. */
const column = async (page: Page, nth: number): Promise<string[]> =>
  await page.locator(`#sweep-rows tr > :nth-child(${nth})`).allTextContents();

test('a sweep comes as a chart and a table, stays through a reload, and is saved as a file', async () => {
  const { page, expectNoErrors } = await open();
  const roles = /^\s*- (button|link|combobox|spinbutton|radio|textbox|img|progressbar)(?! ")/m;
  expect(await page.locator('body').ariaSnapshot()).not.toMatch(roles);

  // What is wrong is said beside its field, and nothing starts.
  await choose(page, 0, 'endTicks', '90, 150, 4000');
  await page.getByText('endTicks must be 1 to 2700, whole').waitFor();
  await start(page);
  expect(await page.evaluate('document.activeElement.getAttribute("aria-invalid")')).toBe('true');
  await choose(page, 0, 'endTicks', '90, 150, 120');
  await page.getByText('endTicks 90: holdTicks must be below endTicks').waitFor();
  await page.getByRole('button', { name: 'Add an option' }).click();
  await choose(page, 1, 'holdTicks', '10, 30');
  await page.getByLabel('Matches a point').fill('3');
  await says(page, 'sweep-size', /^6 points × 3 = 18 matches, about 1 s on one core\.$/);

  await start(page);
  await says(page, 'sweep-state', /^Done$/);
  expect(await textOf(page, 'sweep-done')).toBe('18 / 18');
  expect(await column(page, 1)).toEqual(['90', '90', '150', '150', '120', '120']);
  expect(await column(page, 3)).toEqual(Array(6).fill('3'));
  for (const cell of await column(page, 4)) expect(cell).toMatch(/^[1-5]\.\d ± \d\.\d s$/);

  await page.getByRole('button', { name: 'endTicks' }).click();
  expect(await column(page, 1)).toEqual(['90', '90', '120', '120', '150', '150']);
  await page.locator('th[aria-sort="ascending"]', { hasText: 'endTicks' }).waitFor();

  const chart = page.locator('#sweep-chart');
  await expect.poll(async () => await chart.locator('.dot-of').count()).toBe(6);
  expect(await chart.getAttribute('aria-label')).toMatch(
    /^Length by endTicks and holdTicks: 6 points, \d\.\d s to \d\.\d s$/,
  );
  await page.getByRole('radio', { name: 'Map' }).check({ force: true });
  await page.getByRole('radio', { name: 'Best bot wins' }).check({ force: true });
  expect(await chart.locator('.cell title').first().textContent()).toMatch(
    /^endTicks 90, holdTicks 30: [\d.]+ ± [\d.]+ % \(3 matches\)$/,
  );

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as CSV' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('balance-endTicks-holdTicks-1.csv');
  const csv = await readFile(await download.path(), 'utf8');
  expect(csv.split('\r\n')).toHaveLength(8);
  expect(csv).toMatch(/^endTicks,holdTicks,matches,failed,seconds,.*\r\n90,10,3,0,/);

  await page.reload();
  await says(page, 'sweep-state', /^Done$/);
  expect(await column(page, 1)).toHaveLength(6);
  expect(await page.getByLabel('Its values').nth(1).inputValue()).toBe('10, 30');
  expectNoErrors();
});

test('on a phone a sweep fills its table, goes on through a reload, and is cancelled', async () => {
  const { page, expectNoErrors } = await open({ viewport: { width: 390, height: 844 } });
  await choose(page, 0, 'dashSpeed', '2, 4');
  await page.getByLabel('Matches a point').fill('5000');
  await start(page);
  await says(page, 'sweep-state', /^Running$/);
  await page.locator('#sweep-rows tr').first().waitFor();
  const done = async (): Promise<number> => Number.parseInt(await textOf(page, 'sweep-done'), 10);
  await until(async () => (await done()) > 0);
  const before = await done();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);

  await page.reload();
  await says(page, 'sweep-state', /^Running$/);
  expect(await page.getByLabel('Matches a point').inputValue()).toBe('5000');
  // The same request: another one would begin at nothing.
  expect(await done()).toBeGreaterThanOrEqual(before);
  await page.getByRole('button', { name: 'Cancel' }).and(page.locator(':enabled')).click();
  await says(page, 'sweep-state', /^Cancelled/);
  // It is over, and nobody asks again.
  await page.reload();
  await says(page, 'link', /^Connected$/);
  await page.locator('#sweep-start:enabled').waitFor();
  expect(await page.locator('#sweep-run').isVisible()).toBe(false);
  expectNoErrors();
});

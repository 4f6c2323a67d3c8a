import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { openPage, says, textOf, tickOf } from '../support/browser.ts';
import { Muster } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/until.ts';

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start();
});

const open = async (hash = '', options: Parameters<typeof openPage>[1] = {}) =>
  await openPage(`${muster.gateway.http}/${hash}`, options);

/** What the canvas shows, as one string. */
const picture = async (page: Page): Promise<string> =>
  await page.evaluate('document.getElementById("canvas").toDataURL()');

/** Waits until something is drawn. */
async function drawn(page: Page): Promise<void> {
  await page.waitForFunction(`(() => {
    const { width, height } = canvas;
    return canvas.getContext('2d').getImageData(0, 0, width, height).data.some((value) => value > 0);
  })()`);
}

test('the lobby loads without an error, connects, and every control has a name', async () => {
  const { page, expectNoErrors } = await open();
  await says(page, 'link', /^Connected$/);
  await page.getByRole('button', { name: 'Find opponents' }).waitFor();
  await drawn(page);
  const roles = /^\s*- (button|link|slider|radio|textbox|img)(?! ")/m;
  expect(await page.locator('body').ariaSnapshot()).not.toMatch(roles);
  expectNoErrors();
});

test('a practice match is steered by keys, ends, and its replay seeks', async () => {
  const { page, expectNoErrors } = await open();
  await page.getByRole('link', { name: /^Practice/ }).click();
  await says(page, 'f-tick', /^[1-9]/);
  // Straight over the edge.
  await page.keyboard.down('ArrowRight');
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'skip to the end' }).click();
  await page.getByRole('heading', { name: /^(You came \d|Last one)/ }).waitFor();
  const kept = await page.evaluate<string>('sessionStorage.getItem("knockout.last")');
  const { inputs } = JSON.parse(kept) as {
    inputs: [number, number, { x: number; dash: boolean }][];
  };
  expect(inputs.some(([, slot, { x }]) => slot === 0 && x === 127)).toBe(true);
  expect(inputs.some(([, , { dash }]) => dash)).toBe(true);

  await page.getByRole('button', { name: 'Watch replay' }).click();
  await says(page, 'verified', /arrived at the very same state/);
  await page.getByRole('button', { name: 'Pause' }).click();
  const seek = page.getByRole('slider', { name: 'Position in the match' });
  await seek.press('End');
  await says(page, 'left', /^1 stands$/);
  const last = (await textOf(page, 'seek-time')).split(' / ');
  expect(last[0]).toBe(last[1]);
  await seek.press('Home');
  await says(page, 'left', /^8 stand$/);
  await page.getByRole('radio', { name: '4×' }).check({ force: true });
  await page.getByRole('button', { name: 'Play' }).click();
  await says(page, 'seek-time', /^0:(0[3-9]|[1-9])/);

  // The odds of what is shown come from a worker.
  await page.locator('#odds[aria-label*="percent"]').waitFor();
  await says(page, 'f-wait', /ms$/);

  await page.reload();
  await says(page, 'verified', /arrived at the very same state/);
  expectNoErrors();
});

test('on a phone a finger steers, and nothing is wider than the screen', async () => {
  const { page, expectNoErrors } = await open('#practice', {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await says(page, 'f-tick', /^[1-9]/);
  const session = await page.context().newCDPSession(page);
  const touch = async (type: string, x?: number): Promise<void> => {
    const touchPoints = x === undefined ? [] : [{ x, y: 700 }];
    await session.send('Input.dispatchTouchEvent', { type: type as 'touchStart', touchPoints });
  };
  await touch('touchStart', 120);
  await touch('touchMove', 40);
  await page.locator('#stick.held').waitFor();
  const knob = await page.locator('#stick i').getAttribute('style');
  expect(knob).toMatch(/translate\(-56px, 0px\)/);
  await page.getByRole('button', { name: 'Dash' }).dispatchEvent('pointerdown', { button: 0 });
  // It was taken: the button shows that the next one is charging.
  await page.locator('#dash:not(.ready)').waitFor();
  await touch('touchEnd');
  await page.locator('#stick:not(.held)').waitFor({ state: 'attached' });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expectNoErrors();
});

test('who prefers less motion sees a still picture in the lobby', async () => {
  const { page } = await open('', { reducedMotion: 'reduce', colorScheme: 'light' });
  await drawn(page);
  const still = await picture(page);
  await page.evaluate('new Promise((done) => setTimeout(done, 300))');
  expect(await picture(page)).toBe(still);
});

test('a lost gateway shows in a banner and ends no practice; back again, the player is the same', async () => {
  const gateway = await muster.startGateway({ PORT: String(await freePort()) });
  const { page } = await openPage(`${gateway.http}/#practice`);
  await says(page, 'link', /^Connected$/);
  const player = async (): Promise<unknown> =>
    await page.evaluate('JSON.parse(sessionStorage.getItem("knockout.session")).player');
  const before = await player();
  gateway.process.kill('SIGKILL');
  await gateway.process.exited;
  await page.locator('#banner').waitFor();
  await says(page, 'banner-text', /^Connection lost/);
  const tick = await tickOf(page);
  await until(async () => (await tickOf(page)) > tick);
  await muster.startGateway({ PORT: String(gateway.port) });
  await page.locator('#banner').waitFor({ state: 'hidden' });
  expect(await player()).toBe(before);
});

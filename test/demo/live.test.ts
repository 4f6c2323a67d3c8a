import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Seat } from '../../protocol/index.ts';
import { orderKnockout, Placer } from '../../scripts/lib/arenas.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { playerKeys } from '../../src/relay/keys.ts';
import { openPage, says, textOf, tickOf } from '../support/browser.ts';
import { Muster } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/until.ts';

let muster: Muster;
let redis: Redis;
let placer: Placer;

beforeAll(async () => {
  // The browser draws in software, on the cores that the arena runs on.
  muster = await Muster.start({ arenas: true, env: { ARENA_SILENCE_MS: '5000' } });
  redis = connectRedis(muster.redis.url, 'test', (error) => {
    throw error;
  });
  placer = new Placer(redis);
});

afterAll(() => redis.disconnect());

const open = async (hash = '', options: Parameters<typeof openPage>[1] = {}) =>
  await openPage(`${muster.gateway.http}/${hash}`, options);

/** The player that a page is. */
async function playerOf(page: Page): Promise<string> {
  await says(page, 'link', /^Connected$/);
  return await page.evaluate<string>(
    'JSON.parse(sessionStorage.getItem("knockout.session")).player',
  );
}

/** Nobody comes near anybody, nor the edge: who has a seat has it for as long as the match lasts. */
const PEACE = { startRadius: 40, acceleration: 1, dashSpeed: 0, endTicks: 2_700, holdTicks: 2_600 };

/** A match of the player against two bots. @returns its id */
async function place(
  player: string | undefined,
  options: Readonly<Record<string, number>> = PEACE,
): Promise<string> {
  const bots: Seat[] = [{ bot: 0 }, { bot: 0 }];
  const order = orderKnockout({
    seats: player === undefined ? bots : [{ player }, ...bots],
    options,
  });
  await placer.place(order);
  return order.match;
}

/** Leaves a match in which a disc of one's own stands. */
async function leave(page: Page, how: 'Leave' | 'Give up'): Promise<void> {
  await page.getByRole('button', { name: 'Leave', exact: true }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: how }).click();
  await page.getByRole('button', { name: /^Find opponents/ }).waitFor();
}

test('a match is played through a reload to its end, and its replay is watched', async () => {
  const { page, expectNoErrors } = await open();
  const match = await place(await playerOf(page), { endTicks: 270, holdTicks: 240 });
  // Whoever comes to the page while a match of theirs runs is led to it.
  await page.reload();
  await page.waitForURL(`**/#match=${match}`);
  await says(page, 'f-tick', /^[1-9]/);
  await page.keyboard.down('ArrowLeft');
  // From the press to the picture that shows it.
  await says(page, 'f-input', /^\d+ ms$/);
  await page.keyboard.up('ArrowLeft');
  const before = await tickOf(page);

  await page.reload();
  await until(async () => (await tickOf(page)) > before);
  expect(page.url()).toContain(match);
  await page.locator('#roster .own', { hasText: 'You' }).waitFor();

  await page.getByRole('heading', { name: /^(You came \d|Last one)/ }).waitFor();
  await page.getByRole('button', { name: 'Watch replay' }).click();
  await page.waitForURL(`**/#replay=${match}`);
  await says(page, 'verified', /^Verified/);
  await page.getByRole('button', { name: 'Pause' }).click();
  const seek = page.getByRole('slider', { name: 'Position in the match' });
  await seek.press('Home');
  await says(page, 'left', /^3 stand$/);
  await seek.press('End');
  await says(page, 'seek-time', /^(\S+) \/ \1$/);

  await page.reload();
  await says(page, 'verified', /^Verified/);
  // What is over leads nobody back.
  await page.goto(`${muster.gateway.http}/#`);
  await page.getByRole('button', { name: /^Find opponents/ }).waitFor();
  expect(await page.locator('#running').isVisible()).toBe(false);
  expectNoErrors();
});

test('opponents are found and played against, and the seat is given up', async () => {
  const { page, expectNoErrors } = await open();
  const player = await playerOf(page);
  await page.getByRole('button', { name: /^Find opponents/ }).click();
  await page.locator('#roster .own', { hasText: 'You' }).waitFor();
  await says(page, 'f-matched', /\d s$/);
  await leave(page, 'Give up');
  await until(async () => (await redis.scard(playerKeys(player).matches)) === 0);
  expect(await page.locator('#running').isVisible()).toBe(false);
  expectNoErrors();
});

test('a match is left and returned to, while others watch it and its odds', async () => {
  const { page, expectNoErrors } = await open();
  const match = await place(await playerOf(page));
  await page.goto(`${muster.gateway.http}/#match=${match}`);
  await says(page, 'f-tick', /^[1-9]/);
  await leave(page, 'Leave');
  expect(await page.getByRole('button', { name: /^Find opponents/ }).isDisabled()).toBe(true);
  await page.getByRole('link', { name: 'Return' }).click();
  await says(page, 'f-tick', /^[1-9]/);
  expect(page.url()).toContain(match);

  const other = await open();
  await other.page.locator(`#live-list a[href="#match=${match}"]`).click();
  await says(other.page, 'left', /you watch$/);
  await says(other.page, 'f-where', /^arena, core \d/);
  await other.page.locator('#odds[aria-label*="percent"]').waitFor();
  expect(await other.page.locator('#roster .own').count()).toBe(0);
  expect(await other.page.locator('#roster .tag:empty').count()).toBe(1);

  await leave(page, 'Give up');
  // A bot has the seat now.
  await other.page.locator('#roster .tag:empty').waitFor({ state: 'detached' });
  expectNoErrors();
  other.expectNoErrors();
});

test('a match goes on in the page when the process that runs it is killed', async () => {
  const { page, expectNoErrors } = await open();
  const match = await place(undefined);
  await page.goto(`${muster.gateway.http}/#match=${match}`);
  await says(page, 'f-tick', /^[1-9]/);
  const [beat] = await placer.arenas.list();
  if (!beat) throw new Error('no arena');
  const before = await tickOf(page);
  process.kill(beat.pid, 'SIGKILL');
  // What the page says of it goes by, and a busy machine may draw nothing meanwhile; its figures stay.
  await until(async () => Number(await textOf(page, 'f-term')) > beat.term);
  await says(page, 'f-pause', /\d m?s$/);
  await until(async () => (await tickOf(page)) > before + 30);
  expectNoErrors();
});

test('a match is steered on when its gateway comes back', async () => {
  const gateway = await muster.startGateway({ PORT: String(await freePort()) });
  const { page } = await openPage(`${gateway.http}/`);
  const match = await place(await playerOf(page));
  await page.goto(`${gateway.http}/#match=${match}`);
  await says(page, 'f-tick', /^[1-9]/);
  gateway.process.kill('SIGKILL');
  await gateway.process.exited;
  await says(page, 'banner-text', /^Connection lost/);
  await muster.startGateway({ PORT: String(gateway.port) });
  await page.locator('#banner').waitFor({ state: 'hidden' });
  const before = await tickOf(page);
  await page.keyboard.down('ArrowUp');
  // Nothing was steered before: this is the first input that a picture shows.
  await says(page, 'f-input', /^\d+ ms$/);
  await until(async () => (await tickOf(page)) > before);
  await page.locator('#roster .own', { hasText: 'You' }).waitFor();
});

test('another device of the same player comes straight into the match', async () => {
  const { page } = await open();
  const match = await place(await playerOf(page));
  const stored = await page.evaluate<string>('sessionStorage.getItem("knockout.session")');
  const { player, token } = JSON.parse(stored) as { player: string; token: string };
  const { page: phone, expectNoErrors } = await open('', {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  const session = { id: 'AAAAAAAAAAAAAAAA', epoch: 0, offset: 0, nonce: 0 };
  const known = JSON.stringify(JSON.stringify({ player, token, session }));
  // Before the page's own script, which keeps the session of a guest there as soon as it has one.
  await phone.addInitScript(`sessionStorage.setItem("knockout.session", ${known})`);
  await phone.reload();
  await phone.waitForURL(`**/#match=${match}`);
  await phone.locator('#roster .own', { hasText: 'You' }).waitFor();
  expect(await phone.evaluate('document.documentElement.scrollWidth')).toBe(360);
  expectNoErrors();
});

test('a match that is not there is told of, and the lobby is a click away', async () => {
  const { page } = await open('#match=AbCd_efgh-ijkl01');
  await says(page, 'message-text', /^This match is not there any more\.$/);
  await page.getByRole('button', { name: 'Back to the lobby' }).click();
  await page.getByRole('button', { name: /^Find opponents/ }).waitFor();
  expect(new URL(page.url()).hash).toBe('');
});

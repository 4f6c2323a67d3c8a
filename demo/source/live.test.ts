import { expect, test } from 'vitest';
import { harness } from '../../protocol/client/harness.fixture.ts';
import { matchHandle, type ServerBody } from '../../protocol/index.ts';
import { toVector } from '../../workers/games/knockout/vector.ts';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';
import { Live, type LiveEnds } from './live.ts';

const h = harness();
const ID = 'k3J9xQ0_aZ-81bTf';
const handle = matchHandle(ID);
const ends: LiveEnds = { over: () => {}, failed: () => {} };

const WATCHING: ServerBody<'watching'> = {
  match: ID,
  handle,
  game: 'knockout',
  version: '1',
  tickRate: 30,
  slot: 1,
  seats: [{ bot: 2 }, { player: 'ann' }],
  state: 'playing',
};

const disc = { x: 0, y: 0, vx: 0, vy: 0, alive: true, dashIn: 0, knockouts: 0 };
const viewAt = (tick: number): KnockoutView => ({
  tick,
  radius: 5_120,
  discs: [{ ...disc, x: 10 * tick }, disc],
});

/** A whole picture, and how far the inputs of ann were taken. */
function picture(tick: number, { taken = 0, term = 1 } = {}): void {
  h.socket.snapshot({ handle, term, tick }, [...toVector(viewAt(tick)), 0, taken]);
}

async function open(told: Partial<LiveEnds> = {}): Promise<Live> {
  await h.open();
  const live = new Live(h.client, ID, { ...ends, ...told }, async () => undefined);
  h.socket.reply('watching', { ...WATCHING, ref: h.socket.last('watch').ref });
  await live.ready;
  return live;
}

test('snapshots become views, the same view as long as the picture is the same', async () => {
  const live = await open();
  expect(live.sample(performance.now())).toBeUndefined();
  for (let tick = 1; tick <= 4; tick++) {
    picture(tick);
    await h.pass(33);
  }
  const sample = live.sample(performance.now());
  expect(sample?.from).toEqual(viewAt(sample?.from.tick ?? 0));
  expect(sample?.to.tick).toBeGreaterThan(1);
  expect(live.sample(performance.now())?.to).toBe(sample?.to);
  live.close();
});

test('a dash is a press that is let go at once, so that the next one is seen', async () => {
  const live = await open();
  picture(1);
  live.steer({ x: 127, y: 0, dash: true });
  await h.pass(33);
  picture(2, { taken: 1 });
  await h.pass(33);
  picture(3, { taken: 2 });
  live.steer({ x: 127, y: 0, dash: true });
  await h.pass(100);
  expect(
    h.socket
      .of('steer')
      .map(({ buttons }) => buttons)
      .slice(0, 4),
  ).toEqual([1, 0, 1, 0]);
  live.close();
});

test('while nobody moves yet, the seconds until they do are counted', async () => {
  const live = await open();
  live.options = { ...live.options, readyTicks: 60 };
  picture(1);
  live.sample(performance.now());
  expect(live.startsIn).toBe(2);
  picture(70);
  await h.pass(2_500);
  live.sample(performance.now());
  expect(live.startsIn).toBe(0);
  live.close();
});

test('seats are read anew when somebody else steers', async () => {
  const live = await open();
  const { seats } = live;
  expect(seats).toEqual([{ name: 'Pip', bot: 2 }, { name: 'You' }]);
  expect(live.seats).toBe(seats);
  expect(live.mySlot).toBe(1);
  h.socket.reply('watching', { ...WATCHING, slot: -1, seats: [{ bot: 2 }, { bot: 1 }] });
  expect(live.seats).toMatchObject([{ bot: 2 }, { bot: 1 }]);
  expect(live.mySlot).toBe(-1);
  live.close();
});

test('its end is told with or without a result', async () => {
  const told: string[] = [];
  const live = await open({
    over: ({ ticks }, hasReplay) => told.push(`${ticks} ${String(hasReplay)}`),
    failed: ({ code }) => told.push(code),
  });
  const result = { placements: [2, 1], scores: [0, 100], ticks: 90 };
  h.socket.reply('over', { match: ID, result, replay: '/somewhere' });
  expect(live).toMatchObject({ phase: 'over', result });
  const failing = new Live(h.client, ID, { ...ends, failed: ({ code }) => told.push(code) }, () =>
    Promise.resolve(undefined),
  );
  h.socket.reply('over', { match: ID, failure: { code: 'quarantined', message: 'it threw' } });
  expect(told).toEqual(['90 true', 'quarantined']);
  live.close();
  failing.close();
});

test('a takeover is a notice, a lost connection is the banner’s to tell', async () => {
  const live = await open();
  picture(5);
  await h.pass(400);
  picture(6, { term: 2 });
  expect(live.notice).toMatch(/took the arena over after 0\.40 s/);
  await h.pass(4_500);
  expect(live.notice).toMatch(/stands still/);
  h.socket.cut();
  await h.pass(10);
  expect(live.notice).toBe('');
  live.close();
});

import { expect, test } from 'vitest';
import { harness } from '../../protocol/client/harness.fixture.ts';
import type { Odds } from './odds.ts';
import { OddsRoom } from './odds-room.ts';

const h = harness();
const ID = 'k3J9xQ0_aZ-81bTf';
const room = `odds-${ID}`;
const odds: Odds = { tick: 90, win: [0.25, 0.75], rollouts: 60, core: 1 };
const FOR_MS = 2_000;

async function join(heard: Odds[] = []): Promise<OddsRoom> {
  await h.open();
  const one = new OddsRoom(h.client, ID, FOR_MS, (what) => heard.push(what));
  h.socket.reply('members', { ref: h.socket.last('join').ref, room, members: [], total: 1 });
  // Those who come at the same moment wait for up to a second.
  await h.pass(1_000);
  return one;
}

const say = (player: string, what: unknown): void =>
  h.socket.reply('said', { room, player, text: JSON.stringify(what), at: 1 });

test('who has heard nothing asks, and tells the others', async () => {
  const one = await join();
  expect(one.isFree(performance.now())).toBe(true);
  one.asks();
  one.tell(odds);
  const said = h.socket.of('say').map(({ text }) => JSON.parse(text) as unknown);
  expect(said).toEqual([{ asks: true }, { odds }]);
  one.leave();
  expect(h.socket.of('leave')).toHaveLength(1);
});

test('who hears that another asks waits for what comes of it, but not for ever', async () => {
  const heard: Odds[] = [];
  const one = await join(heard);
  say('bea', { asks: true });
  expect(one.isFree(performance.now())).toBe(false);
  say('bea', { odds });
  expect(heard).toEqual([odds]);
  expect(one.isFree(performance.now() + FOR_MS - 1)).toBe(false);
  expect(one.isFree(performance.now() + FOR_MS + 500)).toBe(true);
  say('bea', { asks: true });
  expect(one.isFree(performance.now() + 4_500)).toBe(true);
  one.leave();
});

test('one’s own words and what is none of the room’s change nothing', async () => {
  const heard: Odds[] = [];
  const one = await join(heard);
  say('ann', { odds });
  say('bea', { odds: { ...odds, win: [2] } });
  say('bea', 'hello');
  h.socket.reply('said', { room: 'lobby', player: 'bea', text: '{"asks":true}', at: 1 });
  expect(heard).toEqual([]);
  expect(one.isFree(performance.now())).toBe(true);
  one.leave();
});

test('outside the room nobody asks', async () => {
  await h.open();
  const one = new OddsRoom(h.client, ID, FOR_MS, () => {});
  await h.pass(2_000);
  expect(one.isFree(performance.now())).toBe(false);
  one.leave();
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { matchKey } from '../../src/relay/keys.ts';
import { writeMatchChanged } from '../../src/relay/wake.ts';
import { decodeCheckpoint } from './checkpoint.ts';
import { ArenaStage, type Running } from './stage.fixture.ts';
import { deedBits, drill } from '../games/drill/index.ts';
import { knockout } from '../games/knockout/index.ts';
import type { AnyGame } from '../games/contract.ts';
import { gameSeat } from '../replay/seat.ts';
import { joinTape } from '../replay/join.ts';
import { Fenced, Gone } from './journal.ts';
import type { Over } from './settle.ts';
import { HandedOver } from './arena.ts';

let stage: ArenaStage;
beforeAll(async () => void (stage = await ArenaStage.open()));
afterAll(async () => await stage.close());

/** The same match, played from its tape by nobody who was ever killed. @returns the hash of each tick's state */
function twin(game: AnyGame, over: Over): number[] {
  const { order, chunks, ticks } = over;
  const options = game.optionsSchema.parse(order.options);
  const sim = game.create(order.seed, order.seats.map(gameSeat), options);
  const tape = joinTape(chunks, ticks);
  const hashes: number[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    for (const [, slot, seat] of tape.flatMap((c) => c.seats.filter(([at]) => at === tick)))
      sim.seat(slot, gameSeat(seat));
    const inputs = tape.flatMap((c) => c.inputs.filter(([at]) => at === tick));
    sim.step(
      new Map(
        inputs.map(([, slot, , x, y, buttons]) => [slot, game.fromControls({ x, y, buttons })]),
      ),
    );
    hashes.push(sim.hash());
  }
  sim.free();
  return hashes;
}

test.each([drill, knockout] as AnyGame[])(
  'G8 killed again and again, $name ends as a twin does that never was, and no input counts twice',
  async (game) => {
    let running = await stage.run({ game });
    const options = game === knockout ? { holdTicks: 2_600, endTicks: 2_690 } : { ticks: 100_000 };
    const about = { game: game.name, version: game.version, options };
    const matches: string[] = [];
    for (let i = 0; i < 12; i++) {
      const match = await stage.place([{ player: 'ada' }, { player: 'bo' }, { bot: 0 }], {
        ...about,
        seed: i,
      });
      matches.push(match);
      await stage.join(match, 'ada', 'bo');
    }
    const seen: { match: string; tick: number; hash: number }[] = [];
    let seq = 0;
    for (let kill = 0; kill < 6; kill++) {
      const end = performance.now() + 100 + Math.random() * 250;
      while (performance.now() < end) {
        seq++;
        for (const match of matches) {
          const one = { slot: seq % 2, seq, x: (seq * 37) % 120, y: -((seq * 11) % 120) };
          // Sent twice, as a client does that is not sure.
          await stage.steer(match, one, one);
        }
        await sleep(5);
      }
      for (const match of matches) {
        const state = running.arena.stateOf(match);
        if (state !== undefined) seen.push({ match, ...state });
      }
      await stage.kill(running);
      running = await stage.run({ game });
    }
    expect(running.arena.term).toBeGreaterThan(6);
    // Nobody is lost, and each is where it was or further.
    for (const { match, tick } of seen) {
      expect(running.arena.stateOf(match)?.tick ?? -1).toBeGreaterThanOrEqual(tick);
    }
    await until(async () => (await stage.redis.xlen(`m:{arena:${stage.arena}}:in`)) <= 1);
    // Whatever was settled by then is a prefix of what goes on.
    const overs = await Promise.all(
      matches.map(async (match) => {
        await stage.tell(
          { is: 'seat', match, slot: 0, seat: {} },
          { is: 'seat', match, slot: 1, seat: {} },
        );
        if (game === drill) await finishDrill(match);
        return game === drill ? await stage.over(match) : undefined;
      }),
    );
    for (const over of overs) {
      if (over === undefined) continue;
      const hashes = twin(game, over);
      expect(hashes.at(-1)).toBe(over.hash);
      const states = seen.filter(({ match, tick }) => match === over.order.match && tick > 0);
      expect(states.map(({ tick }) => hashes[tick - 1])).toEqual(states.map(({ hash }) => hash));
      const inputs = joinTape(over.chunks, over.ticks).flatMap((chunk) => chunk.inputs);
      for (const slot of [0, 1]) {
        const seqs = inputs.filter((one) => one[1] === slot).map((one) => one[2]);
        expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
      }
    }
    await stage.kill(running);
    await stage.redis.flushall();
  },
  60_000,
);

/** Ends a drill by an input of its own seat. */
async function finishDrill(match: string): Promise<void> {
  await stage.tell({ is: 'seat', match, slot: 0, seat: { player: 'ada' } });
  await stage.steer(match, { slot: 0, seq: 1_000_000, buttons: deedBits.end });
}

/**
 * Everything under some keys at one moment.
 * @returns brings it back at one moment, as a store does that was started anew: an arena that writes in between would
 * find half of the past
 */
async function remembered(...patterns: readonly string[]): Promise<() => Promise<void>> {
  const keys = (await Promise.all(patterns.map((one) => stage.redis.keys(one)))).flat();
  const reading = stage.redis.multi();
  for (const key of keys) reading.dumpBuffer(key);
  const dumps = ((await reading.exec()) ?? []).map(([, dump]) => dump);
  return async () => {
    const writing = stage.redis.multi();
    for (const [i, key] of keys.entries()) {
      const dump = dumps[i];
      if (Buffer.isBuffer(dump)) writing.restore(key, 0, dump, 'REPLACE');
    }
    await writing.exec();
  };
}

async function playing(count: number): Promise<{ running: Running; matches: string[] }> {
  const running = await stage.run();
  const matches: string[] = [];
  for (let i = 0; i < count; i++) {
    const match = await stage.place([{ player: 'ada' }]);
    await stage.join(match, 'ada');
    matches.push(match);
  }
  await until(() => matches.every((match) => (running.arena.stateOf(match)?.tick ?? 0) > 3));
  return { running, matches };
}

test('G7 who has a successor stops, and shows nothing more', async () => {
  const { running: first, matches } = await playing(2);
  const second = await stage.run();
  expect(await first.outcome).toBeInstanceOf(Fenced);
  expect(second.arena.term).toBe(first.arena.term + 1);
  expect(matches.map((match) => second.arena.stateOf(match)?.tick ?? 0).every((t) => t > 3)).toBe(
    true,
  );
  await stage.kill(second);
  await stage.redis.flushall();
});

test('an arena that is handed over leaves checkpoints and no log', async () => {
  const { running, matches } = await playing(3);
  running.arena.leave();
  expect(await running.outcome).toBeInstanceOf(HandedOver);
  expect(await stage.redis.xlen(`m:{arena:${stage.arena}}:log`)).toBe(0);
  const next = await stage.run();
  for (const match of matches) expect(next.arena.stateOf(match)?.tick).toBeGreaterThan(3);
  await finishDrill(matches[0] as string);
  const over = await stage.over(matches[0] as string);
  expect(twin(drill, over).at(-1)).toBe(over.hash);
  await stage.kill(next);
  await stage.redis.flushall();
});

test('a store that has forgotten some seconds is told everything anew, and nobody rewinds', async () => {
  const { running, matches } = await playing(5);
  const [ended = '', ...others] = matches;
  const restore = await remembered(`m:{arena:${stage.arena}}:*`, ...matches.map(matchKey));
  await finishDrill(ended);
  await stage.tell({ is: 'seat', match: others[0] ?? '', slot: 0, seat: { bot: 0 } });
  await until(() => running.arena.size === 4);
  await until(async () => (await stage.record(others[0] ?? '')).seats[0]?.bot === 0);
  const ticks = others.map((match) => running.arena.stateOf(match)?.tick ?? 0);
  await restore();
  await until(() =>
    others.every((match, i) => (running.arena.stateOf(match)?.tick ?? 0) > (ticks[i] ?? 0) + 40),
  );
  expect(await stage.redis.hlen(`m:{arena:${stage.arena}}:places`)).toBe(4);
  expect((await stage.record(ended)).state).toBe('over');
  await until(async () => (await stage.record(others[0] ?? '')).seats[0]?.bot === 0);
  await stage.kill(running);
  const next = await stage.run();
  expect(next.arena.size).toBe(4);
  await Promise.all(others.map(finishDrill));
  for (const match of others) {
    const over = await stage.over(match);
    expect(twin(drill, over).at(-1)).toBe(over.hash);
  }
  await stage.kill(next);
  await stage.redis.flushall();
});

test('a match that has been placed at another arena meanwhile is let go, and the others play on', async () => {
  const { running, matches } = await playing(2);
  const [moved = '', stays = ''] = matches;
  const record = matchKey(moved);
  await stage.redis.hset(record, { arena: '"other"', term: 40, state: '"waiting"' });
  await stage.tell({ is: 'seat', match: moved, slot: 0, seat: { bot: 0 } });
  await until(() => running.arena.size === 1);
  expect(await stage.redis.hlen(`m:{arena:${stage.arena}}:places`)).toBe(1);
  expect(await stage.record(moved)).toMatchObject({ arena: 'other', state: 'waiting', term: 40 });
  const from = running.arena.stateOf(stays)?.tick ?? 0;
  await until(() => (running.arena.stateOf(stays)?.tick ?? 0) > from + 3);
  await stage.kill(running);
  await stage.redis.flushall();
});

test('a store that has forgotten the arena ends it, and its matches as lost where they are known', async () => {
  const { running, matches } = await playing(2);
  await stage.redis.del(`m:{arena:${stage.arena}}:meta`);
  expect(await running.outcome).toBeInstanceOf(Gone);
  for (const match of matches) {
    expect((await stage.record(match)).failure?.code).toBe('lost');
  }
  await stage.redis.flushall();
});

test('a seat that changed just before a death is told to who watches', async () => {
  const {
    running: first,
    matches: [match = ''],
  } = await playing(1);
  let running = first;
  const seated = async (): Promise<number | undefined> => (await stage.record(match)).seats[0]?.bot;
  let bot = 1;
  for (; ; bot++) {
    const restore = await remembered(matchKey(match));
    await stage.tell({ is: 'seat', match, slot: 0, seat: { bot } });
    await until(async () => (await seated()) === bot);
    await stage.kill(running);
    const saved = await stage.redis.hgetBuffer(`m:{arena:${stage.arena}}:checkpoints`, match);
    // As where the word of it was on its way. A checkpoint that came in between knows already.
    await restore();
    if (saved === null || decodeCheckpoint(saved).seats[0]?.bot !== bot) break;
    running = await stage.run();
  }
  stage.heard.length = 0;
  running = await stage.run();
  const changed = writeMatchChanged(match);
  await until(() => stage.heard.some((message) => message.equals(changed)));
  expect(await seated()).toBe(bot);
  await stage.kill(running);
  await stage.redis.flushall();
});

test('a place of which nothing else is left is given up as lost', async () => {
  await stage.kill(await stage.run());
  const match = await stage.place([{ player: 'ada' }]);
  await stage.redis.del(`m:{arena:${stage.arena}}:in`);
  const first = await stage.run();
  await until(async () => (await stage.redis.hlen(`m:{arena:${stage.arena}}:places`)) === 0);
  expect((await stage.record(match)).failure?.code).toBe('lost');
  await stage.kill(first);
  await stage.redis.flushall();
});

test('what was logged a moment ago is there after a death, however short the life of a match was', async () => {
  for (let life = 0; life < 25; life++) {
    const running = await stage.run();
    const { arena } = running;
    const matches = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const match = await stage.place([{ player: 'ada' }]);
        await stage.join(match, 'ada');
        return match;
      }),
    );
    await until(() => matches.some((match) => arena.stateOf(match) !== undefined));
    await sleep(Math.random() * 60);
    await stage.kill(running);
    const next = await stage.run();
    await until(() => matches.every((match) => (next.arena.stateOf(match)?.tick ?? 0) > 0));
    expect(next.arena.size).toBe(8);
    await stage.kill(next);
    await stage.redis.flushall();
  }
});

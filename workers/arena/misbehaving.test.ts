import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import type { AnyGame } from '../games/contract.ts';
import { deedBits, drill } from '../games/drill/index.ts';
import type { AnySimulation } from './hosted.ts';
import { ArenaStage } from './stage.fixture.ts';
import { Damaged } from './stepper.ts';

let stage: ArenaStage;
beforeAll(async () => void (stage = await ArenaStage.open()));
afterAll(async () => await stage.close());

type Asked = 'view' | 'save' | 'hash';
const BAD_SEED = 13;
/** What matches of that seed do when they are asked, once they are armed. */
let armed: { readonly when: Asked; readonly does: () => never } | undefined;
let isDamaged = false;

function spin(): never {
  for (;;);
}

function fail(): never {
  throw new Error('not today');
}

function trap(): never {
  isDamaged = true;
  throw new Error('unreachable');
}

const base: AnyGame = drill;
/** A drill whose simulations misbehave where the platform asks them for something. */
const touchy: AnyGame = {
  ...base,
  create: (seed, seats, options) => touch(base.create(seed, seats, options), seed === BAD_SEED),
  load: (save) => touch(base.load(save.subarray(1)), save[0] === 1),
  isDamaged: () => isDamaged,
};

function touch(sim: AnySimulation, isBad: boolean): AnySimulation {
  const asked = (when: Asked): void => {
    if (isBad && armed?.when === when) armed.does();
  };
  return new Proxy(sim, {
    get(target, name) {
      if (name === 'save') {
        return () => {
          asked('save');
          return Buffer.concat([Buffer.of(isBad ? 1 : 0), target.save()]);
        };
      }
      if (name === 'view' || name === 'hash') asked(name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

test.each([
  ['view', fail],
  ['view', spin],
  ['save', fail],
  ['save', spin],
  ['hash', fail],
  ['hash', spin],
] as const)(
  'a match that fails when it is asked for its %s (%o) costs nobody but itself',
  async (when, does) => {
    const running = await stage.run({ game: touchy });
    const [bad, good] = [
      await stage.place([{ player: 'ada' }], { seed: BAD_SEED }),
      await stage.place([{ player: 'bo' }]),
    ];
    await stage.join(bad, 'ada');
    await stage.join(good, 'bo');
    const tickOf = (match: string): number => running.arena.stateOf(match)?.tick ?? -1;
    await until(() => tickOf(bad) > 3 && tickOf(good) > 3);
    armed = { when, does };
    if (when === 'hash') await stage.steer(bad, { seq: 1, buttons: deedBits.end });
    expect((await stage.over(bad)).end).toMatchObject({ failure: { code: 'quarantined' } });
    armed = undefined;
    const from = tickOf(good);
    await until(() => tickOf(good) > from + 5);
    expect(running.arena.term).toBe(1);
    await stage.kill(running);
    await stage.redis.flushall();
  },
);

test('one that breaks what matches share when it is saved ends the process, and is not tried again', async () => {
  const running = await stage.run({ game: touchy });
  const bad = await stage.place([{ player: 'ada' }], { seed: BAD_SEED });
  await stage.join(bad, 'ada');
  await until(() => (running.arena.stateOf(bad)?.tick ?? -1) > 3);
  armed = { when: 'save', does: trap };
  expect(await running.outcome).toBeInstanceOf(Damaged);
  isDamaged = false;
  const next = await stage.run({ game: touchy });
  expect((await stage.over(bad)).end).toMatchObject({ failure: { code: 'quarantined' } });
  armed = undefined;
  await stage.kill(next);
  await stage.redis.flushall();
});

test('an arena in which nothing is played trims what it has read', async () => {
  const running = await stage.run();
  for (let i = 0; i < 600; i++) {
    await stage.tell({ is: 'unwatch', match: 'nobodyhasthisone', gateway: 'g' });
  }
  await until(async () => (await stage.redis.xlen(`m:{arena:${stage.arena}}:in`)) < 512);
  await stage.kill(running);
  await stage.redis.flushall();
});

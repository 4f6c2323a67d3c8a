import { execFile } from 'node:child_process';
import { isDeepStrictEqual, promisify } from 'node:util';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  decodeDelta,
  decodeKeyframe,
  encodeDelta,
  encodeKeyframe,
} from '../../protocol/snapshot.ts';
import type { Game, MatchResult, Seat, Simulation } from './contract.ts';

/** What the suite has to know about a game. */
export interface Sample<Options, Input> {
  readonly options: Options;
  readonly input: fc.Arbitrary<Input>;
  /** A level of bot that the game has, if it has bots. */
  readonly botLevel?: number;
  /** Folder of the game, and the name under which its index.ts exports it. */
  readonly folder: string;
  readonly exportName: string;
}

/** The tests that every game must pass: what arenas, replays and recovery rely on. */
export function describeGame<Options, Input, View, Result extends MatchResult>(
  game: Game<Options, Input, View, Result>,
  sample: Sample<Options, Input>,
): void {
  type Sim = Simulation<Input, View, Result>;
  const { options, botLevel } = sample;
  const player: Seat = { kind: 'player' };
  /** Every second slot a bot, where there are bots. */
  const seats = Array.from({ length: game.seats.max }, (_, slot): Seat =>
    botLevel !== undefined && slot % 2 === 1 ? { kind: 'bot', level: botLevel } : player,
  );
  const seed = fc.maxSafeNat();
  const moment = fc.record({
    tick: fc.nat(400),
    slot: fc.nat(game.seats.max - 1),
    input: sample.input,
  });
  const script = fc.array(moment, { maxLength: 120 });
  type Script = readonly { tick: number; slot: number; input: Input }[];

  const inputsAt = (moments: Script, tick: number): Map<number, Input> =>
    new Map(moments.filter((one) => one.tick === tick).map(({ slot, input }) => [slot, input]));

  /** Steps on by a script; returns the hash after every step. */
  const play = (sim: Sim, moments: Script, steps: number): number[] =>
    Array.from({ length: steps }, () => {
      sim.step(inputsAt(moments, sim.tick));
      return sim.hash();
    });

  const using = <T>(sim: Sim, use: (sim: Sim) => T): T => {
    try {
      return use(sim);
    } finally {
      sim.free();
    }
  };

  describe(`${game.name} as a game`, () => {
    beforeAll(() => game.prepare());

    test('the same seed and inputs give the same states', () => {
      fc.assert(
        fc.property(seed, script, (from, moments) => {
          const once = using(game.create(from, seats, options), (sim) => play(sim, moments, 400));
          const again = using(game.create(from, seats, options), (sim) => play(sim, moments, 400));
          expect(again).toEqual(once);
          expect(new Set(once).size).toBeGreaterThan(1);
        }),
        { numRuns: 6 },
      );
    });

    test('a match beside it changes nothing', () => {
      fc.assert(
        fc.property(seed, seed, script, (from, other, moments) => {
          const alone = using(game.create(from, seats, options), (sim) => play(sim, moments, 200));
          const beside = using(game.create(other, seats, options), (neighbour) =>
            using(game.create(from, seats, options), (sim) =>
              Array.from({ length: 200 }, () => {
                neighbour.step(inputsAt(moments, 400 - neighbour.tick));
                neighbour.save();
                return play(sim, moments, 1)[0];
              }),
            ),
          );
          expect(beside).toEqual(alone);
        }),
        { numRuns: 4 },
      );
    });

    test('another seed gives another match', () => {
      const [one, two] = [1, 2].map((from) =>
        using(game.create(from, seats, options), (sim) => play(sim, [], 60)),
      );
      expect(one).not.toEqual(two);
    });

    test('the order in which a tick lists its inputs has no effect', () => {
      fc.assert(
        fc.property(seed, fc.array(sample.input, { minLength: 2, maxLength: 8 }), (from, list) => {
          const entries = list
            .slice(0, game.seats.max)
            .map((input, slot) => [slot, input] as const);
          const hashes = [entries, entries.toReversed()].map((order) =>
            using(game.create(from, seats, options), (sim) => {
              for (let i = 0; i < 30; i++) sim.step(new Map(order));
              return sim.hash();
            }),
          );
          expect(hashes[0]).toBe(hashes[1]);
        }),
        { numRuns: 5 },
      );
    });

    test('a restored match goes on bit for bit for 300 steps', () => {
      fc.assert(
        fc.property(seed, fc.nat(1_500), script, (from, until, moments) => {
          using(game.create(from, seats, options), (sim) => {
            for (let i = 0; i < until; i++) sim.step(inputsAt(moments, i % 400));
            const save = sim.save();
            using(game.load(save), (twin) => {
              expect(twin.hash()).toBe(sim.hash());
              expect(twin.view()).toEqual(sim.view());
              expect(play(twin, moments, 300)).toEqual(play(sim, moments, 300));
              expect(twin.save()).toEqual(sim.save());
            });
          });
        }),
        { numRuns: 6 },
      );
    });

    test('another process comes to the same states', async () => {
      const hashes = using(game.create(77, seats, options), (sim) => play(sim, [], 400));
      expect(await playElsewhere(sample, seats)).toEqual(hashes);
    });

    test('ends within its ticks, places every slot, and then stands still', () => {
      using(game.create(5, seats, options), (sim) => {
        while (!sim.result() && sim.tick <= game.maxTicks(options)) sim.step(new Map());
        const result = sim.result();
        expect(result?.ticks).toBe(sim.tick);
        expect(result?.placements).toHaveLength(seats.length);
        expect(result?.scores).toHaveLength(seats.length);
        expect(Math.min(...(result?.placements ?? []))).toBe(1);
        const hash = sim.hash();
        sim.step(new Map());
        expect(sim.hash()).toBe(hash);
        using(game.load(sim.save()), (twin) => expect(twin.result()).toEqual(result));
      });
    });

    test('refuses too few and too many seats', () => {
      const { min, max } = game.seats;
      for (const count of [min - 1, max + 1]) {
        const wrong = Array.from({ length: count }, () => player);
        expect(() => game.create(1, wrong, options)).toThrow(RangeError);
      }
    });

    test('refuses a save that is cut or changed', () => {
      const save = using(game.create(3, seats, options), (sim) => {
        play(sim, [], 50);
        return sim.save();
      });
      fc.assert(
        fc.property(fc.nat(save.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
          const changed = save.slice();
          changed[at] = (changed[at] as number) ^ flip;
          expect(() => game.load(changed)).toThrow(RangeError);
          expect(() => game.load(save.subarray(0, at))).toThrow(RangeError);
        }),
        { numRuns: 50 },
      );
    });

    test('what a simulation handed out stays as it was', () => {
      using(game.create(9, seats, options), (sim) => {
        play(sim, [], 20);
        const [view, save] = [sim.view(), sim.save()];
        const [viewThen, saveThen] = [structuredClone(view), save.slice()];
        play(sim, [], 20);
        sim.save();
        expect(view).toEqual(viewThen);
        expect(save).toEqual(saveThen);
      });
    });

    test('whatever a player does with the controls is an input', () => {
      const axis = fc.integer({ min: -127, max: 127 });
      fc.assert(
        fc.property(fc.record({ x: axis, y: axis, buttons: fc.nat(255) }), (controls) => {
          const input = game.fromControls(controls);
          expect(game.inputSchema.parse(input)).toEqual(input);
        }),
      );
    });

    test('a vector shows what its view shows, and outlives the next step', () => {
      fc.assert(
        fc.property(seed, script, (from, moments) => {
          using(game.create(from, seats, options), (sim) => {
            let [shown, vector] = [sim.view(), game.vector(sim.view())];
            for (let i = 0; i < 200; i++) {
              const then = vector.slice();
              sim.step(inputsAt(moments, sim.tick));
              const view = sim.view();
              const next = game.vector(view);
              expect(vector).toEqual(then);
              expect(isDeepStrictEqual(next, vector)).toBe(isDeepStrictEqual(view, shown));
              [shown, vector] = [view, next];
            }
          });
        }),
        { numRuns: 5 },
      );
    });

    test('a second of snapshots comes back as the views it was made of', () => {
      using(game.create(11, seats, options), (sim) => {
        const key = game.vector(sim.view());
        expect(decodeKeyframe(encodeKeyframe(key))).toEqual(key);
        for (let i = 0; i < game.tickRate; i++) {
          sim.step(new Map());
          const vector = game.vector(sim.view());
          expect(decodeDelta(encodeDelta(vector, key), key)).toEqual(vector);
        }
      });
    });

    test('free may be called twice', () => {
      const sim = game.create(1, seats, options);
      sim.free();
      expect(() => sim.free()).not.toThrow();
    });
  });
}

/** Hashes of the first 400 steps of seed 77 without inputs, from a process of its own. */
async function playElsewhere<Options, Input>(
  { folder, exportName, options }: Sample<Options, Input>,
  seats: readonly Seat[],
): Promise<number[]> {
  const program = `
    import { ${exportName} as game } from './index.ts';
    await game.prepare();
    const sim = game.create(77, ${JSON.stringify(seats)}, ${JSON.stringify(options)});
    const hashes = [];
    for (let i = 0; i < 400; i++) { sim.step(new Map()); hashes.push(sim.hash()); }
    console.log(JSON.stringify(hashes));`;
  const bundle = buildSync({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    logLevel: 'error',
  });
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-']);
  run.child.stdin?.end(bundle.outputFiles[0]?.contents);
  const { stdout } = await run;
  return JSON.parse(stdout) as number[];
}

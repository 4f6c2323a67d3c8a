import { defaultOptions, knockout } from '../games/knockout/index.ts';
import { matchResult, type Seat } from '../../protocol/index.ts';
import { gameSeat } from './seat.ts';
import type { Chunk, TapeInput, TapeSeat } from './tape.ts';
import type { Replay } from './file.ts';

/** Steps a chunk of a recording. */
const CHUNK_TICKS = 30;

/**
 * A match of Knockout that was really played: two players who steer, two bots, and a player who leaves to a bot and
 * comes back. @param until so many steps, or the end
 */
export async function playedMatch(seed = 7, until = Infinity): Promise<Omit<Replay, 'link'>> {
  await knockout.prepare();
  const seats: Seat[] = [{ player: 'ada' }, { bot: 2 }, { player: 'bo' }, { bot: 1 }];
  const sim = knockout.create(seed, seats.map(gameSeat), defaultOptions);
  const changes: TapeSeat[] = [
    [0, 2, { player: 'bo' }],
    [100, 0, { player: 'ada', bot: 1 }],
    [160, 0, { player: 'ada' }],
  ];
  const chunks: Chunk[] = [];
  let inputs: TapeInput[] = [];
  let from = 0;
  const cut = (): void => {
    const within = ([tick]: TapeSeat): boolean => tick >= from && tick < sim.tick;
    chunks.push({ fromTick: from, ticks: sim.tick - from, inputs, seats: changes.filter(within) });
    inputs = [];
    from = sim.tick;
  };
  while (!sim.result() && sim.tick < until) {
    const { tick } = sim;
    for (const [at, slot, seat] of changes) if (at === tick) sim.seat(slot, gameSeat(seat));
    const steered: TapeInput[] = [0, 2]
      .filter((slot) => tick % (slot + 3) === 0)
      .map((slot) => [tick, slot, 1 + tick, sway(tick), sway(tick + 17), tick % 50 === 0 ? 1 : 0]);
    inputs.push(...steered);
    sim.step(
      new Map(
        steered.map(([, slot, , x, y, buttons]) => [
          slot,
          knockout.fromControls({ x, y, buttons }),
        ]),
      ),
    );
    if (sim.tick % CHUNK_TICKS === 0) cut();
  }
  cut();
  const result = sim.result();
  const end = {
    ticks: sim.tick,
    hash: sim.hash(),
    ...(result !== undefined && { result: matchResult.parse(result) }),
  };
  sim.free();
  const { name: game, version, tickRate } = knockout;
  return {
    header: {
      match: 'AAAAAAAAAAAAAAAA',
      game,
      version,
      tickRate,
      seed,
      options: {},
      seats,
      startedAt: 1,
    },
    chunks,
    end,
  };
}

/** To and fro: who steers so stays on the platform for a while. */
function sway(tick: number): number {
  const phase = tick % 40;
  return (phase < 20 ? phase - 10 : 30 - phase) * 5;
}

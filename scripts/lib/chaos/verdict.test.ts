import { beforeAll, describe, expect, it } from 'vitest';
import { orderKnockout } from '../arenas.ts';
import { Seen } from '../bots/twin.ts';
import { writeReplay } from '../../../workers/replay/file.ts';
import type { TapeInput } from '../../../workers/replay/tape.ts';
import { knockout, type KnockoutInput } from '../../../workers/games/knockout/index.ts';
import type { SentInput } from './player.ts';
import { judge, type Played, type Verdict } from './verdict.ts';

const SLOTS = 2;
const TICKS = 120;
/** Every input leaves long before the end. */
const ENDED_AT = 100_000;

interface Run {
  readonly played: Played;
}

/** A match as an arena plays it: slot 0 sends an input every ten ticks, and two in tick 20. */
function run(change: (inputs: TapeInput[]) => void = () => {}): Run {
  const order = orderKnockout({
    match: 'AAAAAAAAAAAAAAAA',
    seed: 11,
    seats: [{ player: 'ann' }, { bot: 1 }],
    options: { endTicks: TICKS, holdTicks: 100, startRadius: 40, dashSpeed: 1 },
  });
  const sent = new Map<number, SentInput>();
  const inputs: TapeInput[] = [];
  const add = (tick: number, ...seqs: number[]): void => {
    for (const seq of seqs) sent.set(seq, { x: seq, y: -seq, buttons: seq % 2, at: 1_000 });
    const last = seqs.at(-1) ?? 0;
    inputs.push([tick, 0, last, last, -last, seqs.some((seq) => seq % 2 === 1) ? 1 : 0]);
  };
  add(10, 1);
  add(20, 2, 3, 4);
  add(30, 5);
  change(inputs);

  const options = knockout.optionsSchema.parse(order.options);
  const simulation = knockout.create(
    order.seed,
    [{ kind: 'player' }, { kind: 'bot', level: 1 }],
    options,
  );
  const seen = new Seen();
  const seqs = new Int32Array(SLOTS);
  const show = (): void => {
    const vector = Int32Array.of(...knockout.vector(simulation.view()), ...seqs);
    seen.add({ term: 1, tick: simulation.tick, vector });
  };
  show();
  while (simulation.result() === undefined) {
    const now = inputs.filter(([tick]) => tick === simulation.tick);
    simulation.step(
      new Map(
        now.map(([, slot, seq, x, y, buttons]): [number, KnockoutInput] => {
          seqs[slot] = seq;
          return [slot, knockout.fromControls({ x, y, buttons })];
        }),
      ),
    );
    show();
  }
  const { placements = [], scores = [] } = simulation.result() ?? {};
  const result = { placements: [...placements], scores: [...scores], ticks: simulation.tick };
  const end = { ticks: simulation.tick, hash: simulation.hash(), result };
  simulation.free();
  const { match, game, version, seed, seats } = order;
  const header = { match, game, version, tickRate: 30, seed, options: order.options, seats };
  const chunk = { fromTick: 0, ticks: end.ticks, inputs, seats: [] };
  const record = { order, arena: 'a', state: 'over' as const, term: 1, seats, result };
  const recorder = {
    match,
    seen,
    faults: [],
    over: { match, result },
    endedAt: ENDED_AT,
    seenAt: 0,
  };
  const all = new Map([[0, sent]]);
  const replay = writeReplay({ header, chunks: [chunk], end });
  return { played: { recorder, record, replay, sent: all } };
}

beforeAll(async () => await knockout.prepare());

const faultsOf = async ({ played }: Run): Promise<Verdict['faults']> =>
  (await judge(played)).faults;

describe('a verdict', () => {
  it('finds nothing in a match in which nothing was lost', async () => {
    const { played } = run();
    const { faults, taken, merged, pictures, ticks } = await judge(played);
    expect(faults).toEqual([]);
    expect([taken, merged]).toEqual([3, 2]);
    expect(pictures).toBe(ticks + 1);
  });

  it('finds a picture that is not the twin’s, and one of a tick that never was', async () => {
    const one = run();
    one.played.recorder.seen.add({ term: 2, tick: 12, vector: Int32Array.of(1, 2, 3) });
    one.played.recorder.seen.add({ term: 2, tick: 9_999, vector: Int32Array.of(1) });
    const faults = await faultsOf(one);
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain('picture of tick 12');
  });

  it('finds an input that was taken twice', async () => {
    const twice = run((inputs) => inputs.push([40, 0, 4, 4, -4, 0]));
    expect(await faultsOf(twice)).toContainEqual(expect.stringContaining('taken twice'));
  });

  it('finds an input that was never taken', async () => {
    const never = run((inputs) => void inputs.pop());
    expect(await faultsOf(never)).toEqual(['input 5 of slot 0: never taken']);
  });

  it('finds a stick that nobody moved and a button that nobody pressed', async () => {
    const moved = run((inputs) => void inputs.splice(0, 1, [10, 0, 1, 9, -1, 1]));
    expect(await faultsOf(moved)).toContainEqual(expect.stringContaining('9, -1 was taken'));
    const silent = run((inputs) => void inputs.splice(1, 1, [20, 0, 4, 4, -4, 0]));
    expect(await faultsOf(silent)).toContainEqual(expect.stringContaining('1 were pressed'));
    const ghost = run((inputs) => void inputs.push([40, 1, 1, 0, 0, 0]));
    expect(await faultsOf(ghost)).toContainEqual(expect.stringContaining('nobody sent it'));
  });

  it('finds a match without a result, a replay that was changed, and none', async () => {
    const { played } = run();
    const lost = await judge({ ...played, record: undefined });
    expect(lost.faults).toContain('no result: no record');
    const changed = played.replay?.slice() ?? new Uint8Array();
    changed[40] = (changed[40] ?? 0) ^ 1;
    const damaged = await judge({ ...played, replay: changed });
    expect(damaged.faults).toEqual([expect.stringContaining('damaged')]);
    const none = await judge({ ...played, replay: undefined });
    expect(none.faults).toEqual(['no replay']);
  });
});

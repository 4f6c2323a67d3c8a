import { beforeAll, expect, test, vi } from 'vitest';
import { type Deed, deedBits } from '../../../workers/games/drill/index.ts';
import { Muster } from '../../support/muster.ts';
import { Stage, type OrderOptions, type Player } from '../stage.ts';
import { expectTwin } from '../verdict.ts';

/** Ticks that neighbours play on after what happened, and then hold still so that their last inputs are taken. */
const AFTER_TICKS = 10;
const STILL_TICKS = 15;

/** Children are replaced by warm ones, which take their time on a machine that runs other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let stage: Stage;
let muster: Muster;

beforeAll(async () => {
  // A child that is silent because it had no core is not what is looked at here.
  muster = await Muster.start({ arenas: true, workerEnv: { ARENA_SILENCE_MS: '10000' } });
  stage = new Stage(muster);
  await stage.arena('drill');
});

interface Table {
  readonly bad: Player;
  readonly neighbours: readonly Player[];
}

/** A match that will misbehave, and two that play beside it in the same arena, one with a bot. */
async function table(options: OrderOptions = {}): Promise<Table> {
  const arena = await stage.arena('drill');
  const join = async (seats: readonly { bot: number }[], order?: OrderOptions): Promise<Player> => {
    const name = stage.name();
    return await stage.seat(await stage.place([name, ...seats], order, arena), name);
  };
  const neighbours = await Promise.all([join([{ bot: 0 }]), join([])]);
  for (const one of neighbours) one.wander();
  const bad = await join([], options);
  await Promise.all([...neighbours, bad].map(async (one) => await one.sees(5)));
  return { bad, neighbours };
}

/**
 * They play on, and end as their twins do, no tick left out.
 * @param gaps ticks that may have died with a process between being logged and being shown
 */
async function expectUnharmed(neighbours: readonly Player[], gaps = 0): Promise<void> {
  await Promise.all(neighbours.map(async (one) => await one.sees(AFTER_TICKS)));
  for (const one of neighbours) one.rest();
  await Promise.all(neighbours.map(async (one) => await one.sees(STILL_TICKS)));
  for (const one of neighbours) one.finish();
  await Promise.all(neighbours.map(async (one) => await one.ends()));
  for (const one of neighbours) await expectTwin(muster, [one], { gaps });
}

async function expectQuarantined({ match, ...bad }: Player, over = bad.over): Promise<void> {
  expect(over).toMatchObject({ failure: { code: 'quarantined' } });
  expect(over?.result).toBeUndefined();
  const record = await stage.record(match.id);
  expect(record).toMatchObject({ state: 'over', failure: { code: 'quarantined' } });
  expect(record.result).toBeUndefined();
}

function report(what: string, players: readonly Player[], from: readonly number[]): void {
  const pauses = players.map((one, i) => `${Math.round(one.pauseSince(from[i] ?? 0))} ms`);
  process.stdout.write(`${what}: neighbours stood still for ${pauses.join(' and ')} at most\n`);
}

/** Does something to one match. @returns the ticks at which the neighbours were */
async function misbehave({ bad, neighbours }: Table, deed: Deed): Promise<number[]> {
  const from = neighbours.map(({ tick }) => tick);
  bad.press(deedBits[deed]);
  await bad.ends();
  return from;
}

test.each(['spin', 'throw'] as const)(
  'a match that does this in JavaScript is ended and reported, and its neighbours miss nothing: %s',
  async (deed) => {
    const { bad, neighbours } = await table();
    const terms = neighbours.map(({ term }) => term);
    const from = await misbehave({ bad, neighbours }, deed);
    await expectQuarantined(bad);
    await expectUnharmed(neighbours);
    report(deed, neighbours, from);
    // The arena was not silent for long enough to be replaced.
    expect(neighbours.map(({ term }) => term)).toEqual(terms);
    for (const { seen } of neighbours) expect(seen.unseen).toEqual([]);
  },
);

test('a step that is too slow every time ends its match, one that is slow within its limit does not', async () => {
  const { bad, neighbours } = await table({ options: { ms: 100 } });
  const slower = await table({ options: { ms: 3 } });
  slower.bad.press(deedBits.slow);
  await slower.bad.sees(AFTER_TICKS);
  const from = await misbehave({ bad, neighbours }, 'slow');
  await expectQuarantined(bad);
  await expectUnharmed([...neighbours, ...slower.neighbours, slower.bad]);
  report('slow', neighbours, from);
});

test('a step that fails once is tried again, and its match goes on as if nothing had been', async () => {
  const { bad, neighbours } = await table();
  const [term, from] = [bad.term, neighbours.map(({ tick }) => tick)];
  bad.press(deedBits.stumble);
  await bad.sees(AFTER_TICKS);
  expect(bad.over).toBeUndefined();
  expect(bad.seen.unseen).toEqual([]);
  expect(bad.term).toBe(term);
  bad.finish();
  expect((await bad.ends()).result?.placements).toEqual([1]);
  await expectUnharmed(neighbours);
  report('stumble', neighbours, from);
});

test('a spin in WebAssembly that all matches share costs the process, and the neighbours go on under a successor', async () => {
  const { bad, neighbours } = await table();
  const term = bad.term;
  const from = await misbehave({ bad, neighbours }, 'spinInWasm');
  await expectQuarantined(bad);
  const deaths = (neighbours[0]?.term ?? 0) - term;
  expect(deaths).toBeGreaterThan(0);
  await expectUnharmed(neighbours, deaths);
  report('spin in WebAssembly', neighbours, from);
});

test('an input that kills the process at every recovery: quarantined at its second death, the others play on', async () => {
  const { bad, neighbours } = await table();
  const term = bad.term;
  const from = await misbehave({ bad, neighbours }, 'die');
  await expectQuarantined(bad);
  await Promise.all(neighbours.map(async (one) => await one.sees(1)));
  expect(neighbours.map((one) => one.term)).toEqual([term + 2, term + 2]);
  await expectUnharmed(neighbours, 2);
  report('two deaths', neighbours, from);
});

test('a checkpoint that cannot be loaded costs its own match alone', async () => {
  const { bad, neighbours } = await table();
  bad.press(deedBits.rot);
  // Long enough for every match to have been written since.
  await bad.sees(40);
  const { pid } = await stage.hostOf(bad.match.id);
  const from = neighbours.map(({ tick }) => tick);
  process.kill(pid, 'SIGKILL');
  const over = await bad.ends();
  expect(over.result).toBeUndefined();
  expect(over.failure?.code).toMatch(/^(quarantined|lost)$/);
  await expectUnharmed(neighbours, 1);
  report('rotten checkpoint', neighbours, from);
});

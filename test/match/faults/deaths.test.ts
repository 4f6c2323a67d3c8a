import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { arenaKeys, matchKey } from '../../../src/relay/keys.ts';
import { Muster, type TestWorker } from '../../support/muster.ts';
import { childrenOf, isAlive, isIdle } from '../../support/processes.ts';
import { until } from '../../support/until.ts';
import { Stage, type Player } from '../stage.ts';
import { expectTwin } from '../verdict.ts';

const LONG = process.env['MUSTER_LONG'] === '1';
const KILLS = LONG ? 15 : 2;
const STILL_TICKS = 15;

/** Children are replaced by warm ones, which take their time on a machine that runs other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let stage: Stage;
let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ arenas: true, workers: 2, workerEnv: { DRAIN_MS: '500' } });
  stage = new Stage(muster);
});

beforeEach(async () => {
  // The test before has used one up.
  const alive = muster.workers.filter(({ process: { pid } }) => isAlive(pid)).length;
  for (let count = alive; count < 2; count++) await muster.startWorker();
});

/** Two drills of a player and a bot, and a third with two players, all in one arena and under way. */
async function play(): Promise<Player[]> {
  const arena = await stage.arena('drill');
  const seats = [
    [stage.name(), { bot: 0 }],
    [stage.name(), { bot: 0 }],
    [stage.name(), stage.name()],
  ];
  const players: Player[] = [];
  for (const [n, slots] of seats.entries()) {
    const match = await stage.place(slots, { seed: n }, arena);
    for (const one of slots) {
      if (typeof one === 'string') players.push(await stage.seat(match, one));
    }
  }
  for (const one of players) one.wander();
  await everybody(players, 5);
  return players;
}

async function everybody(players: readonly Player[], ticks: number): Promise<void> {
  await Promise.all(players.map(async (one) => await one.sees(ticks)));
}

/**
 * All of them play on to an end that is their twins'.
 * @param handed terms that began without a death. Each death may have cost a tick between its logging and its picture:
 * it is stepped, and not shown
 */
async function expectWhole(players: readonly Player[], handed = 0): Promise<void> {
  await everybody(players, 10);
  for (const one of players) one.rest();
  await everybody(players, STILL_TICKS);
  for (const one of players) if (one.match.slot === 0) one.finish();
  await Promise.all(players.map(async (one) => await one.ends()));
  for (const one of players) {
    const terms = one.arrivals.map(({ term }) => term);
    expect(terms).toEqual(terms.toSorted((a, b) => a - b));
    const begun = one.term - (terms[0] ?? 0);
    expect(begun).toBeGreaterThan(0);
    await expectTwin(muster, [one], { gaps: begun - handed });
  }
}

function report(what: string, players: readonly Player[], from: number): void {
  const pauses = players.map((one) => Math.round(one.pauseSince(from)));
  process.stdout.write(`${what}: players saw pauses of ${pauses.join(', ')} ms at most\n`);
}

/** The worker whose child has that pid. */
function workerOf(child: number): TestWorker {
  const found = muster.workers.find(({ process: { pid } }) => childrenOf(pid).includes(child));
  if (found === undefined) throw new Error(`no worker has a child ${child}`);
  return found;
}

test('an arena child killed at random moments loses no match and no input, and doubles none', async () => {
  const players = await play();
  const [first] = players as [Player];
  for (let kills = 0; kills < KILLS; kills++) {
    const { pid, term } = await stage.hostOf(first.match.id);
    await everybody(players, 1 + Math.floor(Math.random() * 20));
    process.kill(pid, 'SIGKILL');
    await until(() => players.every((one) => one.term > term));
  }
  await expectWhole(players);
  report(`${KILLS} kills of the child`, players, 0);
});

test('a worker whose spare dies, too, leaves the arena to one that has a warm child', async () => {
  const players = await play();
  const [first] = players as [Player];
  const { pid, term } = await stage.hostOf(first.match.id);
  const worker = workerOf(pid);
  for (const child of childrenOf(worker.process.pid)) process.kill(child, 'SIGKILL');
  await until(() => players.every((one) => one.term > term));
  await until(async () => (await stage.hostOf(first.match.id)).term > term);
  const { pid: successor } = await stage.hostOf(first.match.id);
  expect(workerOf(successor).name).not.toBe(worker.name);
  await expectWhole(players);
  report('all children of a worker killed', players, 0);
});

test('a stopped arena child gets a successor', async () => {
  const players = await play();
  const [first] = players as [Player];
  const { pid, term } = await stage.hostOf(first.match.id);
  process.kill(pid, 'SIGSTOP');
  await until(() => players.every((one) => one.term > term));
  await until(() => !isAlive(pid));
  await expectWhole(players);
  report('child stopped', players, 0);
});

test('a stopped worker’s arena gets a successor elsewhere; its child, woken up, writes nothing', async () => {
  const players = await play();
  const [first] = players as [Player];
  const before = await stage.hostOf(first.match.id);
  const old = workerOf(before.pid);
  const stop = (worker: TestWorker, pid: number): void => {
    worker.process.kill('SIGSTOP');
    process.kill(pid, 'SIGSTOP');
  };
  stop(old, before.pid);
  await until(() => players.every((one) => one.term > before.term));
  await everybody(players, 5);
  await until(async () => (await stage.hostOf(first.match.id)).pid !== before.pid);
  const { pid, term } = await stage.hostOf(first.match.id);
  expect(term).toBeGreaterThan(before.term);
  // The successor holds still as well: whatever is written now, the old one has written.
  const successor = workerOf(pid);
  stop(successor, pid);
  await until(async () => await isIdle(pid));
  const written = await durable(before.arena, players);
  process.kill(before.pid, 'SIGCONT');
  await until(async () => !isAlive(before.pid) || (await isIdle(before.pid)));
  expect(await durable(before.arena, players)).toEqual(written);
  process.kill(pid, 'SIGCONT');
  successor.process.kill('SIGCONT');
  await everybody(players, 5);
  old.process.kill('SIGCONT');
  await old.process.waitForLine(/"message":"arena interrupted"/);
  await everybody(players, 20);
  await expectWhole(players);
  report('worker stopped', players, 0);
});

/** Everything that an arena's term fences, and its matches' records, byte by byte. */
async function durable(arena: string, players: readonly Player[]): Promise<Record<string, string>> {
  const own = arenaKeys(arena);
  const { meta, places, log, checkpoints } = own;
  const matches = [...new Set(players.map(({ match: { id } }) => id))];
  const keys = [
    meta,
    places,
    log,
    checkpoints,
    ...matches.flatMap((id) => [own.tape(id), matchKey(id)]),
  ];
  const dumps = await Promise.all(keys.map(async (key) => await stage.redis.dumpBuffer(key)));
  return Object.fromEntries(
    // A dump can't be null in ioredis' types, but is where there is no such key.
    keys.map((key, i) => [key, (dumps[i] as Buffer | null)?.toString('base64') ?? 'absent']),
  );
}

test('a worker machine whose whole process tree is killed loses no match and no input, and doubles none', async () => {
  const players = await play();
  const [first] = players as [Player];
  const { pid, term } = await stage.hostOf(first.match.id);
  const worker = workerOf(pid);
  process.kill(-worker.process.pid, 'SIGKILL');
  await until(() => players.every((one) => one.term > term));
  expect(isAlive(pid)).toBe(false);
  await expectWhole(players);
  report('worker machine killed', players, 0);
});

test('a worker that is told to leave hands its matches over without losing a tick', async () => {
  const players = await play();
  const [first] = players as [Player];
  const { pid, term } = await stage.hostOf(first.match.id);
  const worker = workerOf(pid);
  worker.process.kill('SIGTERM');
  await until(() => players.every((one) => one.term > term));
  expect(await worker.process.exited).toMatchObject({ code: 0 });
  await expectWhole(players, 1);
  report('worker drained', players, 0);
});

import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { queueNamed, seatsOf, type QueueName } from '../../protocol/index.ts';
import type { Op } from '../../src/match/ops.ts';
import { Hall } from './hall.ts';
import { deed, Run, type RunTicket } from './run.ts';

const LONG = process.env['MUSTER_LONG'] === '1';
/** No ticket gets older in a run. */
const OLDEST_S = 10;

let hall: Hall;

beforeAll(async () => {
  hall = await Hall.open();
});

test('whatever happens and wherever passes die, nobody is lost, doubled or parted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 30, maxLength: 120 }), async (deeds) => {
      await hall.empty();
      const run = new Run(hall);
      for (const one of deeds) await run.do(one);
      // With room enough and nobody dying, everything that was begun is done in a few passes.
      await hall.ledger.beat('roomy', 1_000);
      for (let n = 0; n < 5; n++) {
        for (const name of ['duel', 'knockout'] as const) await hall.pass(name);
        await hall.ledger.tick();
        if (n >= 1 && (await hall.isSettled())) break;
      }
      expect(await hall.isSettled()).toBe(true);
      await check(run);
    }),
    { numRuns: LONG ? 400 : 16, endOnFailure: !LONG },
  );
}, 240_000);

async function check(run: Run): Promise<void> {
  const waiting = new Set<string>();
  for (const name of ['duel', 'knockout'] as const) {
    expect((await hall.counts(name))[2]).toBe(0);
    for (const one of await hall.pool.waiting(name)) waiting.add(`${one.player}/${one.id}`);
  }
  const created = run.created();
  expect(new Set(created).size).toBe(created.length);

  const seats = seatsTold();
  const matchOf = new Map<RunTicket, string>();
  for (const ticket of run.tickets) {
    const { player: who, id } = ticket;
    const end = await hall.end(who, id);
    const isWaiting = waiting.has(`${who}/${id}`);
    // Its end comes first: a pass that dies before it has taken an ended ticket out leaves it to the next.
    const states = end === undefined ? [isWaiting, ticket.left] : [true];
    expect({ ticket, states: states.filter(Boolean) }).toEqual({ ticket, states: [true] });
    if (end?.state !== 'done') continue;
    const { match, slot, teams, region } = await hall.match(who, id);
    expect(region).toBe('ams');
    expect(teams[slot]).toEqual([who]);
    // The arena was told of just this seat.
    expect(seats.get(match)?.get(slot)).toBe(who);
    matchOf.set(ticket, match);
  }
  // Nobody has a seat that no ticket of theirs says. (One who got a seat of a match that was over by then waits on.)
  const runs = (match: string): boolean => !run.over.has(match);
  const told = [...seats].flatMap(([match, all]) =>
    runs(match) ? [...all.values()].map((who) => `${match} ${who}`) : [],
  );
  const said = [...matchOf].flatMap(([{ player: who }, match]) =>
    runs(match) ? `${match} ${who}` : [],
  );
  expect(told.toSorted()).toEqual(said.toSorted());

  const running = [...matchOf].filter(([, match]) => !run.over.has(match));
  const busy = running.map(([{ player: who }]) => who);
  expect(new Set(busy).size).toBe(busy.length);

  for (const party of new Set(run.tickets.map((one) => one.party))) {
    if (party === undefined) continue;
    const members = run.tickets.filter((one) => one.party === party);
    const matches = members.flatMap((one) => matchOf.get(one) ?? []);
    expect(new Set(matches).size).toBeLessThanOrEqual(1);
    expect([0, members.length]).toContain(matches.length);
  }
  for (const { match, queue: name, seats: all } of hall.ledger.created) {
    const rules = queueNamed(name as QueueName);
    expect(all).toHaveLength(seatsOf(rules));
    const first = all.flatMap(({ player: who }) => who ?? []);
    const unitOf = ({ party, id }: RunTicket): string => party ?? id;
    const members = [...matchOf].flatMap(([one, where]) =>
      where === match && first.includes(one.player) ? [one] : [],
    );
    const means = [...new Set(members.map(unitOf))].map((unit) => {
      const mus = members.filter((one) => unitOf(one) === unit).map(({ mu }) => mu);
      return mus.reduce((sum, mu) => sum + mu, 0) / mus.length;
    });
    const window = rules.window.base + rules.window.perSecond * OLDEST_S;
    expect(Math.max(...means) - Math.min(...means)).toBeLessThanOrEqual(window);
  }
}

/** Who was given which seat of which match, as the arenas were told. */
function seatsTold(): Map<string, Map<number, string>> {
  const seats = new Map<string, Map<number, string>>();
  const ops: Op[] = [...hall.ledger.told.values()].flat();
  for (const op of ops) {
    if (op.is === 'create') {
      const all = op.order.seats.flatMap(({ player: who }, slot) =>
        who === undefined ? [] : [[slot, who] as const],
      );
      seats.set(op.order.match, new Map(all));
    } else if (op.is === 'seat' && op.seat.player !== undefined) {
      seats.get(op.match)?.set(op.slot, op.seat.player);
    }
  }
  return seats;
}

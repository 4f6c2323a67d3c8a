import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchQueues, queues } from '../../protocol/index.ts';
import { type Formed, formMatches, type Rules, type Ticket } from './matchmake-core.ts';

const NOW = 1_000_000;

const rulesOf = (maxTeams: number, maxSize: number): fc.Arbitrary<Rules> =>
  fc.record({
    teams: fc.integer({ min: 2, max: maxTeams }),
    teamSize: fc.integer({ min: 1, max: maxSize }),
    window: fc.record({
      base: fc.integer({ min: 0, max: 6 }),
      perSecond: fc.constantFrom(0, 0.5, 1),
      max: fc.integer({ min: 6, max: 20 }),
    }),
    latencyMs: fc.record({
      base: fc.constant(60),
      perSecond: fc.constantFrom(0, 5),
      max: fc.constantFrom(60, 100),
    }),
  });

/** Small ranges on purpose: equal skills, equal ages and shared regions are where mistakes hide. */
const party = fc.record({
  mus: fc.array(fc.integer({ min: 15, max: 35 }), { minLength: 1, maxLength: 3 }),
  waitedMs: fc.integer({ min: 0, max: 12 }).map((seconds) => seconds * 1_000),
  regions: fc.dictionary(fc.constantFrom('eu', 'us', 'ap'), fc.constantFrom(20, 50, 90, 150), {
    minKeys: 1,
  }),
});

const poolOf = (maxLength: number): fc.Arbitrary<Ticket[]> =>
  fc.array(party, { maxLength }).map((parties) =>
    parties.map(({ mus, waitedMs, regions }, index) => ({
      id: `t${index}`,
      members: mus.map((mu, seat) => ({ player: `p${index}.${seat}`, mu, sigma: 4 })),
      enqueuedAtMs: NOW - waitedMs,
      regions,
    })),
  );

const solo = (id: string, mu: number, waitedMs = 0, regions = { eu: 20 }): Ticket => ({
  id,
  members: [{ player: `player of ${id}`, mu, sigma: 4 }],
  enqueuedAtMs: NOW - waitedMs,
  regions,
});

const skillOf = ({ members }: Ticket): number =>
  members.reduce((sum, { mu }) => sum + mu, 0) / members.length;
const waitedOf = ({ enqueuedAtMs }: Ticket): number => NOW - enqueuedAtMs;

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

const latencyOf = (ticket: Ticket, { latencyMs: { base, perSecond, max } }: Rules): number =>
  Math.min(max, base + (perSecond * waitedOf(ticket)) / 1_000);

/** The rules, said a second time and without cleverness. */
function fits(group: readonly Ticket[], rules: Rules): boolean {
  const skills = group.map(skillOf);
  const { base, perSecond, max } = rules.window;
  const waited = Math.max(...group.map(waitedOf)) / 1_000;
  const spread = Math.max(...skills) - Math.min(...skills);
  if (spread > Math.min(max, base + perSecond * waited) + 1e-9) return false;
  return ['eu', 'us', 'ap'].some((region) =>
    group.every((ticket) => (ticket.regions[region] ?? Infinity) <= latencyOf(ticket, rules)),
  );
}

/** Whether parties of these sizes fill so many bins of a size exactly. */
function fills(sizes: readonly number[], bins: readonly number[]): boolean {
  const [size, ...rest] = sizes;
  if (size === undefined) return bins.every((room) => room === 0);
  return bins.some((room, at) => room >= size && fills(rest, bins.with(at, room - size)));
}

/** All groups of tickets that could be a match. */
function possible(tickets: readonly Ticket[], rules: Rules): Ticket[][] {
  // Where each plays alone a party need only be in one match.
  const bins =
    rules.teamSize === 1
      ? [rules.teams]
      : Array.from({ length: rules.teams }, () => rules.teamSize);
  const all: Ticket[][] = [];
  for (let mask = 1; mask < 2 ** tickets.length; mask++) {
    const group = tickets.filter((_, at) => mask & (1 << at));
    const sizes = group.map(({ members }) => members.length);
    const players = sizes.reduce((sum, size) => sum + size, 0);
    if (players !== rules.teams * rules.teamSize || !fits(group, rules)) continue;
    if (fills(sizes, bins)) all.push(group);
  }
  return all;
}

const byId = (tickets: readonly Ticket[]): Map<string, Ticket> =>
  new Map(tickets.map((ticket) => [ticket.id, ticket]));

function groupsOf(formed: Formed, tickets: readonly Ticket[]): Ticket[][] {
  const named = byId(tickets);
  return formed.matches.map(({ teams }) => teams.flat().map((id) => named.get(id) as Ticket));
}

describe('whatever waits', () => {
  test('every ticket is in one match or left, once', () => {
    fc.assert(
      fc.property(poolOf(60), rulesOf(4, 3), (tickets, rules) => {
        const { matches, left } = formMatches(tickets, rules, NOW);
        const named = [...matches.flatMap(({ teams }) => teams.flat()), ...left];
        expect(named.toSorted()).toEqual(tickets.map(({ id }) => id).toSorted());
      }),
    );
  });

  test('nobody is in two matches, even with several tickets', () => {
    const shared = poolOf(30).map((tickets) =>
      tickets.map((ticket) => ({
        ...ticket,
        members: ticket.members.map((member) => ({ ...member, player: `p${member.mu % 9}` })),
      })),
    );
    fc.assert(
      fc.property(shared, rulesOf(2, 2), (tickets, rules) => {
        const groups = groupsOf(formMatches(tickets, rules, NOW), tickets);
        const players = groups.flat().flatMap(({ members }) => members.map(({ player }) => player));
        expect(new Set(players).size).toBe(players.length);
      }),
    );
  });

  test('every match fits the rules: full teams, window of its oldest ticket, one region for all', () => {
    fc.assert(
      fc.property(poolOf(60), rulesOf(4, 3), (tickets, rules) => {
        const formed = formMatches(tickets, rules, NOW);
        const named = byId(tickets);
        for (const [at, group] of groupsOf(formed, tickets).entries()) {
          const match = formed.matches[at];
          expect(fits(group, rules)).toBe(true);
          const sizes = (match?.teams ?? []).map(
            (team) => team.flatMap((id) => named.get(id)?.members ?? []).length,
          );
          // Where each plays alone there are no teams to fill.
          const told = rules.teamSize === 1 ? sizes.flatMap((size) => ones(size)) : sizes;
          expect(told).toEqual(ones(rules.teams).map(() => rules.teamSize));
          for (const ticket of group) {
            const latency = ticket.regions[match?.region ?? ''];
            expect(latency).toBeLessThanOrEqual(latencyOf(ticket, rules));
          }
          expect(match?.quality).toBeGreaterThanOrEqual(0);
          expect(match?.quality).toBeLessThanOrEqual(1);
          expect(match?.bots).toBe(0);
        }
      }),
    );
  });

  test('the region of a match is the one whose worst latency is lowest', () => {
    fc.assert(
      fc.property(poolOf(40), rulesOf(3, 2), (tickets, rules) => {
        const formed = formMatches(tickets, rules, NOW);
        for (const [at, group] of groupsOf(formed, tickets).entries()) {
          const worst = (region: string): number =>
            Math.max(...group.map(({ regions }) => regions[region] ?? Infinity));
          const least = Math.min(...['eu', 'us', 'ap'].map(worst));
          expect(worst(formed.matches[at]?.region ?? '')).toBe(least);
        }
      }),
    );
  });

  test('no match is left undone, and the oldest who could play does', () => {
    fc.assert(
      fc.property(poolOf(9), rulesOf(3, 3), (tickets, rules) => {
        const formed = formMatches(tickets, rules, NOW);
        const left = tickets.filter(({ id }) => formed.left.includes(id));
        expect(possible(left, rules)).toEqual([]);
        const could = new Set(possible(tickets, rules).flat());
        const longest = Math.max(...[...could].map(waitedOf));
        const passedOver = left.filter((one) => could.has(one) && waitedOf(one) === longest);
        const taken = [...could].filter((one) => waitedOf(one) === longest).length;
        expect(passedOver.length).toBeLessThan(Math.max(1, taken));
      }),
      { numRuns: 300 },
    );
  });

  test('the oldest who can play gets the closest match there is', () => {
    const oneRegion = poolOf(9).map((tickets) =>
      tickets.map((ticket, at) => ({
        ...ticket,
        regions: { eu: 10 },
        enqueuedAtMs: ticket.enqueuedAtMs - at,
      })),
    );
    fc.assert(
      fc.property(oneRegion, rulesOf(3, 2), (tickets, rules) => {
        const [first] = groupsOf(formMatches(tickets, rules, NOW), tickets);
        if (!first) return;
        const oldest = first.reduce((a, b) => (waitedOf(a) >= waitedOf(b) ? a : b));
        const spread = (group: readonly Ticket[]): number =>
          Math.max(...group.map(skillOf)) - Math.min(...group.map(skillOf));
        const rivals = possible(tickets, rules).filter((group) => group.includes(oldest));
        expect(spread(first)).toBeCloseTo(Math.min(...rivals.map(spread)), 9);
      }),
      { numRuns: 200 },
    );
  });

  test('nobody waits for ever: once windows reach everybody, fewer wait than a match takes', () => {
    const arrivals = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 4_000 }),
        mu: fc.integer({ min: 15, max: 35 }),
        ms: fc.constantFrom(20, 90, 180),
      }),
      { minLength: 1, maxLength: 60 },
    );
    // Twenty in mu at one a second, 180 ms from 60 at five a second: 24 s after which any two may play.
    const rules = fc.record({
      teams: fc.integer({ min: 2, max: 4 }),
      teamSize: fc.constant(1),
      window: fc.constant({ base: 0, perSecond: 1, max: 20 }),
      latencyMs: fc.constant({ base: 60, perSecond: 5, max: 180 }),
    });
    const widestMs = 24_000;
    fc.assert(
      fc.property(arrivals, rules, (all, queue) => {
        let now = 0;
        let waiting: Ticket[] = [];
        let longest = 0;
        for (const [n, { afterMs, mu, ms }] of all.entries()) {
          for (const until = now + afterMs; now <= until; now += 250) {
            const { left } = formMatches(waiting, queue, now);
            waiting = waiting.filter(({ id }) => left.includes(id));
            const wide = waiting.filter(({ enqueuedAtMs }) => now - enqueuedAtMs >= widestMs);
            longest = Math.max(longest, wide.length);
          }
          waiting.push({ ...solo(`t${n}`, mu, 0, { eu: ms }), enqueuedAtMs: now });
        }
        expect(longest).toBeLessThan(queue.teams);
      }),
      { numRuns: 200 },
    );
  });

  test('the order of the tickets has no effect', () => {
    fc.assert(
      fc.property(poolOf(40), rulesOf(3, 2), (tickets, rules) => {
        const aged = tickets.map((ticket, at) => ({
          ...ticket,
          enqueuedAtMs: ticket.enqueuedAtMs - at,
        }));
        const formed = formMatches(aged, rules, NOW);
        expect(formMatches(aged.toReversed(), rules, NOW).matches).toEqual(formed.matches);
      }),
    );
  });

  test('with bots nobody waits longer than botsAfterMs who reaches a region', () => {
    fc.assert(
      fc.property(poolOf(40), rulesOf(4, 3), (tickets, rules) => {
        const botsAfterMs = 5_000;
        const formed = formMatches(tickets, { ...rules, botsAfterMs }, NOW);
        for (const ticket of tickets.filter(({ id }) => formed.left.includes(id))) {
          const reaches = Object.values(ticket.regions).some(
            (ms) => ms <= latencyOf(ticket, rules),
          );
          const most = rules.teamSize === 1 ? rules.teams : rules.teamSize;
          const isSmall = ticket.members.length <= most;
          expect(reaches && isSmall && waitedOf(ticket) >= botsAfterMs).toBe(false);
        }
        for (const [at, group] of groupsOf(formed, tickets).entries()) {
          expect(fits(group, rules)).toBe(true);
          const players = group.flatMap(({ members }) => members).length;
          const seats = rules.teams * rules.teamSize;
          expect(players + (formed.matches[at]?.bots ?? 0)).toBe(seats);
        }
      }),
    );
  });
});

describe('one case at a time', () => {
  const duel: Rules = {
    teams: 2,
    teamSize: 1,
    window: { base: 1, perSecond: 0.5, max: 5 },
    latencyMs: { base: 100, perSecond: 10, max: 150 },
  };

  test('a window widens with the wait of the oldest, up to its limit', () => {
    const meets = (gap: number, waitedMs: number): boolean =>
      formMatches([solo('a', 20, waitedMs), solo('b', 20 + gap)], duel, NOW).matches.length === 1;
    expect(meets(1, 0)).toBe(true);
    expect(meets(2, 1_999)).toBe(false);
    expect(meets(2, 2_000)).toBe(true);
    expect(meets(5, 60_000)).toBe(true);
    expect(meets(5.1, 3_600_000)).toBe(false);
  });

  test('a region that is too far at first is near enough later, up to its limit', () => {
    const far = (ms: number, waitedMs: number): boolean =>
      formMatches([solo('a', 20, waitedMs, { eu: ms }), solo('b', 20)], duel, NOW).matches
        .length === 1;
    expect(far(101, 0)).toBe(false);
    expect(far(120, 1_999)).toBe(false);
    expect(far(120, 2_000)).toBe(true);
    expect(far(150, 3_600_000)).toBe(true);
    expect(far(151, 3_600_000)).toBe(false);
  });

  test('a clock that runs behind does not shrink the window', () => {
    const tickets = [solo('a', 20, -10_000), solo('b', 21, -10_000)];
    expect(formMatches(tickets, duel, NOW).matches).toHaveLength(1);
  });

  test('the even match is worth 1, a hopeless one little', () => {
    const wide = { ...duel, window: { base: 100, perSecond: 0, max: 100 } };
    const quality = (gap: number): number =>
      formMatches([solo('a', 25), solo('b', 25 + gap)], wide, NOW).matches[0]?.quality ?? NaN;
    expect(quality(0)).toBeCloseTo(1, 6);
    expect(quality(3)).toBeLessThan(quality(1));
    expect(quality(40)).toBeLessThan(0.05);
  });

  test('teams come out even', () => {
    const teams = { ...duel, teamSize: 2, window: { base: 100, perSecond: 0, max: 100 } };
    const tickets = [solo('a', 40), solo('b', 30), solo('c', 20), solo('d', 10)];
    const [match] = formMatches(tickets, teams, NOW).matches;
    const sets = match?.teams.map((team) => team.toSorted().join('')).toSorted();
    expect(sets).toEqual(['ad', 'bc']);
    expect(match?.quality).toBeCloseTo(1, 6);
  });

  test('tickets that make no sense wait, and spoil nothing', () => {
    const broken = [
      solo('mu', Number.NaN),
      { ...solo('sigma', 20), members: [{ player: 's', mu: 20, sigma: Infinity }] },
      { ...solo('age', 20), enqueuedAtMs: Number.NaN },
      { ...solo('empty', 20), members: [] },
      { ...solo('far', 20), regions: { eu: 101 } },
      { ...solo('lost', 20), regions: { eu: Number.NaN } },
      { ...solo('twice', 20), members: [...solo('x', 20).members, ...solo('x', 20).members] },
      {
        ...solo('large', 20),
        members: ['v', 'w', 'z'].flatMap((id) => solo(id, 20).members),
      },
    ];
    const { matches, left } = formMatches([...broken, solo('a', 20), solo('b', 20)], duel, NOW);
    expect(matches.map(({ teams }) => teams.flat().toSorted())).toEqual([['a', 'b']]);
    expect(left).toEqual(broken.map(({ id }) => id));
  });

  test('a region that nobody shares is none, unless with bots', () => {
    const apart = [solo('a', 20, 9_000, { eu: 20 }), { ...solo('b', 20), regions: { us: 20 } }];
    expect(formMatches(apart, duel, NOW).matches).toEqual([]);
    const [match, ...others] = formMatches(apart, { ...duel, botsAfterMs: 8_000 }, NOW).matches;
    expect(match).toMatchObject({
      teams: [['a'], []],
      region: 'eu',
      bots: 1,
      quality: 1,
      spread: 0,
    });
    expect(others).toEqual([]);
  });

  test('where each plays alone, friends are in one match', () => {
    const alone = { ...duel, teams: 4, window: { base: 9, perSecond: 0, max: 9 } };
    const pair = {
      ...solo('pair', 20),
      members: [...solo('x', 20).members, ...solo('y', 24).members],
    };
    const tickets = [pair, solo('a', 21, 2_000), solo('b', 21, 1_000), solo('c', 21)];
    const [match, ...others] = formMatches(tickets, alone, NOW).matches;
    expect(others).toEqual([]);
    expect(match?.teams.flat().toSorted()).toEqual(['a', 'b', 'pair']);
    expect(match).toMatchObject({ bots: 0 });
    expect(match?.quality).toBeLessThan(1);
  });

  test('a party that fills the whole match needs nobody else', () => {
    const together = {
      ...solo('a', 20),
      members: [...solo('x', 20).members, ...solo('y', 30).members],
    };
    const coop = { ...duel, teams: 1, teamSize: 2 };
    expect(formMatches([together], coop, NOW).matches[0]?.teams).toEqual([['a']]);
  });

  test('no tickets, no matches', () => {
    expect(formMatches([], duel, NOW)).toMatchObject({ matches: [], left: [] });
  });

  test.each(matchQueues)('the queue %s matches newcomers at once when enough wait', (queue) => {
    const rules = queues[queue];
    const seats = rules.teams * rules.teamSize;
    const tickets = Array.from({ length: seats * 3 }, (_, at) => solo(`t${at}`, 25));
    const { matches, left } = formMatches(tickets, rules, NOW);
    expect(matches).toHaveLength(3);
    expect(left).toEqual([]);
  });
});

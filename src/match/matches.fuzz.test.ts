import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { matchHandle } from '../../protocol/index.ts';
import { picture } from '../../test/support/stand-in-arena.ts';
import { until } from '../../test/support/until.ts';
import { writeSnapshots } from '../relay/wake.ts';
import { GATEWAY, Lounge, type Somebody } from './lounge.fixture.ts';

const RUNS = process.env['MUSTER_LONG'] === '1' ? 300 : 30;
const WATCHES = 2;
const MATCHES = 3;
const PLAYERS = ['ann', 'ann', 'bea', 'cid'];

let lounge: Lounge;
beforeAll(async () => {
  lounge = await Lounge.open(WATCHES);
});
afterAll(async () => await lounge.close());

const who = fc.nat(PLAYERS.length - 1);
const which = fc.nat(MATCHES - 1);
const act = fc.oneof(
  { arbitrary: fc.record({ is: fc.constant('watch'), who, which }), weight: 6 },
  { arbitrary: fc.record({ is: fc.constant('unwatch'), who, which }), weight: 3 },
  { arbitrary: fc.record({ is: fc.constant('close'), who, which }), weight: 1 },
  { arbitrary: fc.record({ is: fc.constant('show'), who, which }), weight: 2 },
  { arbitrary: fc.record({ is: fc.constant('reseat'), who, which }), weight: 1 },
  { arbitrary: fc.record({ is: fc.constant('rest'), who, which }), weight: 2 },
);

test('M2: whatever sessions do and in whatever order, the arena knows in the end who is there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
      await lounge.clear();
      const { matches, arena, topics } = lounge;
      const ids: string[] = [];
      for (let n = 0; n < MATCHES; n++)
        ids.push(await arena.place([{ player: 'ann' }, { player: 'bea' }]));
      const sessions = PLAYERS.map((player) => lounge.enter(player));
      const waiting: Promise<unknown>[] = [];
      for (const [n, { is, who: one, which: other }] of acts.entries()) {
        const session = sessions[one] as Somebody;
        const match = ids[other] ?? '';
        // More than it may watch is refused, and changes nothing.
        if (is === 'watch') waiting.push(matches.watch(session, match).catch(() => undefined));
        else if (is === 'unwatch') matches.unwatch(session, match);
        else if (is === 'close') matches.closed(session);
        else if (is === 'show')
          matches.snapshots(writeSnapshots([picture(matchHandle(match), n)]).subarray(1));
        else if (is === 'reseat') {
          const seats = [{ player: 'ann' }, n % 2 === 0 ? { player: 'cid' } : { player: 'bea' }];
          await arena.change(match, { seats }, [GATEWAY]);
        } else await Promise.all(waiting);
      }
      await Promise.all(waiting);
      for (const match of ids) {
        const seats = (await arena.records.find(match))?.seats ?? [];
        const viewers = sessions.filter(({ watches }) => watches?.has(matchHandle(match)));
        const there = topics.get(`match:${match}`);
        expect(sessions.map((one) => there?.has(one) === true)).toEqual(
          sessions.map((one) => viewers.includes(one)),
        );
        await until(async () => {
          const ops = await arena.ops(match);
          const watch = ops.findLast(({ is }) => is === 'watch' || is === 'unwatch');
          if ((watch?.is === 'watch') !== viewers.length > 0) return false;
          return seats.every(({ player }, slot) => {
            const presence = ops.findLast(
              (op) =>
                (op.is === 'come' || op.is === 'go') && op.slot === slot && op.player === player,
            );
            return (presence?.is === 'come') === viewers.some((viewer) => viewer.player === player);
          });
        }, 5_000);
      }
      for (const session of sessions) matches.closed(session);
      expect(matches.size).toBe(0);
      expect([...topics.values()].every(({ size }) => size === 0)).toBe(true);
    }),
    { numRuns: RUNS },
  );
});

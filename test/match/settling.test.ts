import { beforeAll, describe, expect, test } from 'vitest';
import { Ratings } from '../../src/match/ratings.ts';
import { playerKeys } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';
import { Stage } from './stage.ts';
import { expectTwin, replayOf } from './verdict.ts';

let muster: Muster;
let stage: Stage;
let ratings: Ratings;

beforeAll(async () => {
  muster = await Muster.start({ arenas: true });
  stage = new Stage(muster);
  ratings = new Ratings(stage.redis);
});

describe('a match that is over', () => {
  test('has rated its players once, kept its replay, and lets them go; and verify confirms it', async () => {
    const names = [stage.name(), stage.name()];
    const match = await stage.place(names, { rated: true, joinMs: 60_000 });
    const players = await Promise.all(names.map(async (name) => await stage.seat(match, name)));
    for (const player of players) player.wander();
    await players[0]?.sees(40);
    for (const player of players) player.rest();
    await players[0]?.sees(3);
    players[0]?.finish();
    const record = await stage.over(match);
    for (const player of players) {
      expect(await player.ends()).toMatchObject({
        result: record.result,
        replay: `/v1/matches/${match}/replay`,
      });
    }

    const changes = record.ratings ?? [];
    expect(changes.map(({ player }) => player)).toEqual(names);
    const now = await ratings.of(names);
    for (const change of changes) expect(now.get(change.player)).toEqual(change.now);
    const [one = 0, two = 0] = record.result?.placements ?? [];
    const [up = 0, down = 0] = changes.map(({ mu }) => mu);
    expect(Math.sign(up - down)).toBe(Math.sign(two - one));
    await until(async () => {
      const left = await Promise.all(
        names.map(async (name) => await stage.redis.sismember(playerKeys(name).matches, match)),
      );
      return left.every((is) => is === 0);
    });

    const replay = await expectTwin(muster, players);
    expect(replay.end.result).toEqual(record.result);
    expect(replay.header).toMatchObject({ match, startedAt: record.startedAt });
    const client = await muster.connect({ player: names[0] ?? '' });
    const { result } = await client.request('verify', { match });
    expect(result).toMatchObject({ valid: true, ticks: record.result?.ticks });
  });

  test('counts who gave up the seat as last, whatever became of it', async () => {
    const names = [stage.name(), stage.name()];
    const match = await stage.place(names, { rated: true, botLevel: 0, joinMs: 60_000 });
    const [stays, leaves] = await Promise.all(
      names.map(async (name) => await stage.seat(match, name)),
    );
    await stays?.sees(5);
    await leaves?.match.forfeit();
    await until(async () => (await stage.record(match)).seats[1]?.player === undefined);
    stays?.finish();
    const record = await stage.over(match);
    const [up = 0, down = 0] = (record.ratings ?? []).map(({ mu }) => mu);
    expect(up).toBeGreaterThan(0);
    expect(down).toBeLessThan(0);
    expect((await replayOf(muster, match)).chunks.flatMap(({ seats }) => seats)).toContainEqual([
      expect.any(Number),
      1,
      { bot: 0 },
    ]);
  });

  test('rates nobody that was not to be rated', async () => {
    const names = [stage.name(), stage.name()];
    const match = await stage.place(names, { options: { ticks: 20 }, joinMs: 0 });
    expect(await stage.over(match)).not.toHaveProperty('ratings');
    expect(await ratings.of(names)).toEqual(new Map());
  });
});

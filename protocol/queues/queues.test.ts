import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kinds } from '../kinds/index.ts';
import { defineQueue, matchQueues, queueNamed } from './index.ts';

const parts = {
  name: 'pairs',
  game: 'knockout',
  teams: 2,
  teamSize: 2,
  window: { base: 1, perSecond: 1, max: 9 },
} as const;
const party = (size: number) => ({ id: 'a-secret-of-ours', size });

describe('queues', () => {
  it('are named after themselves', () => {
    for (const name of matchQueues) expect(queueNamed(name).name).toBe(name);
  });

  it.each([
    ['one seat', { teams: 1, teamSize: 1 }],
    ['parties larger than a team', { partyMax: 3 }],
    ['no party, not even of one', { partyMax: 0 }],
    ['bots without a level', { botsAfterMs: 1 }],
    ['backfill without bots', { backfill: 30 }],
  ])('refuse %s', (_, wrong) => {
    expect(() => defineQueue({ ...parts, ...wrong })).toThrow(RangeError);
    expect(defineQueue({ ...parts, partyMax: 2, botsAfterMs: 1, botLevel: 0 }).joinMs).toBe(10_000);
  });

  it('K5 are listed in SPEC.md', () => {
    const spec = readFileSync(new URL('../SPEC.md', import.meta.url), 'utf8');
    const table = spec.slice(spec.indexOf('- **K5**'), spec.indexOf('- **K6**'));
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows).toEqual(
      matchQueues.map((name) => {
        const { game, teams, teamSize, partyMax, botsAfterMs, rated } = queueNamed(name);
        const bots = botsAfterMs ?? 'never';
        const cells = [`\`${name}\``, `\`${game}\``, teams, teamSize, partyMax, bots];
        return `| ${[...cells, rated ? 'yes' : 'no'].join(' | ')} |`;
      }),
    );
  });

  it('say which parties they take', () => {
    const regions = { eu: 20 };
    const { input } = kinds.matchmake;
    for (const queue of matchQueues) {
      const { partyMax } = queueNamed(queue);
      expect(input.safeParse({ queue, regions, party: party(partyMax + 1) }).success).toBe(false);
      if (partyMax < 2) continue;
      expect(input.safeParse({ queue, regions, party: party(partyMax) }).success).toBe(true);
    }
    for (const wrong of [party(1), { id: 'short', size: 2 }, { id: 'with a space', size: 2 }]) {
      expect(input.safeParse({ queue: 'knockout', regions, party: wrong }).success).toBe(false);
    }
    const refused = input.safeParse({ queue: 'duel', regions, party: party(2) });
    expect(refused.error?.issues[0]?.message).toBe('duel takes no parties');
  });
});

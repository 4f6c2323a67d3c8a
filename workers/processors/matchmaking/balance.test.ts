import fc from 'fast-check';
import { expect, test } from 'vitest';
import { balance } from './balance.ts';
import type { Plan } from './packing.ts';

const rising = (a: number, b: number): number => a - b;

function planOf(teams: Plan['teams']): Plan {
  const sizes = new Int32Array(5);
  for (const size of teams.flat()) sizes[size] = (sizes[size] as number) + 1;
  return { teams, sizes, parties: teams.flat().length };
}

const plans = fc.array(fc.constantFrom([4], [3, 1], [2, 2], [2, 1, 1], [1, 1, 1, 1]), {
  minLength: 2,
  maxLength: 4,
});

/** Units for a plan, shuffled by their mu. */
const cases = plans.chain((plan) => {
  const sizes = plan.flat().toSorted(rising);
  return fc
    .array(fc.integer({ min: 0, max: 40 }), { minLength: sizes.length, maxLength: sizes.length })
    .map((means) => ({
      plan,
      units: sizes.map((size, at) => ({ size, mu: (means[at] ?? 0) * size })),
    }));
});

test('every party is in one team, and the teams have the sizes of the plan', () => {
  fc.assert(
    fc.property(cases, ({ plan, units }) => {
      const teams = balance(units, planOf(plan));
      expect(teams.flat().toSorted(rising)).toEqual(units.map((_, at) => at));
      const sizes = teams.map((team) => team.map((at) => units[at]?.size ?? 0).toSorted(rising));
      expect(sizes).toEqual(plan.map((team) => team.toSorted(rising)));
    }),
  );
});

test('no swap of two parties of one size would even two teams out further', () => {
  fc.assert(
    fc.property(cases, ({ plan, units }) => {
      const teams = balance(units, planOf(plan));
      const mu = (at: number): number => units[at]?.mu ?? 0;
      const sum = (team: readonly number[]): number => team.reduce((all, at) => all + mu(at), 0);
      const gains = teams.flatMap((a) =>
        teams.flatMap((b) =>
          a.flatMap((mine) =>
            b
              .filter((theirs) => units[mine]?.size === units[theirs]?.size && a !== b)
              .map((theirs) => {
                const gap = sum(a) - sum(b);
                return Math.abs(gap) - Math.abs(gap - 2 * (mu(mine) - mu(theirs)));
              }),
          ),
        ),
      );
      expect(Math.max(0, ...gains)).toBeLessThan(1e-6);
    }),
  );
});

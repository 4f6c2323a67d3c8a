import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { BadEnvironment, flag, int, list, optional, readEnv, text } from './env.ts';

const variables = {
  COUNT: int(5, 1, 10, 'How many.'),
  OPEN: flag(true, 'Whether.'),
  LEVEL: text('low', 'low or high.', /^(low|high)$/),
  SECRET: optional('Secret.', z.string().min(4, 'must have 4 characters')),
  NAMES: list('', 'Names.'),
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readEnv(variables, env);
    return [];
  } catch (error) {
    if (error instanceof BadEnvironment) return error.problems;
    throw error;
  }
}

test('without any variable the defaults hold, and the result cannot be changed', () => {
  const values = readEnv(variables, {});
  expect(values).toEqual({ COUNT: 5, OPEN: true, LEVEL: 'low', SECRET: undefined, NAMES: [] });
  expect(Object.isFrozen(values)).toBe(true);
});

test('an empty text counts as absent, as a shell and a deployment write it', () => {
  const empty = { COUNT: '', OPEN: '', LEVEL: '', SECRET: '', NAMES: '' };
  expect(readEnv(variables, empty)).toEqual(readEnv(variables, {}));
});

test('variables of others are left alone', () => {
  expect(readEnv(variables, { PATH: '/bin', count: 'x' })).toEqual(readEnv(variables, {}));
});

test('every wrong variable is listed with what was given, not only the first', () => {
  const problems = problemsOf({ COUNT: '11', OPEN: 'yes', LEVEL: 'loud', SECRET: 'abc' });
  expect(problems).toHaveLength(4);
  expect(problems.join('\n')).toMatch(/COUNT=11: .*10/);
  expect(problems.join('\n')).toContain('OPEN=yes: must be on or off');
  expect(problems.join('\n')).toMatch(/LEVEL=loud: ./);
  expect(problems.join('\n')).toMatch(/SECRET=.*: must have 4 characters/);
});

test('the message names them all, one a line', () => {
  const error = new BadEnvironment(['A=1: wrong', 'B=2: wrong']);
  expect(error.message.split('\n')).toEqual(['bad environment:', '  A=1: wrong', '  B=2: wrong']);
});

describe('int', () => {
  test('any whole number within the bounds, as digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), (count) => {
        expect(readEnv(variables, { COUNT: String(count) }).COUNT).toBe(count);
      }),
    );
  });

  test('nothing else: neither signs, fractions, exponents, blanks nor what overflows', () => {
    const others = fc.oneof(
      fc.constantFrom('-1', '+1', '1.0', '1e0', ' 1', '1 ', '0x1', 'NaN', 'Infinity', '１'),
      fc.bigInt({ min: 11n }).map(String),
      fc.string({ minLength: 1 }).filter((given) => !/^\d+$/.test(given)),
    );
    fc.assert(
      fc.property(others, (COUNT) => {
        expect(problemsOf({ COUNT })).toHaveLength(1);
      }),
    );
  });

  test('the meaning tells the bounds', () => {
    expect(variables.COUNT.says).toBe('How many. 1 to 10.');
  });
});

test('a list has its words without blanks and empty ones', () => {
  const word = fc
    .string({ minLength: 1 })
    .filter((one) => !one.includes(',') && one.trim() === one);
  const blank = fc.constantFrom('', ' ', '  ');
  fc.assert(
    fc.property(fc.array(fc.tuple(blank, word, blank), { minLength: 1 }), (padded) => {
      const NAMES = padded.map((parts) => parts.join('')).join(',');
      expect(readEnv(variables, { NAMES: `,${NAMES}, ,` }).NAMES).toEqual(
        padded.map(([, one]) => one),
      );
    }),
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTicket, ticket } from './ticket.ts';

const anything = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0.1, max: 9e15 }),
  },
  { weight: 2, arbitrary: fc.string() },
  fc.constantFrom(null, true, 0, -1, 2.5, [], {}, undefined),
);
const record = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.record(fields, { requiredKeys: Object.keys(fields).slice(1) }) },
    anything,
  );
const number = fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 1e12 }) }, anything);
const text = fc.oneof({ weight: 12, arbitrary: fc.string() }, anything);

function quickly(json: string): unknown {
  try {
    return readTicket(json);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

const plain = { player: 'p', id: 'i', at: 1, deadline: 1, rating: { mu: 1, sigma: 1 } };

test('the quick reader takes what the schema takes, and nothing else', () => {
  const candidates = record({
    party: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      record({ unknown: anything, id: text, size: number }),
    ),
    player: text,
    id: text,
    at: number,
    deadline: number,
    rating: record({ unknown: fc.constant(undefined), mu: number, sigma: number }),
    regions: fc.oneof({ weight: 9, arbitrary: fc.dictionary(fc.string(), number) }, anything),
  });
  let taken = 0;
  fc.assert(
    fc.property(candidates, (one) => {
      const json = JSON.stringify(one) ?? 'null';
      // The schema drops what it does not know; the reader does not copy.
      fc.pre(!json.includes('unknown'));
      const read = ticket.safeParse(JSON.parse(json));
      if (read.success) taken++;
      expect(quickly(json)).toEqual(read.data);
    }),
    // One that was found by chance.
    {
      numRuns: 2_000,
      examples: [[{ ...plain, regions: JSON.parse('{"__proto__":1}') as unknown }]],
    },
  );
  expect(taken).toBeGreaterThan(50);
});

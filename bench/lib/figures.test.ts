import { describe, expect, test } from 'vitest';
import { median, percentile, ratioOfRounds, reportLine, table } from './figures.ts';

describe('figures', () => {
  test('the median is the middle, or the mean of the two middle ones', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  test('a percentile is a value that was measured', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.95)).toBe(95);
    expect(percentile([7], 0.95)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('each round is compared with its own partner', () => {
    // The machine slows down tenfold after the first round; the ratio stays.
    expect(ratioOfRounds([8, 0.8, 0.8], [10, 1, 1])).toBeCloseTo(0.8);
    expect(() => ratioOfRounds([1], [])).toThrow(RangeError);
  });

  test('the report is one line of JSON, and no failed measurement gets into it', () => {
    const report = {
      suite: 'light',
      ratios: { raw_uws: 0.712345 },
      figures: { raw_per_s: 1_234_567 },
    };
    expect(JSON.parse(reportLine(report))).toEqual({
      suite: 'light',
      ratios: { raw_uws: 0.7123 },
      figures: { raw_per_s: 1_235_000 },
    });
    expect(() => reportLine({ ...report, ratios: { raw_uws: Number.NaN } })).toThrow(
      'raw_uws is NaN',
    );
  });

  test('a table lines up', () => {
    expect(
      table([
        ['', 'ms'],
        ['ours', '1.5'],
        ['a longer name', '20'],
      ]),
    ).toBe(
      ['                ms', '-------------  ---', 'ours           1.5', 'a longer name   20'].join(
        '\n',
      ),
    );
  });
});

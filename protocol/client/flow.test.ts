import { describe, expect, it } from 'vitest';
import { Pace } from './flow.ts';

/** A gateway's bucket of credits, and how often it refused. */
class Bucket {
  refused = 0;
  accepted = 0;
  private left: number;
  private at = 0;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.left = burst;
  }

  take(cost: number, now: number): number | undefined {
    this.left = Math.min(this.burst, this.left + ((now - this.at) * this.perSecond) / 1_000);
    this.at = now;
    if (this.left < cost) {
      this.refused++;
      return Math.ceil(((cost - this.left) * 1_000) / this.perSecond);
    }
    this.left -= cost;
    this.accepted++;
    return undefined;
  }
}

describe('pace', () => {
  it('does not hold up who was never refused', () => {
    const pace = new Pace();
    for (let i = 0; i < 1_000; i++) {
      expect(pace.wait(i)).toBe(0);
      pace.left(i);
    }
  });

  it.each([20, 200, 2_000])(
    'L3 uses what %d credits a second allow, without being closed for refusals',
    (perSecond) => {
      const bucket = new Bucket(perSecond, 400);
      const pace = new Pace();
      const perWindow: number[] = [];
      for (let now = 0; now < 60_000; now++) {
        while (pace.wait(now) === 0 && bucket.accepted < 100_000) {
          const refusedFor = bucket.take(10, now);
          pace.left(now);
          if (refusedFor !== undefined) pace.limited(now, refusedFor, true);
        }
        if (now % 10_000 === 9_999) perWindow.push(bucket.refused);
      }
      const worst = Math.max(...perWindow.map((count, i) => count - (perWindow[i - 1] ?? 0)));
      expect(worst).toBeLessThan(100);
      expect(bucket.accepted).toBeGreaterThan(0.8 * ((60 * perSecond) / 10));
    },
  );
});

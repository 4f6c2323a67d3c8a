import { describe, expect, it } from 'vitest';
import { Smoothed, Throughput } from './match-figures.ts';

describe('figures of a match', () => {
  it('bytes a second follow what comes, and fall when nothing does', () => {
    const throughput = new Throughput();
    expect(throughput.perSecond(0)).toBe(0);
    for (let ms = 0; ms < 20_000; ms += 10) throughput.add(100, ms);
    const steady = throughput.perSecond(19_995);
    expect(Math.abs(steady - 10_000)).toBeLessThan(50);
    expect(throughput.perSecond(22_000)).toBeLessThan(steady * 0.4);
    expect(throughput.perSecond(60_000)).toBeLessThan(1);
  });

  it('a round trip is smoothed', () => {
    const trip = new Smoothed();
    expect(trip.value).toBeUndefined();
    trip.add(80);
    expect(trip.value).toBe(80);
    trip.add(160);
    expect(trip.value).toBe(90);
  });
});

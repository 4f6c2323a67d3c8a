import { describe, expect, it } from 'vitest';
import { MatchClock, Playhead } from './match-clock.ts';

const TICK_MS = 1_000 / 30;

function feed(
  clock: MatchClock,
  from: number,
  to: number,
  arrival: (tick: number) => number,
): void {
  for (let tick = from; tick < to; tick++) clock.arrived(tick, arrival(tick));
}

describe('the clock of a match', () => {
  it('M10 over an even network shows the picture one tick behind the newest', () => {
    const clock = new MatchClock(TICK_MS);
    feed(clock, 0, 100, (tick) => 5_000 + tick * TICK_MS);
    expect(clock.jitterMs).toBeLessThan(0.01);
    expect(clock.bufferMs).toBeCloseTo(TICK_MS + 4, 1);
    const newestAt = 5_000 + 99 * TICK_MS;
    expect(clock.arriving(newestAt)).toBeCloseTo(99, 5);
    expect(clock.due(newestAt)).toBeCloseTo(98 - 4 / TICK_MS, 3);
  });

  it('M10 waits as long as the jitter asks, no longer, and takes it back', () => {
    const clock = new MatchClock(TICK_MS);
    feed(clock, 0, 200, (tick) => tick * TICK_MS + (tick % 4) * 20);
    expect(clock.jitterMs).toBeCloseTo(60, 5);
    // A single late one in a window is not waited for.
    feed(clock, 200, 300, (tick) => tick * TICK_MS + (tick === 290 ? 400 : 0));
    expect(clock.jitterMs).toBeCloseTo(0, 5);
  });

  it('M10 waits for the next when not every tick is sent', () => {
    const clock = new MatchClock(TICK_MS);
    for (let tick = 0; tick < 400; tick += 3) clock.arrived(tick, tick * TICK_MS);
    expect(clock.bufferMs).toBeCloseTo(3 * TICK_MS + 4, 0);
  });

  it('M10 takes packets that were held up for jitter: the timeline stays', () => {
    const clock = new MatchClock(TICK_MS);
    feed(clock, 0, 100, (tick) => tick * TICK_MS);
    feed(clock, 100, 110, () => 110 * TICK_MS);
    feed(clock, 110, 116, (tick) => tick * TICK_MS);
    expect(clock.arriving(115 * TICK_MS)).toBeCloseTo(115, 5);
  });

  it('M10 knows a match that stood still within six ticks: the timeline moves', () => {
    const clock = new MatchClock(TICK_MS);
    feed(clock, 0, 100, (tick) => tick * TICK_MS);
    feed(clock, 100, 106, (tick) => 800 + tick * TICK_MS + (tick % 2) * 10);
    expect(clock.arriving(800 + 105 * TICK_MS)).toBeCloseTo(105, 5);
    expect(clock.jitterMs).toBeCloseTo(10, 5);
  });

  it('M10 begins anew when it is told that another arena took over', () => {
    const clock = new MatchClock(TICK_MS);
    feed(clock, 0, 100, (tick) => tick * TICK_MS);
    clock.reset();
    clock.arrived(100, 4_000);
    expect(clock.arriving(4_000)).toBeCloseTo(100, 5);
  });

  it('G6 is never further behind on purpose than half a second', () => {
    const clock = new MatchClock(TICK_MS);
    feed(clock, 0, 64, (tick) => tick * TICK_MS + (tick % 2) * 3_000);
    expect(clock.bufferMs).toBe(500);
  });
});

describe('the playhead', () => {
  it('M10 changes its pace rather than its place', () => {
    const clock = new MatchClock(TICK_MS);
    const head = new Playhead(clock);
    feed(clock, 0, 64, (tick) => tick * TICK_MS);
    let now = 64 * TICK_MS;
    let last = head.move(now, 0, 1_000);
    // From here on everything comes 20 ms later.
    feed(clock, 64, 140, (tick) => tick * TICK_MS + 20);
    for (let frame = 0; frame < 120; frame++) {
      now += 16;
      const tick = head.move(now, 0, 1_000);
      const pace = ((tick - last) * TICK_MS) / 16;
      expect(pace).toBeGreaterThanOrEqual(0.5);
      expect(pace).toBeLessThanOrEqual(1.25);
      last = tick;
    }
    expect(last).toBeCloseTo(clock.due(now), 1);
  });

  it('M10 stands when nothing comes, and goes on from there', () => {
    const clock = new MatchClock(TICK_MS);
    const head = new Playhead(clock);
    feed(clock, 0, 64, (tick) => tick * TICK_MS);
    expect(head.move(64 * TICK_MS + 2_000, 0, 63)).toBe(63);
    clock.reset();
    clock.arrived(64, 64 * TICK_MS + 3_000);
    const next = head.move(64 * TICK_MS + 3_001, 0, 64);
    expect(next).toBeGreaterThanOrEqual(63);
    expect(next).toBeLessThan(64);
  });

  it('M10 leaps forward in a page that was not seen for a while', () => {
    const clock = new MatchClock(TICK_MS);
    const head = new Playhead(clock);
    feed(clock, 0, 64, (tick) => tick * TICK_MS);
    head.move(20 * TICK_MS, 0, 63);
    expect(head.move(60 * TICK_MS, 0, 63)).toBeCloseTo(clock.due(60 * TICK_MS), 5);
  });
});

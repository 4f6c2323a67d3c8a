import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pictures } from './match-pictures.ts';

const picture = (tick: number): Int32Array => Int32Array.from([tick]);
const tickOf = (vector: Int32Array): number => vector[0] as number;

describe('the interpolation buffer', () => {
  it('M10 shows nothing before the first picture, and that one alone while there is no other', () => {
    const pictures = new Pictures(30);
    expect(pictures.sample(0)).toBeUndefined();
    pictures.add(7, picture(7), 100);
    expect(pictures.sample(100)).toEqual({ from: picture(7), to: picture(7), alpha: 0, tick: 7 });
  });

  it('M10 over an even network there are always two around the moment', () => {
    const pictures = new Pictures(50);
    const apart: number[] = [];
    for (let tick = 0; tick < 200; tick++) {
      pictures.add(tick, picture(tick), 1_000 + tick * 20);
      for (const part of [1, 8, 15]) {
        const { from = picture(0), to = from } = pictures.sample(1_000 + tick * 20 + part) ?? {};
        apart.push(tickOf(to) - tickOf(from));
      }
    }
    expect(new Set(apart.slice(10))).toEqual(new Set([1]));
  });

  it('M10 what is shown never goes back and lies between its pictures, whatever the network does', () => {
    const step = fc.oneof(
      fc.record({ lateMs: fc.integer({ min: 0, max: 60 }), lost: fc.boolean() }),
      // The match, or the page's frames, stand still.
      fc.record({ pauseMs: fc.integer({ min: 100, max: 1_500 }) }),
      fc.record({ hiddenTicks: fc.integer({ min: 1, max: 120 }) }),
    );
    const run = fc.array(step, { minLength: 20, maxLength: 300 });
    fc.assert(
      fc.property(run, fc.integer({ min: 4, max: 40 }), (steps, frameMs) => {
        const pictures = new Pictures(30);
        let [at, frameAt, shown, newest] = [0, 0, -1, -1];
        const draw = (until: number): void => {
          for (; frameAt < until; frameAt += frameMs) {
            const sample = pictures.sample(frameAt);
            if (sample === undefined) continue;
            const { from, to, alpha, tick } = sample;
            const between = tickOf(from) + alpha * (tickOf(to) - tickOf(from));
            const isTrue = alpha >= 0 && alpha < 1 && Math.abs(between - tick) < 1e-6;
            expect({ isTrue, isLater: tick >= shown }).toEqual({ isTrue: true, isLater: true });
            shown = tick;
          }
        };
        for (const [tick, what] of steps.entries()) {
          at += 1_000 / 30;
          if ('pauseMs' in what) at += what.pauseMs;
          const arrival = at + ('lateMs' in what ? what.lateMs : 0);
          if ('hiddenTicks' in what)
            frameAt = Math.max(frameAt, at + (what.hiddenTicks * 1_000) / 30);
          draw(arrival);
          if ('lost' in what && what.lost) continue;
          pictures.add(tick, picture(tick), arrival);
          newest = tick;
        }
        draw(Math.max(at, frameAt) + 2_000);
        expect(shown).toBe(newest);
      }),
      { numRuns: 100 },
    );
  });

  it('M7 shows a match that lost its last ticks as it goes on', () => {
    const pictures = new Pictures(30);
    for (let tick = 0; tick < 30; tick++) pictures.add(tick, picture(tick), tick * 33);
    pictures.sample(1_100);
    for (let tick = 20; tick < 40; tick++)
      pictures.add(tick, picture(tick + 500), 2_000 + tick * 33);
    expect(pictures.sample(2_000 + 39 * 33)?.tick).toBeGreaterThan(30);
    expect(tickOf(pictures.sample(9_000)?.from ?? picture(0))).toBe(539);
  });

  it('G6 keeps two seconds of what nobody draws', () => {
    const pictures = new Pictures(30);
    for (let tick = 0; tick < 5_000; tick++) pictures.add(tick, picture(tick), tick * 33);
    expect(pictures.sample(0)?.tick).toBe(4_936);
  });
});

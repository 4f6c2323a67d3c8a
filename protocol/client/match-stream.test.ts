import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDelta, encodeKeyframe } from '../snapshot.ts';
import { Stream } from './match-stream.ts';

/** The true picture of a tick. */
const truth = (tick: number): Int32Array =>
  Int32Array.from({ length: 12 }, (_, i) => tick * 7 + i * (tick % 5));

interface Sent {
  readonly term: number;
  readonly tick: number;
  readonly key: number;
  readonly payload: Uint8Array;
}

function snapshot(term: number, tick: number, key: number): Sent {
  const payload = key === tick ? encodeKeyframe(truth(tick)) : encodeDelta(truth(tick), truth(key));
  return { term, tick, key, payload };
}

function read(stream: Stream, sent: Sent): Int32Array | undefined {
  return stream.read(sent, sent.payload);
}

describe('the stream of snapshots', () => {
  it('M7 begins with a keyframe and goes on with differences', () => {
    const stream = new Stream();
    expect(read(stream, snapshot(1, 29, 0))).toBeUndefined();
    expect(read(stream, snapshot(1, 30, 30))).toEqual(truth(30));
    expect(read(stream, snapshot(1, 31, 30))).toEqual(truth(31));
    expect(read(stream, snapshot(1, 34, 30))).toEqual(truth(34));
    expect(stream.dropped).toEqual({ old_term: 0, old_tick: 0, no_key: 1, damaged: 0 });
    expect(stream.keyframes).toBe(1);
  });

  it('M7 drops a lower term, also when the higher one could not be shown yet', () => {
    const stream = new Stream();
    read(stream, snapshot(1, 30, 30));
    expect(read(stream, snapshot(2, 61, 60))).toBeUndefined();
    expect(read(stream, snapshot(1, 32, 30))).toBeUndefined();
    expect(read(stream, snapshot(1, 60, 60))).toBeUndefined();
    expect(stream.dropped).toMatchObject({ no_key: 1, old_term: 2 });
    expect(read(stream, snapshot(2, 62, 62))).toEqual(truth(62));
  });

  it('M7 takes the ticks of a higher term, wherever they begin', () => {
    const stream = new Stream();
    read(stream, snapshot(1, 30, 30));
    read(stream, snapshot(1, 45, 30));
    expect(read(stream, snapshot(2, 40, 30))).toEqual(truth(40));
    expect(stream.tick).toBe(40);
  });

  it('M7 takes the ticks of a successor that went back, though its first keyframe was missed', () => {
    const stream = new Stream();
    read(stream, snapshot(1, 90, 90));
    expect(read(stream, snapshot(2, 41, 40))).toBeUndefined();
    expect(stream).toMatchObject({ term: 2, shownTerm: 1 });
    expect(read(stream, snapshot(1, 91, 90))).toBeUndefined();
    expect(read(stream, snapshot(2, 60, 60))).toEqual(truth(60));
    expect(read(stream, snapshot(2, 59, 60))).toBeUndefined();
    expect(stream).toMatchObject({ shownTerm: 2, tick: 60 });
  });

  it('M7 drops a tick that is not above the last, but keeps an old keyframe to refer to', () => {
    const stream = new Stream();
    read(stream, snapshot(1, 45, 45));
    expect(read(stream, snapshot(1, 45, 45))).toBeUndefined();
    expect(read(stream, snapshot(1, 30, 30))).toBeUndefined();
    expect(read(stream, snapshot(1, 44, 45))).toBeUndefined();
    expect(read(stream, snapshot(1, 46, 30))).toEqual(truth(46));
    expect(stream.dropped).toMatchObject({ old_tick: 3 });
  });

  it('M7 a damaged snapshot changes nothing', () => {
    const stream = new Stream();
    read(stream, snapshot(1, 30, 30));
    const { payload } = snapshot(9, 90, 90);
    expect(stream.read({ term: 9, tick: 90, key: 90 }, payload.subarray(1))).toBeUndefined();
    expect(stream.read({ term: 1, tick: 31, key: 30 }, payload)).toBeUndefined();
    expect(stream.dropped).toMatchObject({ damaged: 2 });
    expect(read(stream, snapshot(1, 32, 30))).toEqual(truth(32));
  });

  it('M7 whatever is lost, repeated, mixed up or damaged on the way, what is shown is true and never older', () => {
    const sent = Array.from({ length: 240 }, (_, tick) => {
      // Killed at 100; the successor goes on from 95. It begins a keyframe of its own.
      const term = tick < 100 ? 1 : 2;
      const key = tick >= 100 && tick < 120 ? 100 : tick - (tick % 30);
      return snapshot(term, tick, key);
    });
    const zombie = sent.slice(80, 100).map(({ tick }) => snapshot(1, tick + 30, tick + 30));
    const all = [...sent, ...zombie];
    const event = fc.record({
      from: fc.nat(all.length - 1),
      count: fc.integer({ min: 1, max: 40 }),
      flip: fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const stream = new Stream();
        let last = { term: 0, tick: -1 };
        for (const { from, count, flip } of events) {
          for (const { term, tick, key, payload } of all.slice(from, from + count)) {
            const bytes = payload.slice();
            if (flip !== undefined) {
              const at = flip[0] % bytes.length;
              bytes[at] = (bytes[at] ?? 0) ^ flip[1];
            }
            const shown = stream.read({ term, tick, key }, bytes);
            if (shown === undefined) continue;
            expect(shown).toEqual(truth(tick));
            expect(term > last.term || (term === last.term && tick > last.tick)).toBe(true);
            last = { term, tick };
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

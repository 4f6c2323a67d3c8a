import type { Chunk } from './tape.ts';

/**
 * One tape of stretches that were kept in different places, in order of their first ticks: what is there twice counts
 * once. Where stretches overlap they say the same, for all of them were logged before they were stepped.
 * @param ticks where it ends; what goes on beyond is cut
 * @throws RangeError when there is a gap
 */
export function joinTape(chunks: readonly Chunk[], ticks: number): Chunk[] {
  const joined: Chunk[] = [];
  let tick = 0;
  for (const chunk of chunks.toSorted((a, b) => a.fromTick - b.fromTick)) {
    const until = Math.min(chunk.fromTick + chunk.ticks, ticks);
    if (chunk.fromTick > tick) throw new RangeError(`the tape has a gap at tick ${tick}`);
    // One without a step may still change seats.
    if (until < tick || (until === tick && chunk.fromTick < tick)) continue;
    joined.push(cut(chunk, tick, until));
    tick = until;
  }
  if (tick !== ticks) throw new RangeError(`the tape ends at tick ${tick}, not ${ticks}`);
  return joined;
}

function cut(chunk: Chunk, from: number, until: number): Chunk {
  if (chunk.fromTick === from && chunk.fromTick + chunk.ticks === until) return chunk;
  return {
    fromTick: from,
    ticks: until - from,
    inputs: chunk.inputs.filter(([tick]) => tick >= from && tick < until),
    seats: chunk.seats.filter(([tick]) => tick >= from && tick <= until),
  };
}

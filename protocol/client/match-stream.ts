import { DamagedSnapshot, decodeDelta, decodeKeyframe } from '../snapshot.ts';

/** What stands before a snapshot's payload. `key`: tick of the keyframe that it is a difference to. */
export interface SnapshotHeader {
  readonly term: number;
  readonly tick: number;
  readonly key: number;
}

/** Why a snapshot was not shown. */
export type DropCause = 'old_term' | 'old_tick' | 'no_key' | 'damaged';

/**
 * Keyframes held. Differences refer to the newest; an older one still counts while snapshots of a killed arena and
 * of its successor cross.
 */
const KEYS_MAX = 3;

/** Turns what comes into vectors, and leaves out what would give a wrong or an older picture (SPEC.md M7). */
export class Stream {
  readonly dropped: Record<DropCause, number> = { old_term: 0, old_tick: 0, no_key: 0, damaged: 0 };
  keyframes = 0;
  term = 0;
  /** Of the newest picture; -1 before the first of this term. */
  tick = -1;
  /** Of the newest picture. */
  shownTerm = 0;
  private readonly keys = new Map<number, Int32Array>();

  /** @returns the vector, undefined when the snapshot is dropped. */
  read(header: SnapshotHeader, payload: Uint8Array): Int32Array | undefined {
    const { term, tick, key } = header;
    const isKeyframe = key === tick;
    if (term < this.term) return this.drop('old_term');
    const isOld = term === this.term && tick <= this.tick;
    if (isOld && !isKeyframe) return this.drop('old_tick');
    const base = this.keys.get(key);
    if (!isKeyframe && base === undefined) {
      // Its sender holds the match all the same: what an arena of a lower term still sends is void from here on.
      if (term > this.term) {
        this.term = term;
        // It may have begun at an earlier tick, where the store lost the last ones.
        this.tick = -1;
      }
      return this.drop('no_key');
    }
    const vector = decode(payload, isKeyframe ? undefined : base);
    if (vector === undefined) return this.drop('damaged');
    if (isKeyframe) this.keep(tick, vector);
    // A keyframe sent again to somebody who came later: the picture is old, but what follows refers to it.
    if (isOld) return this.drop('old_tick');
    this.term = term;
    this.shownTerm = term;
    this.tick = tick;
    return vector;
  }

  private keep(tick: number, vector: Int32Array): void {
    this.keyframes++;
    this.keys.delete(tick);
    this.keys.set(tick, vector);
    const [oldest] = this.keys.keys();
    if (this.keys.size > KEYS_MAX && oldest !== undefined) this.keys.delete(oldest);
  }

  private drop(cause: DropCause): undefined {
    this.dropped[cause]++;
    return undefined;
  }
}

function decode(payload: Uint8Array, key: Int32Array | undefined): Int32Array | undefined {
  try {
    return key === undefined ? decodeKeyframe(payload) : decodeDelta(payload, key);
  } catch (error) {
    if (error instanceof DamagedSnapshot) return undefined;
    throw error;
  }
}

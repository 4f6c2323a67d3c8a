import { encodeChunk } from '../replay/tape.ts';
import type { Failure, HostedMatch } from './hosted.ts';

/** The newest keyframe, which differences are made to. */
export interface Key {
  readonly tick: number;
  readonly vector: Int32Array;
}

/** What an arena keeps of a match beside its state: a successor begins it anew. */
export class Hosting {
  /** Its checkpoint that was logged last, and the newest entry that it contains. */
  checkpoint: Buffer | undefined;
  checkpointN: number;
  /** Chunks of tape that were cut here, and how many of them the store has. */
  readonly chunks: Uint8Array[] = [];
  stored = 0;
  /** By slot, the last seq that a tick was given; above the match's own while that tick is not stepped. */
  readonly taken: number[];
  key: Key | undefined;
  /** Somebody has no keyframe. */
  isKeyframeDue = true;
  /** Its picture after the last step, for snapshots; undefined where nobody watches. */
  vector: Int32Array | undefined;
  /** By slot: since when the player is gone, ms of performance.now; Infinity: that has been seen to. */
  readonly awaySince: (number | undefined)[] = [];
  readonly since = performance.now();
  /** It is not stepped any more; the next entry takes it out. */
  trouble: Failure | undefined;
  /** Its last checkpoint is logged: it can be settled. */
  isFinal = false;

  /**
   * @param turn 0 to tickRate - 1: at which tick of a second it is checkpointed and has its keyframe
   * @param n of the newest entry that need not be replayed to restore it
   */
  constructor(
    public hosted: HostedMatch,
    readonly turn: number,
    n: number,
  ) {
    this.checkpointN = n;
    this.taken = [...hosted.seqs];
  }

  get match(): string {
    return this.hosted.match;
  }

  get isStepped(): boolean {
    return this.trouble === undefined && this.hosted.isPlaying;
  }

  /**
   * @returns the stretch of tape since the last call, encoded; undefined where there is none
   * @throws RangeError when it is none that a tape can hold
   */
  cutChunk(): Uint8Array | undefined {
    const chunk = this.hosted.cutTape();
    if (chunk.ticks === 0 && chunk.seats.length === 0) return undefined;
    const bytes = encodeChunk(chunk);
    this.chunks.push(bytes);
    return bytes;
  }

  /** Another object for the same match: it was restored. */
  replace(hosted: HostedMatch): void {
    this.hosted = hosted;
    for (const [slot, seq] of hosted.seqs.entries()) this.taken[slot] = seq;
  }
}

import { snapshotFrame } from '../../protocol/index.ts';
import type { Counters } from '../../src/lib/counters.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { gatewayChannel } from '../../src/relay/keys.ts';
import { SNAPSHOT_BYTES_MAX, writeMatchChanged, writeSnapshots } from '../../src/relay/wake.ts';
import type { Hosting } from './hosting.ts';

/** A gateway that reconnects hears nothing for a moment; one that hears nothing for longer is gone, ms. */
const GONE_MS = 1_000;

export interface SnapshotsParts {
  readonly redis: Redis;
  readonly counters: Counters;
  /** Told that nobody listens any more under that name. */
  readonly onGone: (gateway: string) => void;
  /** Told of a word that could not be published. */
  readonly onError: (error: unknown) => void;
}

/** Carries pictures and notices to the gateways that watch: one message per gateway and phase. */
export class Snapshots {
  private readonly packs = new Map<string, Uint8Array[]>();
  private readonly deafSince = new Map<string, number>();
  private isStopped = false;

  constructor(private readonly parts: SnapshotsParts) {}

  /** Puts the picture of a match in the packs of all that watch it; it is encoded once. */
  add(hosting: Hosting, term: number, vector: Int32Array, isTurn: boolean): void {
    const { hosted, key } = hosting;
    const { handle, tick, watchers } = hosted;
    const isKey = key === undefined || isTurn || hosting.isKeyframeDue;
    const frame = snapshotFrame({ handle, term, tick }, vector, isKey ? undefined : key);
    if (isKey) {
      hosting.key = { tick, vector };
      hosting.isKeyframeDue = false;
    }
    if (frame.length > SNAPSHOT_BYTES_MAX) {
      this.parts.counters.add('snapshots_dropped', 'too_large');
      return;
    }
    for (const gateway of watchers) {
      const pack = this.packs.get(gateway);
      if (pack === undefined) this.packs.set(gateway, [frame]);
      else pack.push(frame);
    }
  }

  /** Sends what was added. */
  flush(): void {
    for (const [gateway, frames] of this.packs) this.send(gateway, writeSnapshots(frames));
    this.packs.clear();
  }

  /** Tells the gateways that watch a match that its record has changed. */
  notify(hosting: Hosting): void {
    const changed = writeMatchChanged(hosting.match);
    for (const gateway of hosting.hosted.watchers) this.send(gateway, changed);
  }

  /** Nothing is shown from now on. */
  stop(): void {
    this.isStopped = true;
  }

  private send(gateway: string, message: Buffer): void {
    if (this.isStopped) return;
    this.parts.redis
      .publish(gatewayChannel(gateway), message)
      .then((heard) => this.heard(gateway, heard))
      .catch(this.parts.onError);
  }

  private heard(gateway: string, receivers: number): void {
    if (receivers > 0) {
      this.deafSince.delete(gateway);
      return;
    }
    const now = performance.now();
    const since = this.deafSince.get(gateway);
    if (since === undefined) this.deafSince.set(gateway, now);
    else if (now - since > GONE_MS) {
      this.deafSince.delete(gateway);
      this.parts.onGone(gateway);
    }
  }
}

/**
 * A match's picture with the inputs taken by slot behind it.
 * @throws what the game throws
 */
export function pictureOf({ hosted }: Pick<Hosting, 'hosted'>): Int32Array | undefined {
  const { sim, game, seqs } = hosted;
  if (sim === undefined) return undefined;
  const view = game.vector(sim.view());
  const vector = new Int32Array(view.length + seqs.length);
  vector.set(view);
  for (let slot = 0; slot < seqs.length; slot++) vector[view.length + slot] = seqs[slot] as number;
  return vector;
}

import { randomInt } from 'node:crypto';
import { decodeDelta, decodeKeyframe, matchHandle, serverMessages } from '../../protocol/index.ts';
import { orderKnockout, Placer } from '../../scripts/lib/arenas.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { INPUT_BYTES, writeInput, type Op } from '../../src/match/ops.ts';
import { gatewayChannel } from '../../src/relay/keys.ts';
import { fromVector, LENGTH_STEPS, type KnockoutView } from '../../workers/games/knockout/index.ts';

/** Under this name the arena publishes to us. */
const GATEWAY = 'bench-feeder';
const SEATS = 8;
/** A player changes its mind this often, ms: five times a second. */
const CHANGE_MS = 200;
/** Between two looks at whose time has come, ms: a gateway's inputs come one by one. */
const LOOK_MS = 5;
/** Only so many ticks of a match are looked at: a player's eyes cost this process what they cost a player's machine. */
const LOOKED_AT_TICKS = 6;
/** Ticks of a match: so spread that matches end, and others begin, all the time. */
const TICKS = [1_500, 2_640] as const;
/** The platform keeps its size until so many ticks before the end, so that all eight are on it most of the time. */
const LAST_TICKS = 150;
/** Placed at once. */
const BATCH = 16;

const HEADER_BYTES = 1 + serverMessages.snapshot.body.size;

interface FedMatch {
  readonly id: string;
  readonly handle: number;
  readonly arena: string;
  readonly seqs: Uint32Array;
  key: { tick: number; vector: Int32Array } | undefined;
  view: KnockoutView | undefined;
  lookedAt: number;
  /** When each slot changes its mind next, ms. */
  readonly due: Float64Array;
}

/** What came and went since the last `take`. */
export interface FeedCounts {
  inputs: number;
  /** Inputs that the arena's stream did not take: it is full, or the arena is closed. */
  refused: number;
  snapshots: number;
  bytes: number;
  /** Matches that were over, and replaced. */
  ended: number;
  /** Discs on their platforms, summed over the pictures looked at, and their number. */
  discs: number;
  pictures: number;
}

const none = (): FeedCounts => ({
  inputs: 0,
  refused: 0,
  snapshots: 0,
  bytes: 0,
  ended: 0,
  discs: 0,
  pictures: 0,
});

/**
 * Stands where gateways stand, for as many matches of eight as wanted: it watches all of them, and feeds inputs of all
 * their players. The players stay on the platform rather than fight: matches of eight, not of the last two.
 */
export class CrowdedArena {
  private readonly redis: Redis;
  private readonly ears: Redis;
  private readonly placer: Placer;
  private readonly matches = new Map<number, FedMatch>();
  private wanted = 0;
  private counts = none();
  private flushing = false;
  private timer: NodeJS.Timeout | undefined;
  private fault: Error | undefined;

  constructor(url: string) {
    const fail = (error: Error): void => void (this.fault ??= error);
    this.redis = connectRedis(url, GATEWAY, fail);
    this.ears = connectRedis(url, `${GATEWAY}-ears`, fail);
    this.placer = new Placer(this.redis);
  }

  async start(): Promise<void> {
    this.ears.on('messageBuffer', (_channel: Buffer, message: Buffer) => this.hear(message));
    await this.ears.subscribe(gatewayChannel(GATEWAY));
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Adds matches until there are so many; those that end are replaced. */
  async raise(count: number): Promise<void> {
    this.wanted = count;
    while (this.matches.size < this.wanted) {
      const more = Math.min(BATCH, this.wanted - this.matches.size);
      await Promise.all(Array.from({ length: more }, async () => await this.add()));
    }
  }

  /** @returns ids of some of the matches */
  ids(count: number): string[] {
    return [...this.matches.values()].slice(0, count).map(({ id }) => id);
  }

  /** @returns what came and went since the last call. @throws what went wrong meanwhile */
  take(): FeedCounts {
    if (this.fault !== undefined) throw this.fault;
    const { counts } = this;
    this.counts = none();
    return counts;
  }

  stop(): void {
    clearInterval(this.timer);
    this.redis.disconnect();
    this.ears.disconnect();
  }

  private async add(): Promise<void> {
    const endTicks = randomInt(...TICKS);
    const seats = Array.from({ length: SEATS }, (_, slot) => ({ player: `bench-${slot}` }));
    const order = orderKnockout({
      seats,
      options: { endTicks, holdTicks: endTicks - LAST_TICKS },
      joinMs: 60_000,
    });
    const { match } = order;
    const arena = await this.placer.place(order);
    const handle = matchHandle(match);
    const now = performance.now();
    this.matches.set(handle, {
      id: match,
      handle,
      arena,
      seqs: new Uint32Array(SEATS),
      key: undefined,
      view: undefined,
      lookedAt: 0,
      due: Float64Array.from({ length: SEATS }, () => now + Math.random() * CHANGE_MS),
    });
    const come = seats.map(({ player }, slot): Op => ({
      is: 'come',
      match,
      slot,
      player,
      gateway: GATEWAY,
    }));
    await this.placer.arenas.feed(arena, [{ is: 'watch', match, gateway: GATEWAY }, ...come]);
  }

  private hear(message: Buffer): void {
    try {
      if (message[0] === 0x53) this.snapshots(message);
      else if (message[0] === 0x4d) void this.changed(message.toString('latin1', 1));
    } catch (error) {
      this.fault ??= error as Error;
    }
  }

  /** One message per phase: `S`, then u16 length and frame, again and again. */
  private snapshots(message: Buffer): void {
    for (let at = 1; at < message.length;) {
      const length = message.readUInt16BE(at);
      at += 2;
      this.counts.snapshots++;
      this.counts.bytes += length;
      const match = this.matches.get(message.readUInt32BE(at + 1));
      if (match !== undefined) this.picture(match, message.subarray(at, at + length));
      at += length;
    }
  }

  private picture(match: FedMatch, frame: Buffer): void {
    const tick = frame.readUInt32BE(9);
    const keyTick = frame.readUInt32BE(13);
    const isKey = tick === keyTick;
    if (!isKey && tick - match.lookedAt < LOOKED_AT_TICKS) return;
    if (!isKey && match.key?.tick !== keyTick) return;
    const payload = frame.subarray(HEADER_BYTES);
    const vector =
      isKey || match.key === undefined
        ? decodeKeyframe(payload)
        : decodeDelta(payload, match.key.vector);
    if (isKey) match.key = { tick, vector };
    match.lookedAt = tick;
    match.view = tick === 0 ? undefined : fromVector(vector.subarray(0, vector.length - SEATS));
    if (match.view === undefined) return;
    this.counts.pictures++;
    for (const { alive } of match.view.discs) if (alive) this.counts.discs++;
  }

  private async changed(id: string): Promise<void> {
    const match = this.matches.get(matchHandle(id));
    if (match?.id !== id) return;
    const record = await this.placer.records.find(id);
    if (record?.state !== 'over') return;
    if (record.failure !== undefined) {
      this.fault ??= new Error(`${id}: ${record.failure.code} ${record.failure.message}`);
    }
    if (!this.matches.delete(match.handle)) return;
    this.counts.ended++;
    try {
      if (this.matches.size < this.wanted) await this.add();
    } catch (error) {
      this.fault ??= error as Error;
    }
  }

  /** Sends what those want whose time has come: one call an arena, and the next one when it is answered. */
  private look(): void {
    if (this.flushing) return;
    const now = performance.now();
    const byArena = new Map<string, Buffer[]>();
    for (const match of this.matches.values()) {
      const { view, due, seqs, handle, arena } = match;
      if (view === undefined) continue;
      for (let slot = 0; slot < SEATS; slot++) {
        if ((due[slot] as number) > now) continue;
        due[slot] = now + CHANGE_MS * (0.75 + Math.random() / 2);
        const bytes = Buffer.allocUnsafe(INPUT_BYTES);
        const seq = (seqs[slot] = (seqs[slot] as number) + 1);
        writeInput(bytes, 0, { handle, slot, seq, ...wander(view, slot) });
        let inputs = byArena.get(arena);
        if (inputs === undefined) byArena.set(arena, (inputs = []));
        inputs.push(bytes);
      }
    }
    if (byArena.size === 0) return;
    this.flushing = true;
    void this.flush(byArena).finally(() => (this.flushing = false));
  }

  private async flush(byArena: ReadonlyMap<string, Buffer[]>): Promise<void> {
    for (const [arena, inputs] of byArena) {
      try {
        const taken = await this.placer.arenas.feed(arena, [], Buffer.concat(inputs));
        this.counts[taken ? 'inputs' : 'refused'] += inputs.length;
      } catch (error) {
        this.fault ??= error as Error;
      }
    }
  }
}

/** How far a player keeps from the edge, m. */
const CAUTION = 3;

/** Somewhere, and back to the middle before the edge; a dash now and then. */
function wander(
  { radius, discs }: KnockoutView,
  slot: number,
): { x: number; y: number; buttons: number } {
  const me = discs[slot];
  const [x, y] = [(me?.x ?? 0) + (me?.vx ?? 0), (me?.y ?? 0) + (me?.vy ?? 0)];
  const far = Math.hypot(x, y);
  const angle = Math.random() * 2 * Math.PI;
  const home = far > radius - CAUTION * LENGTH_STEPS;
  const [dx, dy] = home ? [-x / far, -y / far] : [Math.cos(angle), Math.sin(angle)];
  return {
    x: Math.round(dx * 127),
    y: Math.round(dy * 127),
    buttons: !home && Math.random() < 0.05 ? 1 : 0,
  };
}

import type { Counters } from '../lib/counters.ts';
import type { Log } from '../lib/log.ts';
import { isAway, type Redis } from '../lib/redis.ts';
import type { Feed, Feeds } from './feed.ts';
import {
  looksAlike,
  overFrame,
  slotOf,
  watchingFrame,
  watchingOf,
  type SnapshotFrame,
} from './frames.ts';
import type { Input, Op } from './ops.ts';
import type { MatchRecord, MatchRecords } from './records.ts';

/** A match is asked for again when it was silent for so long, then more and more rarely, ms. */
const PATIENCE_MS = 500;
const PATIENCE_MAX_MS = 8_000;
/** A crowd that comes before the first snapshot asks for it once in this time, ms. */
const ASK_AGAIN_MS = 250;
/** With a snapshot younger than this, word of changes comes, too, ms. */
const FRESH_MS = 1_000;
/** Between two reads of a record that has changed by the look of it, though nobody said so, ms. */
const DOUBT_MS = 250;
/** A record that is not there may be one that a store which went back has lost, and its arena writes anew, ms. */
const MISSING_MS = 1_000;

/** What matches need of a session. */
export interface Viewer {
  readonly player: string;
  readonly connection: ViewerConnection;
  /** What it watches, by handle; undefined while there is nothing. */
  watches: Map<number, Watch> | undefined;
}

export interface ViewerConnection {
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** At the end of this turn of the event loop. */
  sendSoon(frame: Uint8Array): void;
  /** Closes the socket when too much waits in it. */
  endIfSlow(): void;
}

/** One session's view of one match. */
export interface Watch {
  readonly match: string;
  /** The player's, or -1. */
  slot: number;
  /** Undefined while the record is being read for the first time. */
  watched: Watched | undefined;
}

export interface WatchedParts {
  /** Name of this gateway. */
  readonly gateway: string;
  readonly redis: Redis;
  readonly records: Pick<MatchRecords, 'find'>;
  readonly feeds: Feeds;
  /** To every socket of this gateway in the topic. */
  readonly publish: (topic: string, frame: Uint8Array) => void;
  readonly counters: Counters;
  readonly log: Log;
  /** It is over, and everybody was told. */
  readonly over: (watched: Watched) => void;
}

/** A match that somebody at this gateway watches. */
export class Watched {
  private readonly viewers = new Map<Viewer, Watch>();
  private readonly topic: string;
  private feed: Feed;
  /** Highest of the snapshots so far. */
  private term = 0;
  /** Whole frame of the newest one: what somebody who comes is shown at once. */
  private keyframe: Buffer | undefined;
  /** When a snapshot came last, and when they were asked for last, ms of performance.now. */
  private heard = -Infinity;
  private asked = -Infinity;
  private patienceMs = PATIENCE_MS;
  private reading: 'no' | 'once' | 'again' = 'no';
  /** When the record was asked for last, ms of performance.now: whoever made us has just read it. */
  private readAt = performance.now();
  private isDoubted = false;
  private missingSince: number | undefined;
  private isClosed = false;

  constructor(
    readonly match: string,
    readonly handle: number,
    public record: MatchRecord,
    private readonly parts: WatchedParts,
  ) {
    this.topic = `match:${match}`;
    this.feed = parts.feeds.hold(record.arena);
  }

  get arena(): string {
    return this.feed.arena;
  }

  get isEmpty(): boolean {
    return this.viewers.size === 0;
  }

  /** Whether the record is known as it is now, because changes come by themselves. */
  get isFresh(): boolean {
    return this.heard > performance.now() - FRESH_MS;
  }

  /** A viewer comes, or asks again. @returns the frame to show it at once, if there is one */
  enter(viewer: Viewer, watch: Watch): Buffer | undefined {
    if (!this.viewers.has(viewer)) {
      this.viewers.set(viewer, watch);
      watch.watched = this;
      viewer.connection.subscribe(this.topic);
    }
    watch.slot = slotOf(this.record, viewer.player);
    const now = performance.now();
    if ((this.keyframe === undefined || !this.isFresh) && this.asked < now - ASK_AGAIN_MS) {
      this.asked = now;
      this.tell({ is: 'watch' });
    }
    if (watch.slot >= 0) this.presence('come', viewer, watch.slot);
    // A seat may have become this player's, and the word of it been lost with the arena that should have said it.
    else this.doubt();
    return this.keyframe;
  }

  leave(viewer: Viewer, { slot }: Watch): void {
    if (!this.viewers.delete(viewer)) return;
    viewer.connection.unsubscribe(this.topic);
    // In this order: a crowd of spectators that leaves at once would look for each of them in all others.
    if (slot >= 0 && !this.isHere(viewer.player)) this.presence('go', viewer, slot);
    if (this.isEmpty) this.tell({ is: 'unwatch' });
  }

  input(input: Input): void {
    this.feed.input(input);
  }

  snapshot({ term, tick, isKeyframe, frame }: SnapshotFrame): void {
    // Who was replaced may still speak.
    if (term < this.term) return this.parts.counters.add('snapshots_dropped', 'old_term');
    this.parts.publish(this.topic, frame);
    this.term = term;
    this.heard = performance.now();
    this.patienceMs = PATIENCE_MS;
    if (this.record.state === 'waiting' && tick > 0) this.doubt();
    if (!isKeyframe) return;
    // A copy: the frame is a part of something larger.
    this.keyframe = Buffer.from(frame);
    // Once a second and not with every snapshot: the server's own limit lies above this one, with room for that.
    for (const { connection } of this.viewers.keys()) connection.endIfSlow();
  }

  /** Reads the record again: it has changed, or may have. */
  refresh(): void {
    if (this.reading !== 'no') {
      this.reading = 'again';
      return;
    }
    this.isDoubted = isAway(this.parts.redis);
    if (this.isDoubted) return;
    this.reading = 'once';
    this.readAt = performance.now();
    this.parts.records
      .find(this.match)
      .then((record) => {
        if (this.isClosed) return;
        if (record === undefined) this.missing();
        else this.adopt(record);
      })
      .catch((error: unknown) => {
        this.parts.counters.add('background_failed', 'match');
        this.parts.log.warn('match not read', { match: this.match, error });
      })
      .finally(() => {
        const again = this.reading === 'again';
        this.reading = 'no';
        if (again && !this.isClosed) this.refresh();
      });
  }

  /** Tells everybody what is new about it. */
  adopt(record: MatchRecord): void {
    const before = this.record;
    this.record = record;
    this.missingSince = undefined;
    if (record.state === 'over') return this.end();
    if (record.arena !== before.arena) {
      this.feed = this.parts.feeds.hold(record.arena);
      this.parts.feeds.release(before.arena);
      this.ask();
    }
    if (!looksAlike(before, record)) this.tellViewers();
  }

  /** Asks for its snapshots again, says again who is here, and looks whether it has changed. */
  ask(): void {
    this.asked = performance.now();
    this.tell({ is: 'watch' });
    for (const [viewer, { slot }] of this.viewers)
      if (slot >= 0) this.presence('come', viewer, slot);
    this.refresh();
  }

  /** Called now and then. */
  look(now: number): void {
    if (this.isDoubted) this.check(now);
    if (Math.max(this.heard, this.asked) > now - this.patienceMs) return;
    this.patienceMs = Math.min(PATIENCE_MAX_MS, this.patienceMs * 2);
    this.ask();
  }

  /** Nobody watches any more. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.parts.feeds.release(this.arena);
  }

  /** Something does not fit the record, and nobody said that it has changed: it is read, soon if not now. */
  private doubt(): void {
    this.isDoubted = true;
    this.check(performance.now());
  }

  private check(now: number): void {
    if (this.readAt <= now - DOUBT_MS) this.refresh();
  }

  /** The store does not know it. */
  private missing(): void {
    const now = performance.now();
    this.missingSince ??= now;
    if (this.isFresh || this.missingSince > now - MISSING_MS) {
      this.isDoubted = true;
      return;
    }
    this.parts.log.warn('match is gone from the store', { match: this.match });
    const failure = { code: 'lost', message: 'nothing is known of it any more' } as const;
    this.record = { ...this.record, state: 'over', failure };
    this.end();
  }

  private isHere(player: string): boolean {
    for (const viewer of this.viewers.keys()) if (viewer.player === player) return true;
    return false;
  }

  private tellViewers(): void {
    const frames = new Map<number, Uint8Array>();
    for (const [viewer, watch] of this.viewers) {
      const slot = slotOf(this.record, viewer.player);
      if (slot >= 0 && slot !== watch.slot) this.presence('come', viewer, slot);
      watch.slot = slot;
      const frame = frames.get(slot) ?? watchingFrame(watchingOf(this.record, slot));
      frames.set(slot, frame);
      viewer.connection.sendSoon(frame);
    }
  }

  private end(): void {
    const frame = overFrame(this.record);
    for (const viewer of this.viewers.keys()) {
      viewer.connection.unsubscribe(this.topic);
      viewer.connection.sendSoon(frame);
      viewer.watches?.delete(this.handle);
    }
    this.viewers.clear();
    this.parts.over(this);
  }

  private tell({ is }: { readonly is: 'watch' | 'unwatch' }): void {
    this.feed.op({ is, match: this.match, gateway: this.parts.gateway });
  }

  private presence(is: 'come' | 'go', { player }: Viewer, slot: number): void {
    const op: Op = { is, match: this.match, slot, player, gateway: this.parts.gateway };
    this.feed.op(op);
  }
}

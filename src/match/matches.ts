import { matchHandle, Refusal, serverMessages, type ClientBody } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import type { Counters } from '../lib/counters.ts';
import type { Log } from '../lib/log.ts';
import { isAway, type Redis } from '../lib/redis.ts';
import { playerKeys } from '../relay/keys.ts';
import type { Arenas } from './arenas.ts';
import { Feed } from './feed.ts';
import type { Op } from './ops.ts';
import type { MatchRecord, MatchRecords } from './records.ts';
import {
  looksAlike,
  overFrame,
  slotOf,
  watchingFrame,
  watchingOf,
  type Viewer,
  type Watch,
  type Watched,
  type Watching,
} from './watched.ts';

/** Matches are looked after so often; one that is silent for longer is asked for again, then more and more rarely. */
const LOOK_MS = 500;
const PATIENCE_MAX_MS = 8_000;
/** Of a match with a snapshot younger than this, changes come by themselves: its record need not be read. */
const FRESH_MS = 1_000;
/** Matches whose snapshots still may come because the word that nobody watches got lost. */
const LEFT_MAX = 256;

const SNAPSHOT_TYPE = serverMessages.snapshot.type;
const SNAPSHOT_HEADER = serverMessages.snapshot.body.size + 1;

export interface MatchesParts {
  /** Name of this gateway. */
  readonly gateway: string;
  readonly redis: Redis;
  readonly records: MatchRecords;
  readonly arenas: Arenas;
  /** To every socket of this gateway in the topic. */
  readonly publish: (topic: string, frame: Uint8Array) => void;
  readonly config: Pick<Config, 'WATCHES_PER_SESSION'>;
  readonly counters: Counters;
  readonly log: Log;
}

/** The matches that this gateway's players watch: their inputs to the arenas, the arenas' snapshots to them. */
export class Matches {
  private readonly watched = new Map<number, Watched>();
  private readonly feeds = new Map<string, { readonly feed: Feed; users: number }>();
  private readonly left = new Map<number, { readonly match: string; arena: string; at: number }>();
  private looking: NodeJS.Timeout | undefined;

  constructor(private readonly parts: MatchesParts) {}

  /** Matches that somebody here watches. */
  get size(): number {
    return this.watched.size;
  }

  /** Idempotent. What the answer is followed by: a keyframe if one is known, or `over`. */
  async watch(viewer: Viewer, match: string): Promise<Watching> {
    if (isAway(this.parts.redis)) throw new Refusal('unavailable');
    const handle = matchHandle(match);
    const mine = this.want(viewer, match, handle);
    try {
      const record = await this.find(match, handle);
      if (record === undefined) throw new Refusal('not_found', `match ${match}`);
      const slot = slotOf(record, viewer.player);
      // Otherwise it was left, or its socket lost, while we waited.
      if (viewer.watches?.get(handle) === mine) {
        if (record.state !== 'over') this.enter(viewer, mine, record, handle);
        else {
          this.leave(viewer, mine, handle);
          follow(viewer, overFrame(record));
        }
      }
      return watchingOf(record, handle, slot);
    } catch (error) {
      if (mine.watched === undefined && viewer.watches?.get(handle) === mine)
        this.leave(viewer, mine, handle);
      throw error;
    }
  }

  unwatch(viewer: Viewer, match: string): void {
    const handle = matchHandle(match);
    const mine = viewer.watches?.get(handle);
    if (mine?.match === match) this.leave(viewer, mine, handle);
  }

  steer(viewer: Viewer, { handle, seq, x, y, buttons }: ClientBody<'steer'>): void {
    const { slot = -1, watched } = viewer.watches?.get(handle) ?? {};
    if (watched === undefined) this.drop('not_watched');
    else if (slot < 0) this.drop('no_seat');
    else if (isAway(this.parts.redis)) this.drop('store_away');
    else watched.feed.input({ handle, slot, seq, x, y, buttons });
  }

  /** Idempotent. Resolves when it is certain; the match's `watching` tells when it has happened. */
  async forfeit({ player }: Viewer, match: string): Promise<void> {
    const { redis } = this.parts;
    if (isAway(redis)) throw new Refusal('unavailable');
    const record = await this.parts.records.find(match);
    if (record === undefined) throw new Refusal('not_found', `match ${match}`);
    const slot = slotOf(record, player);
    if (slot < 0 || record.state === 'over') return;
    const { botLevel } = record.order;
    const seat = botLevel < 0 ? {} : { bot: botLevel };
    const taken = await this.parts.arenas.feed(record.arena, [{ is: 'seat', match, slot, seat }]);
    if (!taken) throw new Refusal('unavailable', 'the arena takes no more just now');
    await redis.srem(playerKeys(player).matches, match);
  }

  /** The session's socket is gone. Its player's seats stay. */
  closed(viewer: Viewer): void {
    for (const [handle, mine] of viewer.watches ?? []) this.leave(viewer, mine, handle);
  }

  /**
   * What an arena published: each snapshot goes to its watchers as it is.
   * @param packed u16 length and whole frame, repeated
   */
  snapshots(packed: Buffer): void {
    const { counters } = this.parts;
    let count = 0;
    let at = 0;
    while (at + 2 <= packed.length) {
      const end = at + 2 + packed.readUInt16BE(at);
      const frame = packed.subarray(at + 2, end);
      at = end;
      if (frame.length < SNAPSHOT_HEADER || end > packed.length || frame[0] !== SNAPSHOT_TYPE) {
        counters.add('snapshots_dropped', 'unreadable');
        break;
      }
      count++;
      this.snapshot(frame);
    }
    counters.add('snapshots', '', count);
    counters.add('snapshot_bytes', '', packed.length);
  }

  /** A match's record has changed. */
  changed(match: string): void {
    const watched = this.watched.get(matchHandle(match));
    if (watched?.match === match) this.refresh(watched);
  }

  /** Redis was away, and with it the word of changes. */
  checkAll(): void {
    for (const watched of this.watched.values()) this.ask(watched);
  }

  stop(): void {
    clearInterval(this.looking);
    this.looking = undefined;
  }

  /** @throws Refusal too_many_watches */
  private want(viewer: Viewer, match: string, handle: number): Watch {
    const watches = viewer.watches;
    const mine = watches?.get(handle) ?? { match, slot: -1, watched: undefined };
    if (mine.match !== match) throw twoOfOneHandle();
    if (watches?.has(handle) === true) return mine;
    if ((watches?.size ?? 0) >= this.parts.config.WATCHES_PER_SESSION)
      throw new Refusal('too_many_watches');
    (viewer.watches ??= new Map<number, Watch>()).set(handle, mine);
    return mine;
  }

  private async find(match: string, handle: number): Promise<MatchRecord | undefined> {
    const known = this.watched.get(handle);
    return known?.match === match && isFresh(known)
      ? known.record
      : await this.parts.records.find(match);
  }

  private enter(viewer: Viewer, mine: Watch, record: MatchRecord, handle: number): void {
    const { match } = mine;
    let watched = this.watched.get(handle);
    if (watched === undefined) watched = this.open(match, handle, record);
    else if (watched.match !== match) throw twoOfOneHandle();
    else this.adopt(watched, record);
    // To adopt may have found it over for all.
    if (viewer.watches?.get(handle) !== mine) return;
    if (mine.watched === undefined) {
      mine.watched = watched;
      watched.viewers.add(viewer);
      viewer.connection.subscribe(watched.topic);
    }
    mine.slot = slotOf(watched.record, viewer.player);
    if (watched.keyframe === undefined || !isFresh(watched))
      watched.feed.op({ is: 'watch', match, gateway: this.parts.gateway });
    if (mine.slot >= 0) watched.feed.op(this.presence('come', match, mine.slot, viewer.player));
    if (watched.keyframe !== undefined) follow(viewer, watched.keyframe);
  }

  private open(match: string, handle: number, record: MatchRecord): Watched {
    const watched: Watched = {
      match,
      handle,
      topic: `match:${match}`,
      viewers: new Set(),
      record,
      feed: this.hold(record.arena),
      term: 0,
      keyframe: undefined,
      heard: -Infinity,
      asked: performance.now(),
      patienceMs: LOOK_MS,
      reading: 'no',
    };
    this.watched.set(handle, watched);
    this.left.delete(handle);
    this.looking ??= setInterval(() => this.look(), LOOK_MS);
    return watched;
  }

  private leave(viewer: Viewer, { match, slot, watched }: Watch, handle: number): void {
    viewer.watches?.delete(handle);
    if (viewer.watches?.size === 0) viewer.watches = undefined;
    if (watched === undefined) return;
    viewer.connection.unsubscribe(watched.topic);
    watched.viewers.delete(viewer);
    if (slot >= 0 && ![...watched.viewers].some(({ player }) => player === viewer.player))
      watched.feed.op(this.presence('go', match, slot, viewer.player));
    if (watched.viewers.size > 0 || this.watched.get(handle) !== watched) return;
    this.unwatchAt(watched.feed, match, handle);
    this.forget(watched);
  }

  private unwatchAt(feed: Feed, match: string, handle: number): void {
    feed.op({ is: 'unwatch', match, gateway: this.parts.gateway });
    this.left.delete(handle);
    this.left.set(handle, { match, arena: feed.arena, at: performance.now() });
    const [oldest] = this.left.keys();
    if (this.left.size > LEFT_MAX && oldest !== undefined) this.left.delete(oldest);
  }

  private forget(watched: Watched): void {
    this.watched.delete(watched.handle);
    this.release(watched.feed.arena);
    if (this.watched.size === 0) this.stop();
  }

  private snapshot(frame: Buffer): void {
    const handle = frame.readUInt32BE(1);
    const term = frame.readUInt32BE(5);
    const tick = frame.readUInt32BE(9);
    const watched = this.watched.get(handle);
    if (watched === undefined) return this.stray(handle);
    if (term < watched.term) return this.parts.counters.add('snapshots_dropped', 'old_term');
    this.parts.publish(watched.topic, frame);
    watched.term = term;
    watched.heard = performance.now();
    watched.patienceMs = LOOK_MS;
    if (watched.record.state === 'waiting' && tick > 0) this.refresh(watched);
    if (frame.readUInt32BE(13) !== tick) return;
    // A copy: the frame is a part of something larger.
    watched.keyframe = Buffer.from(frame);
    // Once a second, and not for each snapshot: below the limit that the server itself keeps lies room for that.
    for (const { connection } of watched.viewers) connection.endIfSlow();
  }

  /** Nobody here watches it, but its arena does not know. */
  private stray(handle: number): void {
    this.parts.counters.add('snapshots_dropped', 'not_watched');
    const left = this.left.get(handle);
    if (left === undefined || left.at > performance.now() - FRESH_MS) return;
    this.unwatchAt(this.hold(left.arena), left.match, handle);
    this.release(left.arena);
  }

  private drop(cause: string): void {
    this.parts.counters.add('inputs_dropped', cause);
  }

  private refresh(watched: Watched): void {
    if (watched.reading !== 'no') {
      watched.reading = 'again';
      return;
    }
    if (isAway(this.parts.redis)) return;
    watched.reading = 'once';
    this.parts.records
      .find(watched.match)
      .then((record) => {
        if (record !== undefined && this.watched.get(watched.handle) === watched)
          this.adopt(watched, record);
      })
      .catch((error: unknown) => {
        this.parts.counters.add('background_failed', 'match');
        this.parts.log.warn('match not read', { match: watched.match, error });
      })
      .finally(() => {
        const again = watched.reading === 'again';
        watched.reading = 'no';
        if (again) this.refresh(watched);
      });
  }

  private adopt(watched: Watched, record: MatchRecord): void {
    const before = watched.record;
    watched.record = record;
    if (record.state === 'over') return this.over(watched);
    if (record.arena !== before.arena) {
      watched.feed = this.hold(record.arena);
      this.release(before.arena);
      this.ask(watched);
    }
    if (looksAlike(before, record)) return;
    const frames = new Map<number, Uint8Array>();
    for (const viewer of watched.viewers) {
      const slot = this.reseat(viewer, watched);
      let frame = frames.get(slot);
      if (frame === undefined) {
        frame = watchingFrame(watchingOf(record, watched.handle, slot));
        frames.set(slot, frame);
      }
      viewer.connection.sendSoon(frame);
    }
  }

  /** @returns the player's slot as it is now */
  private reseat(viewer: Viewer, { record, handle, match, feed }: Watched): number {
    const slot = slotOf(record, viewer.player);
    const mine = viewer.watches?.get(handle);
    if (mine === undefined || mine.slot === slot) return slot;
    mine.slot = slot;
    if (slot >= 0) feed.op(this.presence('come', match, slot, viewer.player));
    return slot;
  }

  private over(watched: Watched): void {
    const frame = overFrame(watched.record);
    for (const viewer of watched.viewers) {
      viewer.watches?.delete(watched.handle);
      if (viewer.watches?.size === 0) viewer.watches = undefined;
      viewer.connection.unsubscribe(watched.topic);
      viewer.connection.sendSoon(frame);
    }
    watched.viewers.clear();
    this.forget(watched);
  }

  /** Asks for the match's snapshots again, tells who is here again, and looks whether it has changed. */
  private ask(watched: Watched): void {
    const { match, feed, viewers, handle } = watched;
    feed.op({ is: 'watch', match, gateway: this.parts.gateway });
    for (const viewer of viewers) {
      const slot = viewer.watches?.get(handle)?.slot ?? -1;
      if (slot >= 0) feed.op(this.presence('come', match, slot, viewer.player));
    }
    this.refresh(watched);
  }

  private look(): void {
    if (isAway(this.parts.redis)) return;
    const now = performance.now();
    for (const watched of this.watched.values()) {
      if (Math.max(watched.heard, watched.asked) > now - watched.patienceMs) continue;
      watched.asked = now;
      watched.patienceMs = Math.min(PATIENCE_MAX_MS, watched.patienceMs * 2);
      this.ask(watched);
    }
  }

  private presence(is: 'come' | 'go', match: string, slot: number, player: string): Op {
    return { is, match, slot, player, gateway: this.parts.gateway };
  }

  private hold(arena: string): Feed {
    const held = this.feeds.get(arena) ?? { feed: new Feed(arena, this.parts), users: 0 };
    held.users++;
    this.feeds.set(arena, held);
    return held.feed;
  }

  private release(arena: string): void {
    const held = this.feeds.get(arena);
    if (held !== undefined && --held.users === 0) this.feeds.delete(arena);
  }
}

function isFresh({ heard }: Watched): boolean {
  return heard > performance.now() - FRESH_MS;
}

/** Sends a frame behind the answer that the dispatcher sends when the handler's promise has resolved. */
function follow({ connection }: Viewer, frame: Uint8Array): void {
  setImmediate(() => connection.sendSoon(frame));
}

/** Once in four thousand million; it passes when the other match is over. */
function twoOfOneHandle(): Refusal {
  return new Refusal('unavailable', 'another match is watched under this handle');
}

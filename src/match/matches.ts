import { matchHandle, Refusal, type ClientBody } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import { isAway } from '../lib/redis.ts';
import { playerKeys } from '../relay/keys.ts';
import type { Arenas } from './arenas.ts';
import { Feeds } from './feed.ts';
import { overFrame, slotOf, snapshotsOf, watchingOf, type Watching } from './frames.ts';
import type { MatchRecord } from './records.ts';
import { Watched, type Viewer, type Watch, type WatchedParts } from './watched.ts';

const LOOK_MS = 250;
/** Matches that nobody watches any more and whose arenas may not know, because the word of it got lost. */
const LEFT_MAX = 256;
/** From that word to the next, if snapshots still come, ms. */
const LEFT_AGAIN_MS = 1_000;

export interface MatchesParts extends Omit<WatchedParts, 'feeds' | 'over'> {
  readonly arenas: Pick<Arenas, 'feed'>;
  readonly config: Pick<Config, 'WATCHES_PER_SESSION'>;
}

interface Left {
  readonly match: string;
  readonly arena: string;
  at: number;
}

/** The matches that this gateway's players watch: their inputs to the arenas, the arenas' snapshots to them. */
export class Matches {
  private readonly watched = new Map<number, Watched>();
  private readonly left = new Map<number, Left>();
  private readonly feeds: Feeds;
  private readonly watchedParts: WatchedParts;
  private looking: NodeJS.Timeout | undefined;

  constructor(private readonly parts: MatchesParts) {
    this.feeds = new Feeds(parts);
    this.watchedParts = { ...parts, feeds: this.feeds, over: (watched) => this.forget(watched) };
  }

  /** Matches that somebody here watches. */
  get size(): number {
    return this.watched.size;
  }

  /**
   * Idempotent. Behind the answer the viewer is sent the newest keyframe, if there is one, or `over`.
   * @throws Refusal unavailable, too_many_watches, not_found
   */
  async watch(viewer: Viewer, match: string): Promise<Watching> {
    if (isAway(this.parts.redis)) throw new Refusal('unavailable');
    const handle = matchHandle(match);
    const mine = this.want(viewer, match, handle);
    // Otherwise it was left, or its socket lost, while we waited.
    const isWanted = (): boolean => viewer.watches?.get(handle) === mine;
    try {
      const record = await this.find(match, handle);
      if (record === undefined) throw new Refusal('not_found', `match ${match}`);
      if (isWanted()) {
        const known = this.known(match, handle);
        known?.adopt(record);
        if (record.state === 'over') {
          viewer.watches?.delete(handle);
          // Who watched it has heard it from `adopt`.
          if (mine.watched === undefined) follow(viewer, overFrame(record));
        } else {
          const shown = (known ?? this.open(match, handle, record)).enter(viewer, mine);
          if (shown !== undefined) follow(viewer, shown);
        }
      }
      return watchingOf(record, slotOf(record, viewer.player));
    } catch (error) {
      const isGone = error instanceof Refusal && error.code === 'not_found';
      if (isWanted() && (mine.watched === undefined || isGone)) this.leave(viewer, mine, handle);
      throw error;
    }
  }

  unwatch(viewer: Viewer, match: string): void {
    const handle = matchHandle(match);
    const mine = viewer.watches?.get(handle);
    if (mine?.match === match) this.leave(viewer, mine, handle);
  }

  /** An input is taken or dropped and counted; there is no answer. */
  steer(viewer: Viewer, { handle, seq, x, y, buttons }: ClientBody<'steer'>): void {
    const { slot = -1, watched } = viewer.watches?.get(handle) ?? {};
    if (watched === undefined) this.drop('not_watched');
    else if (slot < 0) this.drop('no_seat');
    else if (isAway(this.parts.redis)) this.drop('store_away');
    else watched.input({ handle, slot, seq, x, y, buttons });
  }

  /**
   * Idempotent. Resolves when it is certain; the match's `watching` tells when it has happened.
   * @throws Refusal unavailable, not_found
   */
  async forfeit({ player }: Pick<Viewer, 'player'>, match: string): Promise<void> {
    const { redis, records, arenas } = this.parts;
    if (isAway(redis)) throw new Refusal('unavailable');
    const record = await records.find(match);
    if (record === undefined) throw new Refusal('not_found', `match ${match}`);
    const slot = slotOf(record, player);
    if (slot >= 0 && record.state !== 'over') {
      const { botLevel } = record.order;
      const seat = botLevel < 0 ? {} : { bot: botLevel };
      const taken = await arenas.feed(record.arena, [{ is: 'seat', match, slot, seat }]);
      if (!taken) throw new Refusal('unavailable', 'the arena takes no more just now');
    }
    // Without a seat, too: it may have been given up by a call that did not come so far as this.
    await redis.srem(playerKeys(player).matches, match);
  }

  /** The session's socket is gone. Its player's seats stay. */
  closed(viewer: Viewer): void {
    for (const [handle, mine] of viewer.watches ?? []) this.leave(viewer, mine, handle);
    viewer.watches = undefined;
  }

  /**
   * What an arena published: each snapshot goes to its watchers as it is.
   * @param packed see snapshotsOf
   */
  snapshots(packed: Buffer): void {
    const { counters } = this.parts;
    let count = 0;
    for (const snapshot of snapshotsOf(packed)) {
      count++;
      if (snapshot === undefined) counters.add('snapshots_dropped', 'unreadable');
      else {
        const watched = this.watched.get(snapshot.handle);
        if (watched === undefined) this.stray(snapshot.handle);
        else watched.snapshot(snapshot);
      }
    }
    counters.add('snapshots', '', count);
    counters.add('snapshot_bytes', '', packed.length);
  }

  /** A match's record has changed. */
  changed(match: string): void {
    this.known(match, matchHandle(match))?.refresh();
  }

  /** Redis was away, and with it the word of changes. */
  checkAll(): void {
    for (const watched of this.watched.values()) watched.ask();
  }

  stop(): void {
    clearInterval(this.looking);
    this.looking = undefined;
  }

  private want(viewer: Viewer, match: string, handle: number): Watch {
    const watches = (viewer.watches ??= new Map<number, Watch>());
    const known = watches.get(handle);
    if (known?.match === match) return known;
    // Two matches of one handle, once in four thousand million: it passes when the other is over.
    if (known !== undefined) throw new Refusal('unavailable');
    if (watches.size >= this.parts.config.WATCHES_PER_SESSION)
      throw new Refusal('too_many_watches');
    const mine: Watch = { match, slot: -1, watched: undefined };
    watches.set(handle, mine);
    return mine;
  }

  private async find(match: string, handle: number): Promise<MatchRecord | undefined> {
    const known = this.known(match, handle);
    return known?.isFresh === true ? known.record : await this.parts.records.find(match);
  }

  private known(match: string, handle: number): Watched | undefined {
    const known = this.watched.get(handle);
    return known?.match === match ? known : undefined;
  }

  private open(match: string, handle: number, record: MatchRecord): Watched {
    if (this.watched.has(handle)) throw new Refusal('unavailable');
    const watched = new Watched(match, handle, record, this.watchedParts);
    this.watched.set(handle, watched);
    this.left.delete(handle);
    this.looking ??= setInterval(() => this.look(), LOOK_MS);
    return watched;
  }

  private leave(viewer: Viewer, mine: Watch, handle: number): void {
    viewer.watches?.delete(handle);
    const { watched } = mine;
    if (watched === undefined) return;
    watched.leave(viewer, mine);
    if (!watched.isEmpty) return;
    this.remember(handle, { match: mine.match, arena: watched.arena, at: performance.now() });
    this.forget(watched);
  }

  private remember(handle: number, left: Left): void {
    this.left.set(handle, left);
    const [oldest] = this.left.keys();
    if (this.left.size > LEFT_MAX && oldest !== undefined) this.left.delete(oldest);
  }

  private forget(watched: Watched): void {
    watched.close();
    if (this.watched.get(watched.handle) === watched) this.watched.delete(watched.handle);
    if (this.watched.size === 0) this.stop();
  }

  /** Nobody here watches it, but its arena does not know. */
  private stray(handle: number): void {
    this.parts.counters.add('snapshots_dropped', 'not_watched');
    const left = this.left.get(handle);
    const now = performance.now();
    if (left === undefined || left.at > now - LEFT_AGAIN_MS) return;
    left.at = now;
    const { gateway } = this.parts;
    this.feeds.hold(left.arena).op({ is: 'unwatch', match: left.match, gateway });
    this.feeds.release(left.arena);
  }

  private drop(cause: string): void {
    this.parts.counters.add('inputs_dropped', cause);
  }

  private look(): void {
    if (isAway(this.parts.redis)) return;
    const now = performance.now();
    for (const watched of this.watched.values()) watched.look(now);
  }
}

/** Sends a frame behind the answer, which the dispatcher sends when the handler's promise has resolved. */
function follow({ connection }: Viewer, frame: Uint8Array): void {
  setImmediate(() => connection.sendSoon(frame));
}

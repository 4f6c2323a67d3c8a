import { matchHandle, type ServerBody } from '../index.ts';
import { writeFrame } from './frames.ts';
import { Match } from './match.ts';
import { Smoothed } from './match-figures.ts';
import type { Timer } from './transport.ts';

/** What matches need of the client. */
export interface MatchesLine {
  readonly isOpen: boolean;
  ask(name: 'watch' | 'unwatch' | 'forfeit', body: { match: string }): Promise<unknown>;
  send(frame: Uint8Array): boolean;
  /** @returns the round trip in ms; rejects when no socket is open, or it drops first. */
  ping(): Promise<number>;
}

/** Between measurements of the round trip, while a match is watched, ms. */
const PING_EVERY_MS = 2_000;

/** The matches that a client watches, by handle. */
export class Matches {
  private readonly watched = new Map<number, Match>();
  private trip = new Smoothed();
  private timer: Timer | undefined;

  constructor(private readonly line: MatchesLine) {}

  /**
   * @returns the match; the same one until it is over or left
   * @throws MusterError invalid_body when this is no match id
   */
  match(id: string): Match {
    writeFrame('watch', { match: id });
    const handle = matchHandle(id);
    const known = this.watched.get(handle);
    if (known?.id === id) return known;
    const match = this.make(id, handle);
    this.watched.set(handle, match);
    match.watch();
    if (this.watched.size === 1) this.measure();
    return match;
  }

  /** A `watching` of a match that was left meanwhile is of no concern, nor is any other frame of it. */
  watching(body: ServerBody<'watching'>): void {
    this.named(body.match)?.watching(body);
  }

  snapshot(header: ServerBody<'snapshot'>, payload: Uint8Array): void {
    this.watched.get(header.handle)?.snapshot(header, payload);
  }

  over(body: ServerBody<'over'>): void {
    this.named(body.match)?.over(body);
  }

  /** A socket is open. */
  welcomed(): void {
    for (const match of this.watched.values()) match.watch();
    this.measure();
  }

  /** The socket is gone, and the way to the next one may be another. */
  down(): void {
    clearTimeout(this.timer);
    this.trip = new Smoothed();
    for (const match of this.watched.values()) match.down();
  }

  close(): void {
    for (const match of this.watched.values()) match.close();
  }

  private named(id: string): Match | undefined {
    const match = this.watched.get(matchHandle(id));
    return match?.id === id ? match : undefined;
  }

  private make(id: string, handle: number): Match {
    const { line } = this;
    const rttMs = (): number | undefined => this.trip.value;
    return new Match(id, {
      get isOpen() {
        return line.isOpen;
      },
      get rttMs() {
        return rttMs();
      },
      watch: async () => await line.ask('watch', { match: id }),
      unwatch: () => {
        if (line.isOpen) line.ask('unwatch', { match: id }).catch(() => {});
      },
      forfeit: async () => await line.ask('forfeit', { match: id }),
      send: (frame) => line.send(frame),
      done: () => {
        this.watched.delete(handle);
        if (this.watched.size === 0) clearTimeout(this.timer);
      },
    });
  }

  private measure(): void {
    clearTimeout(this.timer);
    if (this.watched.size === 0 || !this.line.isOpen) return;
    const { trip } = this;
    this.line.ping().then(
      (ms) => trip.add(ms),
      () => {},
    );
    this.timer = setTimeout(() => this.measure(), PING_EVERY_MS);
  }
}

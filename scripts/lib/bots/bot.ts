import WebSocket from 'ws';
import {
  connect,
  MusterError,
  RequestFailed,
  type Client,
  type Match,
  type Snapshot,
  type SocketConstructor,
  type StoredSession,
} from '../../../protocol/client/index.ts';
import { queueNamed, type matchQueues, type MatchResult } from '../../../protocol/index.ts';
import { steerIn } from './steering.ts';
import type { Tally } from './tally.ts';
import { pause, randomBetween } from './time.ts';

export type Queue = (typeof matchQueues)[number];

export interface BotOptions {
  /** ws://host:port/v1/socket. */
  readonly url: string;
  readonly tally: Tally;
  /** Default: that of `ws`. */
  readonly WebSocket?: SocketConstructor;
  /** How likely it is, match by match, that the bot ... */
  readonly temper?: Temper;
}

export interface Temper {
  /** ... gives its seat up. */
  readonly forfeit: number;
  /** ... reloads its page, and is back at once or after a while. */
  readonly reload: number;
}

export const STEADY: Temper = { forfeit: 0, reload: 0 };
export const FICKLE: Temper = { forfeit: 0.05, reload: 0.1 };

/** How a match ended for a bot. `lost` is what must never happen. */
export type Ending =
  | { readonly is: 'over'; readonly result: MatchResult }
  | { readonly is: 'forfeited' | 'stopped' }
  | { readonly is: 'lost'; readonly why: string };

/** No snapshot of a match that is played for longer than this counts as a pause, ms: four ticks at 30 Hz. */
export const PAUSE_MS = 133;
/** Ticks between two decisions: about five inputs a second. */
const REACTION_TICKS = 6;
/** Ticks of a match within which a fickle bot has its mood. */
const MOOD_TICKS = 600;
/** Most that a bot is away when it reloads, ms. */
const AWAY_MAX_MS = 4_000;
/** The longest match takes 90 s; with joining and several deaths of its arena it is over within this, ms. */
const MATCH_LIMIT_MS = 240_000;

interface Playing {
  readonly id: string;
  readonly end: (ending: Ending) => void;
  readonly since: number;
  forfeitAt: number;
  reloadAt: number;
  /** When the newest snapshot came, ms; undefined while none is awaited. */
  seenAt: number | undefined;
  thoughtAt: number;
  started: boolean;
}

/** One headless player with a socket of its own, a guest. */
export class Bot {
  private connection: Client | undefined;
  private stored: StoredSession | undefined;
  private match: Match | undefined;
  private playing: Playing | undefined;
  private isClosed = false;
  /** Of the queue that it was in last. */
  private game = queueNamed('knockout').game;
  /** What it does now, for the figures. */
  state: 'away' | 'idle' | 'queued' | 'playing' = 'away';

  constructor(private readonly options: BotOptions) {}

  /** @returns its player id; rejects when it is closed meanwhile */
  async connect(): Promise<string> {
    const { url, tally } = this.options;
    if (this.isClosed) throw new MusterError('closed');
    const client = connect({
      url,
      WebSocket: this.options.WebSocket ?? WebSocket,
      store: { load: () => this.stored, save: (stored) => void (this.stored = stored) },
      onState: (state) => {
        if (state.name === 'waiting') tally.errors.add(`socket ${state.reason.name}`);
      },
    });
    client.on('error', ({ code }) => tally.errors.add(code));
    client.on('over', ({ match, failure }) => {
      if (failure !== undefined && match === this.playing?.id) this.lose(failure.code);
    });
    this.connection = client;
    const { player } = await client.ready;
    this.state = 'idle';
    return player;
  }

  get client(): Client {
    if (this.connection === undefined) throw new Error('the bot is not connected');
    return this.connection;
  }

  /** Figures of the match that it plays, while it does. */
  get figures(): Match['figures'] | undefined {
    return this.playing === undefined ? undefined : this.match?.figures;
  }

  /** Waits in a queue. @returns the match; undefined when nobody was there, or the signal came */
  async find(queue: Queue, stop: AbortSignal): Promise<string | undefined> {
    const { tally } = this.options;
    const since = performance.now();
    this.state = 'queued';
    this.game = queueNamed(queue).game;
    try {
      const input = { queue, regions: { here: 20 } };
      const { result } = await this.client.request('matchmake', input, { signal: stop });
      tally.waits.add(performance.now() - since);
      tally.found++;
      return result.match;
    } catch (error) {
      if (stop.aborted) return undefined;
      if (error instanceof RequestFailed && error.state === 'expired') tally.unmatched++;
      else if (error instanceof RequestFailed) tally.lost.add(`ticket ${error.state}`);
      else tally.errors.add(nameOf(error));
      return undefined;
    } finally {
      this.state = 'idle';
    }
  }

  /** Plays a match that it has a seat in to the end. */
  async play(id: string, stop: AbortSignal): Promise<Ending> {
    const { tally, temper = STEADY } = this.options;
    this.state = 'playing';
    let stopped = (): void => {};
    const ending = await new Promise<Ending>((end) => {
      const mood = (chance: number): number =>
        Math.random() < chance ? randomBetween(1, MOOD_TICKS) : Infinity;
      this.playing = {
        id,
        end,
        since: performance.now(),
        forfeitAt: mood(temper.forfeit),
        reloadAt: mood(temper.reload),
        seenAt: undefined,
        thoughtAt: 0,
        started: false,
      };
      const limit = setTimeout(() => this.lose('no end in time'), MATCH_LIMIT_MS);
      const leave = (): void => end({ is: 'stopped' });
      stop.addEventListener('abort', leave, { once: true });
      stopped = () => {
        clearTimeout(limit);
        stop.removeEventListener('abort', leave);
      };
      if (stop.aborted) leave();
      else this.attend(id);
    });
    stopped();
    this.playing = undefined;
    this.detach();
    this.state = 'idle';
    if (ending.is === 'over') tally.ended++;
    else if (ending.is === 'forfeited') tally.forfeited++;
    else if (ending.is === 'lost') tally.lost.add(ending.why);
    return ending;
  }

  close(): void {
    this.isClosed = true;
    this.connection?.close();
    this.state = 'away';
  }

  private attend(id: string): void {
    const match = this.client.match(id);
    this.match = match;
    match.on('snapshot', (snapshot) => this.see(match, snapshot));
    match.on('over', ({ result }) => {
      if (match === this.match && result !== undefined) this.playing?.end({ is: 'over', result });
    });
    match.on('lost', ({ why, error }) => {
      if (match !== this.match) return;
      if (why === 'refused') this.lose(`watch ${error?.code ?? 'refused'}`);
      else this.options.tally.errors.add(`match ${why}`);
    });
    // A refusal comes by `lost` too.
    match.ready.catch(() => {});
  }

  private see(match: Match, { tick, vector }: Snapshot): void {
    const { playing } = this;
    if (playing === undefined || match !== this.match) return;
    const { tally } = this.options;
    const now = performance.now();
    tally.snapshots++;
    if (tick === 0) return;
    if (!playing.started) tally.starts.add(now - playing.since);
    playing.started = true;
    const gap = now - (playing.seenAt ?? now);
    if (gap > PAUSE_MS) tally.pauses.add(gap);
    playing.seenAt = now;
    if (tick >= playing.forfeitAt) return void this.forfeit(playing);
    // Closed while it was away, it does not come back.
    if (tick >= playing.reloadAt) {
      return void this.reload(playing).catch(() => playing.end({ is: 'stopped' }));
    }
    if (match.slot >= 0 && Math.abs(tick - playing.thoughtAt) >= REACTION_TICKS) {
      playing.thoughtAt = tick;
      match.steer(steerIn(this.game, vector, match.slot));
    }
  }

  private async forfeit(playing: Playing): Promise<void> {
    playing.forfeitAt = Infinity;
    try {
      await this.client.ask('forfeit', { match: playing.id });
      playing.end({ is: 'forfeited' });
    } catch (error) {
      this.options.tally.errors.add(nameOf(error));
    }
  }

  /** As a page does: another socket, the same session, and the match is watched anew. */
  private async reload(playing: Playing): Promise<void> {
    playing.reloadAt = Infinity;
    playing.seenAt = undefined;
    this.options.tally.reloads++;
    this.detach();
    this.connection?.close();
    await pause(Math.random() * AWAY_MAX_MS);
    if (playing !== this.playing) return;
    await this.connect();
    this.state = 'playing';
    this.attend(playing.id);
  }

  private detach(): void {
    const { match } = this;
    this.match = undefined;
    if (match === undefined) return;
    const { droppedFor } = match.figures;
    for (const [cause, count] of Object.entries(droppedFor)) {
      this.options.tally.dropped.add(cause, count);
    }
    match.leave();
  }

  private lose(why: string): void {
    this.playing?.end({ is: 'lost', why });
  }
}

function nameOf(error: unknown): string {
  if (error instanceof MusterError) return error.code;
  return error instanceof Error ? error.name : String(error);
}

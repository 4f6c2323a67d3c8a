import {
  connect,
  type Client,
  type Done,
  type RequestOptions,
  type State,
  webStorage,
} from '../../protocol/client/index.ts';
import type { End, KindName, RequestInput } from '../../protocol/index.ts';
import { Traffic } from './traffic.ts';

/** Between two round trips that are measured, ms. None while the page is hidden. */
const PING_MS = 2_000;
const ROUND_TRIPS_KEPT = 40;

/** The page's connection, and what can be measured of it. */
export class Backend {
  readonly client: Client;
  readonly traffic = new Traffic();
  /** ms, the last one last. */
  readonly roundTrips: number[] = [];
  /** Of this page's last request that says where it ran. */
  lastRun: End | undefined;
  /** Ids of the running matches in which this player has a seat. */
  running: ReadonlySet<string> = new Set();
  /** From asking for opponents to being told of the match, of the last time, ms. */
  matchedInMs: number | undefined;
  /** The player id; undefined before the first welcome. */
  player: string | undefined;
  private readonly listeners: (() => void)[] = [];

  constructor(origin: string) {
    this.client = connect({
      url: `${origin.replace(/^http/, 'ws')}/v1/socket`,
      store: webStorage(sessionStorage, 'knockout.session'),
      WebSocket: this.traffic.Socket,
      onState: (state) => {
        if (state.name === 'open') this.player = state.player;
        this.changed();
        if (state.name === 'open') void this.ping();
      },
    });
    this.client.on('welcome', ({ matches }) => this.seated(matches));
    this.client.on('watching', ({ match, slot, state }) => {
      const others = [...this.running].filter((id) => id !== match);
      this.seated(slot >= 0 && state !== 'over' ? [...others, match] : others);
    });
    this.client.on('over', ({ match }) => this.forget(match));
    setInterval(() => void this.ping(), PING_MS);
    document.addEventListener('visibilitychange', () => void this.ping());
  }

  get state(): State {
    return this.client.state;
  }

  get isOpen(): boolean {
    return this.client.state.name === 'open';
  }

  /** Whether it was open at least once. */
  get wasOpen(): boolean {
    return this.player !== undefined;
  }

  get roundTrip(): number | undefined {
    return this.roundTrips.at(-1);
  }

  /** As the client's `request`, and keeps what its end says of where it ran. */
  async request<N extends KindName>(
    kind: N,
    input: RequestInput<N>,
    options: RequestOptions<N> = {},
  ): Promise<Done<N>> {
    const done = await this.client.request(kind, input, options);
    if (done.end.ran) this.lastRun = done.end;
    this.changed();
    return done;
  }

  /** Gives up the player's seat in a match. */
  async forfeit(match: string): Promise<void> {
    this.forget(match);
    // Without a connection it stays: the next welcome says so.
    await this.client.ask('forfeit', { match }).catch(() => {});
  }

  /** The match is not running any more, or the player has no seat in it. */
  forget(match: string): void {
    this.seated([...this.running].filter((id) => id !== match));
  }

  /** Called when the state changes or something was measured. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  private seated(matches: readonly string[]): void {
    this.running = new Set(matches);
    this.changed();
  }

  private async ping(): Promise<void> {
    if (document.hidden || !this.isOpen) return;
    try {
      this.roundTrips.push(await this.client.ping());
      if (this.roundTrips.length > ROUND_TRIPS_KEPT) this.roundTrips.shift();
      this.changed();
    } catch {
      // The connection dropped before the answer: its state tells.
    }
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

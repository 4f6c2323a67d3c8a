import { serverMessages, type MatchState, type ServerBody } from '../index.ts';
import { MusterError } from './errors.ts';
import { Events } from './events.ts';
import { writeFrame } from './frames.ts';
import { Gate } from './gate.ts';
import { Throughput, type MatchFigures } from './match-figures.ts';
import { Inputs, type Controls } from './match-inputs.ts';
import { Pictures, type Sample } from './match-pictures.ts';
import { Stream } from './match-stream.ts';
import { Watch } from './match-watch.ts';

export type Watching = ServerBody<'watching'>;

export interface Snapshot {
  readonly term: number;
  readonly tick: number;
  /** The view alone, as the game's `vector` made it. */
  readonly vector: Int32Array;
}

/** Why no snapshots come. `refused` and `closed` are final; after the others the next `snapshot` says: they are back. */
export interface Lost {
  readonly why: 'disconnected' | 'silent' | 'refused' | 'closed';
  readonly error: MusterError | undefined;
}

export interface MatchEvents {
  /** Every picture, keyframes included. */
  snapshot: Snapshot;
  keyframe: Snapshot;
  over: Omit<ServerBody<'over'>, 'match'>;
  /** Once, until they are back. */
  lost: Lost;
}

/** What a match needs of the connection. */
export interface MatchLine {
  readonly isOpen: boolean;
  /** Smoothed, of the connection. */
  readonly rttMs: number | undefined;
  /** Resolves when it is answered; the answer itself comes by `watching`. Rejects with a MusterError. */
  watch(): Promise<unknown>;
  unwatch(): void;
  /** Resolves when it is answered. */
  forfeit(): Promise<unknown>;
  /** @returns false when no socket is open. */
  send(frame: Uint8Array): boolean;
  /** Nothing of this match is of interest any more. */
  done(): void;
}

interface Early {
  readonly header: ServerBody<'snapshot'>;
  readonly payload: Uint8Array;
  readonly at: number;
}

/** Snapshots kept that overtook `watching`, which says how to read them. */
const EARLY_MAX = 32;
const HEADER_BYTES = 1 + serverMessages.snapshot.body.size;

/** One match, watched until it is over or left, through reconnects. Made by `client.match`. */
export class Match {
  /** `opening`: not known yet. `gone`: refused, left, or the client is closed. */
  state: MatchState | 'opening' | 'gone' = 'opening';
  private readonly events = new Events<MatchEvents>();
  private readonly opening = new Gate<Watching>();
  private readonly stream = new Stream();
  private readonly throughput = new Throughput();
  private readonly asking: Watch;
  private info: Watching | undefined;
  private pictures: Pictures | undefined;
  private inputs: Inputs | undefined;
  private wanted: Controls | undefined;
  private early: Early[] = [];
  private isLost = false;
  private isEnded = false;

  constructor(
    readonly id: string,
    private readonly line: MatchLine,
  ) {
    this.asking = new Watch({
      ask: async () => await line.watch(),
      isOpen: () => line.isOpen,
      silent: () => {
        if (this.state === 'playing') this.lost('silent');
      },
      refused: (error) => this.refused(error),
    });
  }

  /** What is watched, once that is known; rejects with a MusterError when it is refused. */
  get ready(): Promise<Watching> {
    return this.opening.promise;
  }

  /** The slot that this player steers; -1 for a spectator, and before `ready`. */
  get slot(): number {
    return this.info?.slot ?? -1;
  }

  /** Who steers, by slot; empty before `ready`. */
  get seats(): Watching['seats'] {
    return this.info?.seats ?? [];
  }

  get figures(): MatchFigures {
    const { dropped, keyframes, tick } = this.stream;
    const clock = this.pictures?.clock;
    const { rttMs } = this.line;
    return {
      rttMs,
      jitterMs: clock?.jitterMs ?? 0,
      delayMs: (rttMs ?? 0) / 2 + (clock?.bufferMs ?? 0),
      inputMs: this.inputs?.echoMs,
      lastTick: tick,
      bytesPerSecond: this.throughput.perSecond(performance.now()),
      keyframes,
      dropped: Object.values(dropped).reduce((sum, count) => sum + count, 0),
      droppedFor: { ...dropped },
    };
  }

  /** @returns the function that takes the listener off again. */
  on<E extends keyof MatchEvents>(event: E, listener: (value: MatchEvents[E]) => void): () => void {
    return this.events.on(event, listener);
  }

  /**
   * What this player wants from now on; it holds until the next call. Nothing happens where a spectator calls it.
   * @param controls integers: x and y from -127 to 127, buttons from 0 to 255
   * @throws MusterError invalid_body
   */
  steer({ x, y, buttons }: Controls): void {
    // Checked here: when it leaves, nobody is there to catch what is wrong with it.
    writeFrame('steer', { handle: 0, seq: 0, x, y, buttons });
    this.wanted = { x, y, buttons };
    this.inputs?.steer(this.wanted);
  }

  /**
   * What to draw.
   * @param nowMs of performance.now, as requestAnimationFrame gives it
   * @returns undefined before the first snapshot
   */
  sample(nowMs: number): Sample | undefined {
    return this.pictures?.sample(nowMs);
  }

  /** Watches no more. A seat is not given up by that. */
  leave(): void {
    if (this.isEnded) return;
    this.line.unwatch();
    this.end('gone', new MusterError('closed', 'the match was left'));
  }

  /**
   * Gives the seat up for good; the match goes on being watched. Resolves when that is durable; `seats` and `slot` tell
   * when the match knows. Nothing happens where a spectator calls it. Rejects with a MusterError.
   */
  async forfeit(): Promise<void> {
    await this.line.forfeit();
  }

  /** A socket is open that knows nothing of what an earlier one watched. */
  watch(): void {
    this.asking.ask();
  }

  /** The socket is gone. */
  down(): void {
    this.asking.pause();
    this.inputs?.close();
    if (this.info !== undefined && this.state !== 'over') this.lost('disconnected');
  }

  /** `watching` came: as the answer, or unasked because seats or state have changed. */
  watching(info: Watching): void {
    const before = this.info;
    this.info = info;
    if (this.state !== 'playing' || info.state === 'over') this.state = info.state;
    if (before?.tickRate !== info.tickRate) this.pictures = new Pictures(info.tickRate);
    if (before?.slot !== info.slot) this.sit(info);
    if (info.state !== 'over') this.inputs?.open();
    this.opening.open(info);
    for (const { header, payload, at } of this.early.splice(0)) this.snapshot(header, payload, at);
  }

  snapshot(
    header: ServerBody<'snapshot'>,
    payload: Uint8Array,
    at: number = performance.now(),
  ): void {
    const { info, pictures, stream } = this;
    if (this.isEnded) return;
    if (info === undefined || pictures === undefined) {
      this.early.push({ header, payload, at });
      if (this.early.length > EARLY_MAX) this.early.shift();
      return;
    }
    this.throughput.add(HEADER_BYTES + payload.length, at);
    const { shownTerm } = stream;
    const whole = stream.read(header, payload);
    if (whole === undefined) return;
    this.asking.heard();
    this.isLost = false;
    const { term, tick, key } = header;
    const isStart = this.state === 'waiting' && tick > 0;
    if (isStart) this.state = 'playing';
    // The ticks of a successor come from elsewhere, and after a pause that is not caught up.
    if (isStart || term > shownTerm) pictures.clock.reset();
    const viewLength = Math.max(0, whole.length - info.seats.length);
    const vector = whole.subarray(0, viewLength);
    pictures.add(tick, vector, at);
    const taken = info.slot < 0 ? undefined : whole[viewLength + info.slot];
    if (taken !== undefined) this.inputs?.echoed(taken >>> 0);
    const shown = { term, tick, vector };
    if (key === tick) this.events.emit('keyframe', shown);
    this.events.emit('snapshot', shown);
  }

  over(body: ServerBody<'over'>): void {
    this.end('over');
    const { match: _, ...how } = body;
    this.events.emit('over', how);
  }

  /** The client is closed. */
  close(): void {
    this.refused(new MusterError('closed'));
  }

  private refused(error: MusterError): void {
    if (this.isEnded) return;
    this.end('gone', error);
    this.isLost = false;
    this.lost(error.code === 'closed' ? 'closed' : 'refused', error);
  }

  private sit({ slot, tickRate }: Watching): void {
    this.inputs?.close();
    this.inputs = undefined;
    if (slot < 0) return;
    const send = ({ seq, x, y, buttons }: Controls & { seq: number }): boolean => {
      const handle = this.info?.handle ?? 0;
      return this.line.send(writeFrame('steer', { handle, seq, x, y, buttons }));
    };
    this.inputs = new Inputs(send, 1_000 / tickRate);
    if (this.wanted !== undefined) this.inputs.steer(this.wanted);
  }

  private lost(why: Lost['why'], error?: MusterError): void {
    if (this.isLost) return;
    this.isLost = true;
    this.events.emit('lost', { why, error });
  }

  private end(state: 'over' | 'gone', error?: MusterError): void {
    this.isEnded = true;
    this.state = state;
    this.asking.stop();
    this.inputs?.close();
    this.early = [];
    if (error !== undefined && !this.opening.isSettled) this.opening.bar(error);
    this.line.done();
  }
}

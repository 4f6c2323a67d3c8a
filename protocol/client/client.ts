import {
  Refusal,
  serverMessages,
  type ClientBody,
  type ClientMessageName,
  type KindName,
  type RequestInput,
  type ServerBody,
} from '../index.ts';
import { Asks, type AnswerOf, type AskBody, type AskName } from './asks.ts';
import { MusterError } from './errors.ts';
import { Events, type ClientEvents, type EventName, type Fault } from './events.ts';
import { readFrame, writeFrame, type ServerFrame } from './frames.ts';
import { Gate } from './gate.ts';
import { Heart } from './heart.ts';
import { Link, type LinkOptions, type State } from './link.ts';
import type { Match } from './match.ts';
import { Matches } from './matches.ts';
import type { Done, RequestOptions } from './pending.ts';
import { Requests } from './requests.ts';
import { Rooms } from './rooms.ts';
import { Acks, Session } from './session.ts';
import { storedSession, type SessionStore } from './storage.ts';
import { Tokens, type TokenSource } from './tokens.ts';

/** Messages that need no answer. The rest the client sends itself. */
export type SendName = Exclude<ClientMessageName, 'hello' | 'ack' | 'request'>;

export interface ClientOptions extends Omit<LinkOptions, 'tokens'> {
  readonly token: TokenSource;
  readonly store: SessionStore | undefined;
  readonly askTimeoutMs: number;
}

type Welcome = ServerBody<'welcome'>;

/** A player's connection: wires the parts of this folder together. Made by `connect`. */
export class Client {
  private readonly events = new Events<ClientEvents>();
  private readonly session = new Session();
  private readonly rooms = new Rooms();
  private readonly link: Link;
  private readonly heart: Heart;
  private readonly asks: Asks;
  private readonly requests: Requests;
  private readonly watched: Matches;
  private readonly acks: Acks;
  private readonly store: SessionStore | undefined;
  private opening = new Gate<Welcome>();
  private frameMaxBytes = 16_384;
  private ref = 0;
  private seated: readonly string[] = [];

  constructor({ token, store, askTimeoutMs, ...options }: ClientOptions) {
    this.store = store;
    const tokens = new Tokens(token, this.session);
    this.link = new Link(
      { ...options, tokens },
      {
        hello: () => writeFrame('hello', this.session.hello()),
        frame: (bytes) => this.read(bytes),
        down: () => this.down(),
        state: (state) => this.became(state),
      },
    );
    this.heart = new Heart(this.link);
    const send = (frame: Uint8Array): boolean =>
      this.link.state.name === 'open' && this.link.send(frame);
    const nextRef = (): number => (this.ref = (this.ref + 1) >>> 0);
    this.asks = new Asks(send, nextRef, askTimeoutMs);
    this.requests = new Requests({
      frameMaxBytes: () => this.frameMaxBytes,
      send,
      nextRef,
      random: options.backoff.random,
      cancel: async (id) => await this.asks.ask('cancel', { id }),
    });
    const { link, heart } = this;
    this.watched = new Matches({
      get isOpen() {
        return link.state.name === 'open';
      },
      ask: async (name, body) => await this.ask(name, body),
      send: (frame) => !link.congested && send(frame),
      ping: async () => await heart.ping(),
    });
    this.acks = new Acks(() => this.acknowledge());
  }

  /** The welcome of the open connection, or of the next one; rejects once the client is closed. */
  get ready(): Promise<Welcome> {
    return this.opening.promise;
  }

  get state(): State {
    return this.link.state;
  }

  /**
   * Matches that ran, and had a seat for this player, when the newest welcome was sent: after a reload, or on another
   * device, `match(id)` returns to them.
   */
  get matches(): readonly string[] {
    return this.seated;
  }

  /**
   * Fire and forget.
   * @returns false when it was not sent: no connection is open, or more than 1 MiB waits in the socket already
   * @throws MusterError when the body is none of this message
   */
  send<N extends SendName>(name: N, body: ClientBody<N>): boolean {
    const frame = writeFrame(name, body);
    if (this.link.state.name !== 'open' || this.link.congested || !this.link.send(frame))
      return false;
    this.rooms.note(name, body);
    return true;
  }

  /** @returns the reply. Rejects with a MusterError: refused, timeout, disconnected, queue_full or closed. */
  async ask<N extends AskName>(name: N, body: AskBody<N>): Promise<AnswerOf<N>> {
    if (this.state.name === 'closed') throw new MusterError('closed');
    try {
      const answer = await this.asks.ask(name, body);
      if (name !== 'leave') this.rooms.note(name, body as ClientBody<N>);
      return answer;
    } finally {
      // Whatever the answer, it is not wanted any more; until then a reconnect joins again, so that leaving succeeds.
      if (name === 'leave') this.rooms.note(name, body as ClientBody<N>);
    }
  }

  /**
   * Asks for heavy work and waits for its end, through reconnects.
   * Rejects with RequestFailed when it ended as failed, cancelled or expired, with MusterError when it was refused.
   */
  async request<N extends KindName>(
    kind: N,
    input: RequestInput<N>,
    options: RequestOptions<N> = {},
  ): Promise<Done<N>> {
    if (this.state.name === 'closed') throw new MusterError('closed');
    return await this.requests.request(kind, input, options);
  }

  /**
   * Watches a match, and steers the seat that the player has in it, if any.
   * @throws MusterError invalid_body when this is no match id
   */
  match(id: string): Match {
    return this.watched.match(id);
  }

  /** @returns the function that takes the listener off again. */
  on<E extends EventName>(event: E, listener: (value: ClientEvents[E]) => void): () => void {
    return this.events.on(event, listener);
  }

  /** @returns the round trip in ms; rejects when no connection is open, or it drops first. */
  async ping(): Promise<number> {
    return await this.heart.ping();
  }

  /** For good. Requests go on at the gateway; their ends wait there for a client with the same session or ids. */
  close(): void {
    this.acks.flush();
    this.link.close();
  }

  /** Called once, by `connect`. */
  async start(): Promise<void> {
    try {
      const load = async (): Promise<unknown> => await this.store?.load();
      const stored = storedSession.safeParse(await load());
      if (stored.success) this.session.restore(stored.data);
    } catch (cause) {
      this.fault({ what: 'the session store failed', cause });
    }
    await this.link.connect();
  }

  private read(bytes: Uint8Array): void {
    try {
      const read = readFrame(bytes);
      if (read === undefined)
        this.fault({ what: `frame of unknown type ${bytes[0]}`, cause: undefined });
      else this.take(read.frame, read.inner);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      this.fault({ what: 'unreadable frame', cause });
    }
  }

  private takeReliable({ offset, nonce }: ServerBody<'reliable'>, inner: Uint8Array): void {
    const verdict = this.session.judge(offset);
    if (verdict === 'gap') return this.link.drop('gap');
    if (verdict === 'next') {
      // One that cannot be read is taken all the same: asked for again it would come again, for ever.
      this.session.took(offset, nonce);
      if (inner[0] !== serverMessages.reliable.type) this.read(inner);
      else this.fault({ what: 'a reliable frame within a reliable frame', cause: undefined });
    }
    this.acks.owe();
  }

  private take(frame: ServerFrame, inner: Uint8Array): void {
    switch (frame.name) {
      case 'reliable':
        return this.takeReliable(frame.body, inner);
      case 'snapshot':
        return this.watched.snapshot(frame.body, inner);
      case 'welcome':
        return this.welcomed(frame.body);
      case 'pong':
        this.heart.pong(frame.body.seq);
        break;
      case 'error': {
        // A refused hello: this socket comes to nothing, the next one may.
        if (this.link.state.name !== 'open') this.link.drop('no_welcome');
        const ofRequest = this.requests.refused(frame.body);
        if (this.asks.refused(frame.body) || ofRequest) return;
        break;
      }
      case 'accepted':
        this.requests.accepted(frame.body);
        break;
      case 'progress': {
        const fault = this.requests.progressed(frame.body);
        if (fault !== undefined) this.fault(fault);
        break;
      }
      case 'ended': {
        const known = this.requests.settled(frame.body);
        if (known === 'again') return;
        if (known === 'orphan') this.events.emit('end', frame.body);
        break;
      }
      case 'over':
        this.watched.over(frame.body);
        break;
      case 'watching':
        this.watched.watching(frame.body);
        this.asks.answered(frame.name, frame.body);
        break;
      case 'ok':
      case 'said':
      case 'members':
      case 'moved':
        this.asks.answered(frame.name, frame.body);
    }
    this.events.emit(frame.name, frame.body);
  }

  private welcomed(welcome: Welcome): void {
    const living = this.link.state.name === 'open';
    const { continuity, playerChanged } = this.session.welcomed(welcome);
    if (continuity !== 'resumed') this.acks.stop();
    this.frameMaxBytes = welcome.frameMaxBytes;
    this.seated = welcome.matches;
    this.link.opened(welcome.player, welcome.session);
    this.heart.start(welcome.pingIntervalMs);
    this.save();
    this.opening.open(welcome);
    if (!living) {
      this.rooms.rejoin((frame) => this.link.send(frame));
      this.asks.resume();
      this.watched.welcomed();
    }
    this.requests.welcomed(welcome.requests, continuity, playerChanged);
    this.events.emit('welcome', welcome);
    if (continuity === 'renewed') this.events.emit('epoch', welcome);
  }

  private down(): void {
    this.acks.stop();
    this.heart.stop();
    this.asks.down();
    this.requests.down();
    this.watched.down();
    if (this.opening.isSettled) this.opening = new Gate();
  }

  private became(state: State): void {
    if (state.name === 'closed') {
      this.down();
      this.asks.close();
      this.requests.close();
      this.watched.close();
      this.opening.bar(new MusterError('closed', state.reason.says));
    }
    this.events.emit('state', state);
  }

  /** Saved first: what is acknowledged but not saved would be missed by a reloaded page. */
  private acknowledge(): void {
    this.save();
    this.link.send(writeFrame('ack', { epoch: this.session.epoch, offset: this.session.offset }));
  }

  private save(): void {
    const { store } = this;
    if (store === undefined) return;
    const save = async (): Promise<void> => await store.save(this.session.stored());
    save().catch((cause: unknown) => this.fault({ what: 'the session store failed', cause }));
  }

  private fault(fault: Fault): void {
    this.events.emit('fault', fault);
  }
}

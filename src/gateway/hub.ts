import { encodeFrame, Refusal, serverMessages, type ClientBody } from '../../protocol/index.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Config } from '../lib/config.ts';
import type { Counters } from '../lib/counters.ts';
import { randomId } from '../lib/ids.ts';
import type { Log } from '../lib/log.ts';
import { isAway, type Redis } from '../lib/redis.ts';
import type { Claimed, Position, Sessions } from '../relay/sessions.ts';
import type { Entry, Wake } from '../relay/wake.ts';
import type { Identity } from './auth.ts';
import { Claims } from './claims.ts';
import type { Connection } from './connection.ts';
import type { Session } from './session.ts';

export interface HubParts {
  readonly redis: Redis;
  readonly sessions: Sessions;
  readonly jobs: Jobs;
  readonly config: Config;
  readonly counters: Counters;
  readonly log: Log;
}

/** A reliable frame's header has a fixed size; see SPEC.md R1. */
const HEADER_BYTES = serverMessages.reliable.body.size + 1;

/** The sessions that this gateway serves: claims them, wakes them, looks after them, lets them go. */
export class Hub {
  private readonly sessions = new Map<string, Session>();
  /** Sessions with unended requests: only these are looked after. */
  private readonly expecting = new Set<Session>();
  private readonly claims = new Claims((id) => this.catchUp(this.sessions.get(id)));
  private looking: NodeJS.Timeout | undefined;

  constructor(private readonly parts: HubParts) {}

  get size(): number {
    return this.sessions.size;
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.sessions.values();
  }

  /** hello: claims the session, from whichever gateway has it, and sends what its client has not acknowledged. */
  async join(connection: Connection, asked: ClientBody<'hello'>['session']): Promise<undefined> {
    connection.stage = { is: 'joining' };
    try {
      await connection.identified;
      const { identity } = connection;
      // Its token was refused, and the socket with it.
      if (identity === undefined) return undefined;
      if (isAway(this.parts.redis)) throw new Refusal('unavailable');
      const goesOn =
        asked !== undefined && (await this.open(connection, identity, asked.id, asked));
      if (!goesOn) await this.open(connection, identity, randomId(12), undefined);
      return undefined;
    } catch (error) {
      if (connection.stage.is === 'joining') connection.stage = { is: 'greeting' };
      throw error;
    }
  }

  /**
   * @returns false when the player has no session of that id. It gets another id then: one that a player made up, or
   * took from somebody else, must not stand beside the real one here.
   */
  private async open(
    connection: Connection,
    { player, issued }: Identity,
    id: string,
    position: Position | undefined,
  ): Promise<boolean> {
    return await this.claims.run(id, async () => {
      const claimed = await this.parts.sessions.claim(player, id, position);
      if (claimed === undefined) return false;
      if (connection.stage.is !== 'joining') {
        await this.parts.sessions.release({ player, id, ...claimed, offset: 0, nonce: 0 });
        return true;
      }
      const session: Session = {
        player,
        id,
        connection,
        gen: claimed.gen,
        epoch: claimed.epoch,
        offset: claimed.ackOffset,
        nonce: claimed.resumed ? (position?.nonce ?? 0) : 0,
        open: undefined,
        reading: 'no',
        rooms: undefined,
        watches: undefined,
      };
      this.letGo(this.sessions.get(id), 'session_taken');
      this.sessions.set(id, session);
      connection.opensSession(session);
      this.welcome(session, claimed, issued);
      return true;
    });
  }

  /**
   * From now on the session is looked after until the request has ended, or until its socket is gone.
   * @param deadline ms since 1970
   */
  expect(session: Session, request: string, deadline: number): void {
    if (this.sessions.get(session.id) !== session) return;
    session.open ??= new Map();
    session.open.set(request, deadline);
    this.expecting.add(session);
    this.looking ??= setInterval(() => this.look(), this.parts.config.LOOK_INTERVAL_MS);
  }

  /** The request has ended or was refused. */
  forget(session: Session, request: string): void {
    if (session.open?.delete(request) !== true || session.open.size > 0) return;
    session.open = undefined;
    this.lookAwayFrom(session);
  }

  ack(session: Session, epoch: number, offset: number): void {
    // Lost while the store is away: the next one stands for it, too.
    if (epoch !== session.epoch || isAway(this.parts.redis)) return;
    this.background('ack', this.parts.sessions.ack(session, epoch, offset));
  }

  /** What a script or a worker published for this gateway. */
  wake(wake: Exclude<Wake, { is: 'watched' | 'snapshots' | 'match' }>): void {
    const session = this.sessions.get(wake.session);
    if (wake.is !== 'ephemeral' && this.claims.note(wake.session)) return;
    if (session === undefined) {
      this.parts.counters.add('wakes_dropped', 'no_session');
      return;
    }
    switch (wake.is) {
      case 'ephemeral':
        session.connection.sendIfClear(wake.frame);
        return;
      case 'new_epoch':
        this.renew(session);
        return;
      case 'taken':
        if (session.gen < wake.gen) this.letGo(session, 'session_taken');
        return;
      case 'reliable': {
        const { epoch, offset, previous } = wake;
        if (epoch === session.epoch && offset <= session.offset) return;
        if (
          epoch === session.epoch &&
          offset === session.offset + 1 &&
          previous === session.nonce
        ) {
          this.deliver(session, wake);
        } else {
          this.parts.counters.add('gaps_seen', 'wake');
          this.catchUp(session);
        }
      }
    }
  }

  /** The socket is gone; the session waits for its client for SESSION_TTL_MS. */
  leave(session: Session): void {
    if (this.sessions.get(session.id) === session) this.sessions.delete(session.id);
    this.lookAwayFrom(session);
    this.background('release', this.parts.sessions.release(session));
  }

  /** Extends the life of every session that is connected here. */
  keepAll(): void {
    if (isAway(this.parts.redis)) return;
    for (const session of this.sessions.values()) {
      this.background(
        'keep',
        this.parts.sessions.keep(session).then((kept) => {
          if (!kept) this.catchUp(session);
        }),
      );
    }
  }

  /** Redis was away: what it holds of any session may be older than what was sent. */
  checkAll(): void {
    for (const session of this.sessions.values()) this.catchUp(session);
  }

  private lookAwayFrom(session: Session): void {
    this.expecting.delete(session);
    if (this.expecting.size === 0) this.rest();
  }

  private rest(): void {
    clearInterval(this.looking);
    this.looking = undefined;
  }

  /** Once a LOOK_INTERVAL_MS: a wake-up may be lost, and nobody else may be left to tell that a deadline is over. */
  private look(): void {
    if (isAway(this.parts.redis)) return;
    const now = Date.now();
    this.parts.jobs.nudge();
    for (const session of this.expecting) {
      this.catchUp(session);
      for (const [id, deadline] of session.open ?? []) {
        if (deadline > now) continue;
        // Ended or remembered by nobody: its end, if it has one, comes from the outbox.
        const expired = this.parts.jobs.expire({ player: session.player, id }).then((open) => {
          if (!open) this.forget(session, id);
        });
        this.background('expire', expired);
      }
    }
  }

  private catchUp(session: Session | undefined): void {
    if (session === undefined || this.sessions.get(session.id) !== session) return;
    if (session.reading !== 'no') {
      session.reading = 'again';
      return;
    }
    session.reading = 'once';
    const { epoch, offset } = session;
    const read = this.parts.sessions.read(session).then((behind) => {
      // A wake-up was quicker, or another epoch began meanwhile.
      if (this.sessions.get(session.id) !== session || session.epoch !== epoch) return;
      if (behind.is === 'taken') this.letGo(session, 'session_taken');
      else if (behind.is === 'broken') {
        if (session.offset === offset) this.renew(session);
      } else {
        for (const entry of behind.entries.slice(session.offset - offset)) {
          this.parts.counters.add('gaps_seen', 'look');
          this.deliver(session, entry);
        }
      }
    });
    this.background(
      'read',
      read.finally(() => {
        const again = session.reading === 'again';
        session.reading = 'no';
        if (again) this.catchUp(session);
      }),
    );
  }

  /** Continuity is gone while the client is connected: a new epoch, told by another welcome. */
  private renew(session: Session): void {
    if (this.claims.has(session.id)) return;
    this.parts.counters.add('epochs_renewed');
    const { player, id, gen } = session;
    const renewed = this.claims.run(id, async () => {
      const claimed = await this.parts.sessions.claim(player, id, undefined, gen);
      if (this.sessions.get(id) !== session) return;
      if (claimed === undefined) return this.letGo(session, 'session_taken');
      session.gen = claimed.gen;
      session.epoch = claimed.epoch;
      session.offset = 0;
      session.nonce = 0;
      this.welcome(session, claimed, undefined);
    });
    this.background('renew', renewed);
  }

  private welcome(session: Session, claimed: Claimed, token: string | undefined): void {
    const { config } = this.parts;
    session.connection.send(
      encodeFrame(serverMessages.welcome, {
        player: session.player,
        session: session.id,
        epoch: claimed.epoch,
        offset: claimed.ackOffset,
        resumed: claimed.resumed,
        requests: claimed.requests.map(({ id, kind, state, attempt }) => ({
          id,
          kind,
          state,
          attempt,
        })),
        matches: [...claimed.matches],
        ...(token !== undefined && { token }),
        serverTime: Date.now(),
        frameMaxBytes: config.FRAME_MAX_BYTES,
        pingIntervalMs: config.PING_INTERVAL_MS,
      }),
    );
    for (const entry of claimed.entries) this.deliver(session, entry);
    for (const { id, deadline } of claimed.requests) this.expect(session, id, deadline);
  }

  private deliver(session: Session, { nonce, ends, frame }: Entry): void {
    session.offset++;
    session.nonce = nonce;
    const whole = new Uint8Array(HEADER_BYTES + frame.length);
    whole[0] = serverMessages.reliable.type;
    serverMessages.reliable.body.encode(new DataView(whole.buffer), 1, {
      offset: session.offset,
      nonce,
    });
    whole.set(frame, HEADER_BYTES);
    session.connection.sendSoon(whole);
    if (ends !== '') this.forget(session, ends);
  }

  private letGo(session: Session | undefined, why: 'session_taken'): void {
    if (session === undefined) return;
    if (this.sessions.get(session.id) === session) this.sessions.delete(session.id);
    session.connection.end(why);
  }

  /** Work whose failure costs time, not truth: the next look repairs it. */
  private background(what: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.parts.counters.add('background_failed', what);
      this.parts.log.warn('background work failed', { what, error });
    });
  }
}

import { closes, type CloseName } from '../../protocol/index.ts';
import { Credits } from './credits.ts';
import type { Identity, Verdict } from './auth.ts';
import type { Session } from './session.ts';
import type { Wire } from './uws.ts';

/**
 * Where a socket stands. `refused` and `greeting` have no session; in `joining` its session is being claimed; `closed`
 * is final.
 */
export type Stage =
  | { readonly is: 'refused'; readonly why: CloseName }
  | { readonly is: 'greeting' }
  | { readonly is: 'joining' }
  | { readonly is: 'open'; readonly session: Session }
  | { readonly is: 'closed' };

export interface ConnectionLimits {
  readonly SESSION_CREDITS_PER_S: number;
  readonly SESSION_CREDITS_BURST: number;
  readonly SEND_BUFFER_MAX_BYTES: number;
}

const DONE = Promise.resolve();

/** One socket of one client, from its upgrade to its close. */
export class Connection {
  stage: Stage = { is: 'greeting' };
  readonly credits: Credits;
  /** Refused frames in the present window, see dispatch.ts. */
  errors = 0;
  errorsSince = 0;
  /** When this socket was last told rate_limited, ms. */
  toldLimited = 0;
  /** Who it is, once its token has been checked. */
  identity: Identity | undefined;
  /** Resolves when the token has been checked, whatever came of it. */
  identified: Promise<void> = DONE;
  private wire: Wire | undefined;
  /** Frames of this turn, see sendSoon. */
  private waiting: (Uint8Array | ArrayBuffer)[] | undefined;
  /** Until its hello is answered. */
  private patience: NodeJS.Timeout | undefined;

  constructor(
    readonly address: string,
    private readonly limits: ConnectionLimits,
    /** Counts a frame that was not sent, or a close, under its cause. */
    private readonly count: (name: 'frames_dropped' | 'disconnects', cause: string) => void,
  ) {
    this.credits = new Credits(
      limits.SESSION_CREDITS_PER_S,
      limits.SESSION_CREDITS_BURST,
      performance.now(),
    );
  }

  /** @param verdict of the token that the upgrade brought; a refusal closes the socket */
  opened(wire: Wire, verdict: Promise<Verdict>): void {
    this.wire = wire;
    this.identified = verdict
      .then(
        (found) => {
          if (found.ok) this.identity = found.identity;
          else this.end(found.why);
        },
        // The secret of guests lives in the store.
        () => this.end('unavailable'),
      )
      .finally(() => void (this.identified = DONE));
  }

  /** Opened only to be told why it may not stay. */
  turnAway(wire: Wire, why: CloseName): void {
    this.wire = wire;
    this.stage = { is: 'refused', why };
    this.end(why);
  }

  /** A socket that has no session after `ms` is closed. */
  expectHello(ms: number): void {
    this.patience = setTimeout(() => {
      // In `joining` its hello came, but the store does not answer.
      this.end(this.stage.is === 'greeting' ? 'hello_timeout' : 'unavailable');
    }, ms);
    this.patience.unref();
  }

  /** What only a new socket needs is let go: tens of thousands of these are held at once. */
  opensSession(session: Session): void {
    this.stage = { is: 'open', session };
    clearTimeout(this.patience);
    this.patience = undefined;
    if (this.identity !== undefined) {
      this.identity = { player: session.player, expires: this.identity.expires };
    }
  }

  /** The socket is gone; nothing reaches the client any more. */
  closed(): void {
    clearTimeout(this.patience);
    this.wire = undefined;
    this.stage = { is: 'closed' };
  }

  /**
   * Sends a frame at the end of this turn of the event loop, with all others of it in one write: for what does not
   * answer inside the socket's own event, where uWebSockets.js gathers by itself.
   * @param frame not changed by the caller afterwards
   */
  sendSoon(frame: Uint8Array | ArrayBuffer): void {
    if (this.waiting !== undefined) this.waiting.push(frame);
    else if (this.wire !== undefined) {
      this.waiting = [frame];
      setImmediate(() => this.flush());
    }
  }

  private flush(): void {
    const { waiting, wire } = this;
    this.waiting = undefined;
    if (waiting === undefined || wire === undefined) return;
    wire.cork(() => {
      for (const frame of waiting) if (!this.send(frame)) return;
    });
  }

  /** Sends a frame now. @returns false when the client will not get it: it is gone, or too slow and therefore closed */
  send(frame: Uint8Array | ArrayBuffer): boolean {
    const { wire } = this;
    if (wire === undefined) return false;
    if (this.waiting !== undefined) {
      // Behind what came before it. A copy: replies of fixed bodies share one buffer.
      this.waiting.push(frame.slice(0));
      return true;
    }
    const sent = wire.send(frame, true);
    if (sent === 1) return true;
    // Closed below uWebSockets' own limit, so that the close frame still finds room behind the backlog.
    if (sent === 0 && wire.getBufferedAmount() <= this.limits.SEND_BUFFER_MAX_BYTES) return true;
    this.end('slow_client');
    return false;
  }

  /** For what came through a topic, whose sender does not learn how much of it waits. */
  endIfSlow(): void {
    const waiting = this.wire?.getBufferedAmount() ?? 0;
    if (waiting > this.limits.SEND_BUFFER_MAX_BYTES) this.end('slow_client');
  }

  /** For what may be skipped: not sent when anything is still unsent. */
  sendIfClear(frame: Uint8Array): void {
    if (this.wire === undefined) return;
    if (this.wire.getBufferedAmount() > 0) this.count('frames_dropped', 'skipped');
    else this.send(frame);
  }

  /** Closes with a code of the table; the close event comes before this returns. A slow client's backlog goes first. */
  end(name: CloseName): void {
    // What was said before the close is heard before it.
    this.flush();
    const { wire } = this;
    if (wire === undefined) return;
    this.count('disconnects', name);
    wire.end(closes[name].code, name);
  }

  subscribe(topic: string): void {
    this.wire?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.wire?.unsubscribe(topic);
  }
}

import type { ClientBody, ServerBody } from '../index.ts';
import type { StoredSession } from './storage.ts';
import type { Timer } from './transport.ts';

type Welcome = ServerBody<'welcome'>;

/** `first`: there was nothing to continue. `resumed`: nothing was missed. `renewed`: continuity is lost. */
export type Continuity = 'first' | 'resumed' | 'renewed';

/** How far the reliable messages of an epoch have been taken (SPEC.md R). */
export class Session {
  private player: string | undefined;
  private guestToken: string | undefined;
  private place: StoredSession['session'] | undefined;

  get token(): string | undefined {
    return this.guestToken;
  }

  get epoch(): number {
    return this.place?.epoch ?? 0;
  }

  get offset(): number {
    return this.place?.offset ?? 0;
  }

  restore({ player, token, session }: StoredSession): void {
    this.player = player;
    this.guestToken = token;
    this.place = session;
  }

  stored(): StoredSession | undefined {
    const { player, guestToken, place } = this;
    if (player === undefined || place === undefined) return undefined;
    return {
      player,
      session: { ...place },
      ...(guestToken === undefined ? {} : { token: guestToken }),
    };
  }

  forget(): void {
    this.player = this.guestToken = this.place = undefined;
  }

  hello(): ClientBody<'hello'> {
    return this.place === undefined ? {} : { session: { ...this.place } };
  }

  /** @returns whether anything may have been missed, and whether we are now someone else. */
  welcomed(welcome: Welcome): { continuity: Continuity; playerChanged: boolean } {
    const { place, player } = this;
    this.player = welcome.player;
    this.guestToken = welcome.token ?? this.guestToken;
    const playerChanged = player !== undefined && player !== welcome.player;
    // A gateway that claims to go on from elsewhere has not resumed, whatever it says: a gap would stay unseen.
    const { epoch, offset, session: id } = welcome;
    if (welcome.resumed && place?.id === id && place.epoch === epoch && offset <= place.offset) {
      return { continuity: 'resumed', playerChanged };
    }
    this.place = { id, epoch, offset, nonce: 0 };
    return { continuity: place === undefined ? 'first' : 'renewed', playerChanged };
  }

  judge(offset: number): 'next' | 'duplicate' | 'gap' {
    const expected = this.offset + 1;
    return offset === expected ? 'next' : offset < expected ? 'duplicate' : 'gap';
  }

  took(offset: number, nonce: number): void {
    if (this.place !== undefined) this.place = { ...this.place, offset, nonce };
  }
}

const ACK_EVERY_MS = 50;
const ACK_EVERY_MESSAGES = 32;

/** Acknowledges together what came within 50 ms, or 32 messages at once (SPEC.md R6). */
export class Acks {
  private owed = 0;
  private timer: Timer | undefined;

  constructor(private readonly send: () => void) {}

  owe(): void {
    if (++this.owed >= ACK_EVERY_MESSAGES) return this.flush();
    this.timer ??= setTimeout(() => this.flush(), ACK_EVERY_MS);
  }

  flush(): void {
    const owed = this.owed;
    this.stop();
    if (owed > 0) this.send();
  }

  /** What is owed is acknowledged by the next hello. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.owed = 0;
  }
}

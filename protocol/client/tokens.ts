import type { CloseReason } from './backoff.ts';
import type { Session } from './session.ts';

export type TokenSource = string | (() => string | Promise<string>) | undefined;

/** Which token the next socket brings. */
export class Tokens {
  constructor(
    private readonly source: TokenSource,
    private readonly session: Session,
  ) {}

  async next(): Promise<string | undefined> {
    return typeof this.source === 'function'
      ? await this.source()
      : (this.source ?? this.session.token);
  }

  /** @returns whether the next socket can bring another token, so that a refusal of this one is not final. */
  refused({ name }: CloseReason): boolean {
    if (this.source === undefined && this.session.token !== undefined) {
      // Ours to lose: the guest secret has changed or the token is old, and the player can be a new guest.
      this.session.forget();
      return true;
    }
    return name === 'token_expired' && typeof this.source === 'function';
  }
}

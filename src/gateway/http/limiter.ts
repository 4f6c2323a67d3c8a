import { Refusal } from '../../../protocol/index.ts';
import { Credits } from '../credits.ts';

/** Credits of one HTTP exchange: that of a request on the socket. */
const COST = 10;
const MOST_PLAYERS = 10_000;

/** Credits per player for the jobs API, which has no session to hold them. */
export class Limiter {
  private readonly players = new Map<string, Credits>();

  constructor(private readonly limits: { readonly perSecond: number; readonly burst: number }) {}

  /** @throws Refusal rate_limited */
  take(player: string): void {
    const now = performance.now();
    let credits = this.players.get(player);
    if (credits === undefined) {
      // The oldest entry is forgotten: at worst its player gets a fresh burst.
      const [oldest] = this.players.keys();
      if (this.players.size >= MOST_PLAYERS && oldest !== undefined) this.players.delete(oldest);
      credits = new Credits(this.limits.perSecond, this.limits.burst, now);
      this.players.set(player, credits);
    }
    if (!credits.take(COST, now)) throw new Refusal('rate_limited', undefined, credits.wait(COST));
  }
}

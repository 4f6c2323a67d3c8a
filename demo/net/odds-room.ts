import * as z from 'zod';
import type { Client } from '../../protocol/client/index.ts';
import { type Odds, oddsSchema } from './odds.ts';

/** What is said in the room: that somebody asks a worker just now, or what came of it. */
const said = z.union([z.object({ asks: z.literal(true) }), z.object({ odds: oddsSchema })]);

/** Who said that they ask has so long to say what came of it, ms. */
const ASKING_MS = 4_000;

/**
 * Those who look at one match, so that one forecast serves them all: whoever asks says so in a room of the match, and
 * says what came of it. Nothing but the bar depends on it, so they take each other's word.
 */
export class OddsRoom {
  private readonly room: string;
  private readonly off: () => void;
  private heldUntil = 0;
  private isIn = false;

  /**
   * @param forMs how long a forecast does, ms
   * @param onOdds gets what others asked for
   */
  constructor(
    private readonly client: Client,
    match: string,
    private readonly forMs: number,
    private readonly onOdds: (odds: Odds) => void,
  ) {
    this.room = `odds-${match}`;
    this.off = client.on('said', ({ room, text, player }) => {
      if (room === this.room && !this.isMe(player)) this.hear(text);
    });
    client.ask('join', { room: this.room }).then(
      () => (this.isIn = true),
      () => {},
    );
    // Those who came at the same moment do not ask at the same moment.
    this.heldUntil = performance.now() + Math.random() * 1_000;
  }

  /** Whether this page should ask: nobody else does, or has just now. */
  isFree(now: number): boolean {
    return this.isIn && now >= this.heldUntil;
  }

  asks(): void {
    this.say({ asks: true });
  }

  tell(odds: Odds): void {
    this.say({ odds });
  }

  leave(): void {
    this.off();
    this.client.ask('leave', { room: this.room }).catch(() => {});
  }

  private isMe(player: string): boolean {
    const { state } = this.client;
    return state.name === 'open' && state.player === player;
  }

  private hear(text: string): void {
    const heard = said.safeParse(parse(text));
    if (!heard.success) return;
    const now = performance.now();
    // Not all at once when the time is up.
    this.heldUntil = now + ('odds' in heard.data ? this.forMs : ASKING_MS) + Math.random() * 500;
    if ('odds' in heard.data) this.onOdds(heard.data.odds);
  }

  private say(what: z.input<typeof said>): void {
    this.client.send('say', { room: this.room, text: JSON.stringify(what) });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

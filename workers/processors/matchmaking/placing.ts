import {
  isFresh,
  pickArena,
  type ArenaBeat,
  type Arenas,
  type Fence,
} from '../../../src/match/arenas.ts';
import type { MatchOrder } from '../../../src/match/order.ts';
import type { MatchRecords } from '../../../src/match/records.ts';
import type { FoundFill } from '../../../src/match/ticket.ts';
import { ORDERS_CHANNEL } from '../../../src/relay/keys.ts';
import type { Redis } from '../../../src/lib/redis.ts';

/** `placed`: it is there, for good. `waits`: no arena takes it now. `gone`: never. */
export type Outcome =
  | { readonly is: 'placed'; readonly arena: string }
  | { readonly is: 'waits' }
  | { readonly is: 'gone' };

/** Another pass places the match: this one was paused for so long that it has a successor. */
export class Superseded extends Error {
  override name = 'Superseded';

  constructor(match: string) {
    super(`another pass places ${match}`);
  }
}

/** Arenas that one match asks before it waits for the next pass. */
const ASKED_MAX = 4;

/**
 * Brings matches to arenas, as one pass sees them. The record comes first: whoever goes on after a death reads there
 * which arena was asked, asks it again, and so a match is at one arena however often it is placed. A pass that was
 * paused and replaced is fenced: the arena that it means to ask has been asked by its successor.
 */
export class Placing {
  private beats: ArenaBeat[] = [];
  private readonly opened = new Set<string>();

  constructor(
    private readonly redis: Redis,
    private readonly arenas: Arenas,
    private readonly records: MatchRecords,
    private readonly fence: Fence,
    /** Of the game, as this worker has it. */
    private readonly version: string,
    /** Told of the steps, so that a test can die at each. */
    private readonly at: (step: 'recorded') => void,
  ) {}

  /** Reads which arenas are up. Before anything else. */
  async look(): Promise<void> {
    this.beats = await this.arenas.list();
  }

  /** Has an arena opened where none takes a match, so that it is warm when one is formed. */
  async prepare(game: string, version: string): Promise<void> {
    if (pickArena(this.beats, game, version) !== undefined) return;
    const open = JSON.stringify({ open: { game, version } });
    if (this.opened.has(open)) return;
    this.opened.add(open);
    await this.redis.publish(ORDERS_CHANNEL, open);
  }

  /**
   * @param order equal each time it is called for the match
   * @throws Superseded
   */
  async place(order: MatchOrder): Promise<Outcome> {
    const record = await this.records.find(order.match);
    if (record !== undefined && record.state !== 'waiting') {
      return { is: 'placed', arena: record.arena };
    }
    // Not as fresh as it was, perhaps: but if the match is there, it is nowhere else.
    if (record !== undefined && (await this.ask(record.arena, record.order))) {
      return { is: 'placed', arena: record.arena };
    }
    return await this.placeAnew(record?.order ?? order, record?.arena);
  }

  /**
   * Seats players in a running match. The arena says in the match's record that they are.
   * @param isTold whether the arena is told of them now
   */
  async fill({ seats: [first], tickets }: FoundFill, isTold: boolean): Promise<Outcome> {
    if (first === undefined) return { is: 'gone' };
    const record = await this.records.find(first.match);
    if (record === undefined || record.state === 'over') return { is: 'gone' };
    if (tickets.every(({ player, slot }) => record.seats[slot]?.player === player)) {
      return { is: 'placed', arena: record.arena };
    }
    const ops = tickets.map(({ player, slot }) => {
      return { is: 'seat' as const, match: first.match, slot, seat: { player } };
    });
    // Whether the arena took them or is behind: an earlier pass may have asked already, so the record has to say.
    if (isTold) await this.arenas.feed(record.arena, ops);
    return { is: 'waits' };
  }

  private async placeAnew(order: MatchOrder, last: string | undefined): Promise<Outcome> {
    let from = last;
    const asked = new Set(from === undefined ? [] : [from]);
    while (asked.size <= ASKED_MAX) {
      const others = this.beats.filter(({ arena }) => !asked.has(arena));
      const beat = pickArena(others, order.game, order.version, order.region);
      if (beat === undefined) break;
      asked.add(beat.arena);
      if (!(await this.records.write(order, beat.arena, from))) throw new Superseded(order.match);
      from = beat.arena;
      this.at('recorded');
      if (await this.ask(beat.arena, order)) return { is: 'placed', arena: beat.arena };
    }
    // Whoever formed it may be gone with its version: no arena of that would open ever again.
    if (order.version !== this.version && !this.isUp(order)) return { is: 'gone' };
    await this.prepare(order.game, order.version);
    return { is: 'waits' };
  }

  private isUp({ game, version }: MatchOrder): boolean {
    return this.beats.some((one) => one.game === game && one.version === version && isFresh(one));
  }

  /** @throws Superseded */
  private async ask(arena: string, order: MatchOrder): Promise<boolean> {
    const beat = this.beats.find((one) => one.arena === arena);
    const placing = await this.arenas.place(
      { arena, capacity: beat?.capacity ?? 0 },
      order,
      this.fence,
    );
    switch (placing) {
      case 'placed':
        this.note(arena, 1);
        return true;
      case 'already':
        return true;
      case 'full':
        this.note(arena, Infinity);
        return false;
      case 'closed':
        this.beats = this.beats.filter((one) => one.arena !== arena);
        return false;
      case 'taken':
        // Once in some millions of matches: another arena, or this one when the match of that handle is over.
        return false;
      case 'fenced':
        throw new Superseded(order.match);
    }
  }

  /** Its next beat says so itself, but many matches are placed before that comes. */
  private note(arena: string, more: number): void {
    this.beats = this.beats.map((one) =>
      one.arena === arena ? { ...one, matches: one.matches + more } : one,
    );
  }
}

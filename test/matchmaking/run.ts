import fc from 'fast-check';
import type { QueueName } from '../../protocol/index.ts';
import type { Step } from '../../workers/processors/matchmaking/finishing.ts';
import { Died, type Hall } from './hall.ts';

const PLAYERS = 24;
/** Of tickets: all that a run leaves behind is looked at after it. */
const DEADLINE_MS = 60_000;

/** What may happen between two passes, or to one. */
export type Deed =
  | {
      readonly is: 'enter';
      readonly player: number;
      readonly queue: QueueName;
      readonly mu: number;
      readonly ageMs: number;
    }
  | { readonly is: 'party'; readonly players: readonly number[] }
  | { readonly is: 'leave'; readonly ticket: number }
  | {
      readonly is: 'pass';
      readonly queue: QueueName;
      readonly fatal: Step | undefined;
      readonly after: number;
    }
  | { readonly is: 'tick' }
  | { readonly is: 'end'; readonly match: number }
  | { readonly is: 'arena'; readonly closes: boolean };

const steps = [
  'formed',
  'committed',
  'promised',
  'recorded',
  'placed',
  'kept',
  'settled',
  'told',
] as const satisfies readonly Step[];
const queue = fc.constantFrom<QueueName>('duel', 'knockout');
const player = fc.integer({ min: 0, max: PLAYERS - 1 });

export const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      is: fc.constant('enter' as const),
      player,
      queue,
      mu: fc.constantFrom(20, 25, 32),
      // Old enough for bots.
      ageMs: fc.constantFrom(0, 2_500),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('party' as const),
      players: fc.uniqueArray(player, { minLength: 2, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('leave' as const), ticket: fc.nat(200) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constant('pass' as const),
      queue,
      fatal: fc.option(fc.constantFrom(...steps), { nil: undefined }),
      after: fc.nat(6),
    }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('tick' as const) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('end' as const), match: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('arena' as const), closes: fc.boolean() }) },
);

export interface RunTicket {
  readonly player: string;
  readonly id: string;
  readonly queue: QueueName;
  readonly mu: number;
  readonly party: string | undefined;
  left: boolean;
}

/** What happens in one run, and what came of it. */
export class Run {
  readonly tickets: RunTicket[] = [];
  readonly over = new Set<string>();
  private arenas = 0;
  private open: string[] = [];

  constructor(private readonly hall: Hall) {}

  async do(one: Deed): Promise<void> {
    const { ledger } = this.hall;
    switch (one.is) {
      case 'enter':
        await this.hall.rate(`p${one.player}`, one.mu);
        await this.enter(`p${one.player}`, one.queue, { ageMs: one.ageMs });
        break;
      case 'party': {
        const party = `party-of-${this.tickets.length}`;
        for (const member of one.players) {
          await this.enter(`p${member}`, 'knockout', {
            party: { id: party, size: one.players.length },
          });
        }
        break;
      }
      case 'leave': {
        const ticket = this.tickets[one.ticket % Math.max(1, this.tickets.length)];
        if (ticket === undefined || ticket.left) break;
        ticket.left = (await this.hall.pool.withdraw(ticket.queue, ticket)) === 'left';
        break;
      }
      case 'pass': {
        let until = one.after;
        let isDead = false;
        await this.hall.pass(one.queue, (step) => {
          isDead ||= step === one.fatal && until-- === 0;
          if (isDead) throw new Died();
        });
        break;
      }
      case 'tick':
        await ledger.tick();
        break;
      case 'end': {
        const running = this.created().filter((match) => !this.over.has(match));
        const match = running[one.match % Math.max(1, running.length)];
        if (match === undefined) break;
        await ledger.end(match);
        this.over.add(match);
        break;
      }
      case 'arena': {
        // Only one that hosts nothing closes; a new one is small, so that many are asked.
        const [oldest] = this.open;
        if (one.closes && oldest !== undefined && (await ledger.isEmpty(oldest))) {
          await ledger.close(oldest);
          this.open = this.open.slice(1);
        }
        const name = `arena-${this.arenas++}`;
        this.open.push(name);
        await ledger.beat(name, 3);
      }
    }
  }

  created(): string[] {
    return this.hall.ledger.created.map(({ match }) => match);
  }

  private async enter(
    name: string,
    to: QueueName,
    { party, ageMs = 0 }: { party?: { id: string; size: number }; ageMs?: number },
  ): Promise<void> {
    const id = `t${this.tickets.length}`;
    const asked = { queue: to, regions: { ams: 20 }, ...(party !== undefined && { party }) };
    await this.hall.enter(name, asked, { id, ageMs, deadlineMs: DEADLINE_MS });
    const { mu } = await this.hall.rating(name);
    this.tickets.push({ player: name, id, queue: to, mu, party: party?.id, left: false });
  }
}

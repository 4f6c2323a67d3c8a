import {
  encodeFrame,
  serverMessages,
  type MatchQueue,
  type ProgressOf,
  type QueueName,
} from '../../../protocol/index.ts';
import { PASS_INTERVAL_MS } from '../../../src/jobs/pass.ts';
import type { Redis } from '../../../src/lib/redis.ts';
import { ticketName, type Ticket } from '../../../src/match/ticket.ts';
import { poolKeys } from '../../../src/relay/keys.ts';
import { expire, fail, type Desk } from './finishing.ts';
import type { Looking } from './looking.ts';

/** A ticket hears of its place this often at most, ms, and is looked after then. */
const REPORT_MS = 2_000;
/** Of one pass; with more tickets each hears less often. */
const REPORTS_MAX = 400;
/** How much the newest waits count in the estimate. */
const NEWEST_SHARE = 0.2;
/** An estimate made of older waits says nothing, ms. */
const ESTIMATE_TTL_MS = 600_000;

/** What passes over a queue tell each other. */
interface Memory {
  /** When the last pass reported, ms since 1970. */
  readonly last: number;
  /** Of those who were matched lately, ms. */
  readonly wait: number | undefined;
}

/** Those who wait on after a pass: they hear of their place, and some are looked after. */
export class WaitingRoom {
  private readonly key: string;

  constructor(
    private readonly redis: Redis,
    private readonly queue: MatchQueue<QueueName>,
    private readonly desk: Desk,
    private readonly looking: Looking,
  ) {
    this.key = poolKeys(queue.name).state;
  }

  /**
   * @param tickets all that wait on
   * @param together how many of a party wait, by the name of each ticket of one that is not complete
   * @returns how many of them left
   */
  async tend(
    tickets: readonly Ticket[],
    together: ReadonlyMap<string, number>,
    now: number,
  ): Promise<number> {
    const memory = await this.recall(now);
    const oldestFirst = tickets.toSorted((a, b) => a.at - b.at);
    const positions = new Map(oldestFirst.map((one, at) => [one, at + 1] as const));
    let gone = 0;
    await Promise.all(
      dueOf(oldestFirst, memory.last, now).map(async (one) => {
        const party = together.get(ticketName(one));
        const value: ProgressOf<'matchmake'> = {
          waiting: tickets.length,
          position: positions.get(one) ?? 1,
          ...(party === undefined ? this.estimate(one, memory, now) : { together: party }),
        };
        if (!(await this.keep(one, now, progressFrame(one, value, now)))) gone++;
      }),
    );
    return gone;
  }

  /** @returns whether the ticket may be matched; one that may not has left */
  async keep(one: Ticket, now: number, report?: Uint8Array): Promise<boolean> {
    const { desk, queue } = this;
    // Settled first: who dies in between leaves a ticket behind whose request has ended, and that is found so.
    switch (await this.looking.look(one, now, report)) {
      case 'stays':
        return true;
      case 'busy':
        if (!(await desk.promises.isBusy(one.player))) return true;
        await fail(desk, one, 'in_match');
        break;
      case 'absent':
        await fail(desk, one, 'absent');
        break;
      case 'ended':
        // A resend that was under way when its ticket was matched and told puts it in once more: whoever met it
        // would wait for an opponent who plays elsewhere.
        break;
    }
    await desk.pool.withdraw(queue.name, one);
    return false;
  }

  async expire(one: Ticket): Promise<void> {
    await expire(this.desk, one);
    await this.desk.pool.withdraw(this.queue.name, one);
  }

  async dismiss(one: Ticket): Promise<void> {
    await fail(this.desk, one, 'party_mismatch');
    await this.desk.pool.withdraw(this.queue.name, one);
  }

  /** @param waits of those who were just matched, ms */
  async learn(waits: readonly number[], now: number): Promise<void> {
    if (waits.length === 0) return;
    const { wait } = await this.recall(now);
    const mean = waits.reduce((sum, one) => sum + one, 0) / waits.length;
    const next = wait === undefined ? mean : wait + (mean - wait) * NEWEST_SHARE;
    await this.redis.hset(this.key, 'wait', Math.round(next), 'waitAt', now);
  }

  /** The pass is over: the next one reports to whom it is due since. */
  async remember(now: number): Promise<void> {
    await this.redis.hset(this.key, 'last', now);
  }

  private async recall(now: number): Promise<Memory> {
    const [last, wait, at] = await this.redis.hmget(this.key, 'last', 'wait', 'waitAt');
    const isFresh = wait !== null && Number(at) > now - ESTIMATE_TTL_MS;
    return { last: Number(last ?? 0), wait: isFresh ? Number(wait) : undefined };
  }

  private estimate({ at }: Ticket, { wait }: Memory, now: number): { estimateMs?: number } {
    const { botsAfterMs = Infinity } = this.queue;
    const whole = Math.min(wait ?? Infinity, botsAfterMs);
    // Who has waited for longer than most cannot be told for how long it will be.
    return whole > now - at && whole < Infinity ? { estimateMs: Math.round(at + whole - now) } : {};
  }
}

/** A report is due every REPORT_MS of a ticket's own wait, or every so often as a pass can report to all. */
function dueOf(tickets: readonly Ticket[], last: number, now: number): readonly Ticket[] {
  const perPeriod = REPORTS_MAX * (REPORT_MS / PASS_INTERVAL_MS);
  const period = REPORT_MS * Math.max(1, Math.ceil(tickets.length / perPeriod));
  const periods = (at: number, then: number): number => Math.floor((then - at) / period);
  const due = tickets.filter(({ at }) => at > last || periods(at, now) > periods(at, last));
  if (due.length <= REPORTS_MAX) return due;
  // Any of them, or the same ones would be passed over each time.
  const from = Math.floor(Math.random() * due.length);
  return [...due.slice(from), ...due.slice(0, from)].slice(0, REPORTS_MAX);
}

/** Reports of one ticket are numbered by its age, so no pass has to remember a number. */
function progressFrame(
  { id, at }: Ticket,
  value: ProgressOf<'matchmake'>,
  now: number,
): Uint8Array {
  const seq = 1 + Math.max(0, Math.floor((now - at) / 10));
  return encodeFrame(serverMessages.progress, { id, attempt: 1, seq, value });
}

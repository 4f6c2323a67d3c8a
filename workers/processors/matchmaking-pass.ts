import { kinds, type End } from '../../protocol/index.ts';
import { Admission } from '../../src/jobs/admission.ts';
import { passData } from '../../src/jobs/pass.ts';
import { Pool, type FoundMatch, type Ticket } from '../../src/jobs/pool.ts';
import { VERDICT } from '../../src/jobs/records.ts';
import { jobId } from '../../src/relay/keys.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { randomId } from '../../src/lib/ids.ts';
import type { Place } from '../held.ts';
import { formMatches, queueRules } from './matchmake-core.ts';

/**
 * One pass over the pool of one queue. A pass that dies at any step is run again and goes on where it was: found
 * matches whose players were not all told come first, and a ticket is in the pool or in one found match, never both.
 * @returns how many tickets still wait
 */
export async function matchmakingPass(data: unknown, redis: Redis, place: Place): Promise<number> {
  const { queue } = passData.parse(data);
  const pool = new Pool(redis);
  const admission = new Admission(redis);
  const tell = teller(pool, admission, place);
  for (const match of await pool.untold(queue)) await tell(match);

  const waiting = await pool.waiting(queue);
  const now = Date.now();
  const late = waiting.filter(({ deadline }) => deadline <= now);
  await Promise.all(
    late.map(async (ticket) => await expire(ticket, queue, pool, admission, place)),
  );
  const tickets = waiting.filter(({ deadline }) => deadline > now);
  const byName = new Map(tickets.map((ticket) => [nameOf(ticket), ticket]));
  const formed = formMatches(
    tickets.map((ticket) => ({
      id: nameOf(ticket),
      members: [{ player: ticket.player, ...ticket.rating }],
      enqueuedAtMs: ticket.at,
      regions: ticket.regions,
    })),
    queueRules[queue],
    now,
  );
  const seats = formed.matches.map(({ teams }) =>
    teams.flat().map((id) => byName.get(id) as Ticket),
  );
  const over = await sweep(seats.flat(), queue, pool, place);
  let left = tickets.length - over.size;
  for (const [at, { teams, region, quality }] of formed.matches.entries()) {
    const seated = seats[at] ?? [];
    if (seated.some((ticket) => over.has(ticket))) continue;
    const match: FoundMatch = {
      tickets: seated,
      result: {
        match: randomId(12),
        queue,
        region,
        teams: teams.map((team) => team.map((id) => (byName.get(id) as Ticket).player)),
        quality,
      },
    };
    if (!(await pool.commit(match))) continue;
    left -= seated.length;
    await tell(match);
  }
  return left;
}

/** Its gateway says so too, unless that is gone: then nobody else would, and the passes would go on for ever. */
async function expire(
  { player, id }: Ticket,
  queue: string,
  pool: Pool,
  admission: Admission,
  place: Place,
): Promise<void> {
  if ((await pool.withdraw(queue, player, id)) !== 'left') return;
  const end: End = { id, kind: 'matchmake', state: 'expired', attempt: 0 };
  await place.records.settle({ player, id }, VERDICT, end);
  await admission.left(kinds.matchmake, jobId(player, id));
}

/**
 * Takes out tickets whose requests have ended. There are such: a resend that was under way when its ticket was matched
 * and told puts it in once more, and whoever met it would wait for an opponent who plays elsewhere.
 * @returns the ones that were taken out
 */
async function sweep(
  seated: readonly Ticket[],
  queue: string,
  pool: Pool,
  place: Place,
): Promise<Set<Ticket>> {
  const records = await Promise.all(seated.map(async (one) => await place.records.find(one)));
  const over = seated.filter((_, at) => records[at] === undefined || records[at].end !== undefined);
  await Promise.all(over.map(async ({ player, id }) => await pool.withdraw(queue, player, id)));
  return new Set(over);
}

function teller(
  pool: Pool,
  admission: Admission,
  place: Place,
): (match: FoundMatch) => Promise<void> {
  return async (match) => {
    await Promise.all(
      match.tickets.map(async ({ player, id }) => {
        const end: End = { id, kind: 'matchmake', state: 'done', result: match.result, attempt: 1 };
        await place.records.settle({ player, id }, VERDICT, end);
        await admission.left(kinds.matchmake, jobId(player, id));
      }),
    );
    await pool.told(match);
  };
}

function nameOf({ player, id }: Ticket): string {
  return `${player}/${id}`;
}

import { kinds, type End } from '../../protocol/index.ts';
import { Admission } from '../../src/jobs/admission.ts';
import { passData } from '../../src/jobs/matchmaking.ts';
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
  const tell = teller(pool, redis, place);
  for (const match of await pool.untold(queue)) await tell(match);

  const tickets = await pool.waiting(queue);
  const byName = new Map(tickets.map((ticket) => [nameOf(ticket), ticket]));
  const formed = formMatches(
    tickets.map((ticket) => ({
      id: nameOf(ticket),
      members: [{ player: ticket.player, ...ticket.rating }],
      enqueuedAtMs: ticket.at,
      regions: ticket.regions,
    })),
    queueRules[queue],
    Date.now(),
  );
  let left = tickets.length;
  for (const { teams, region, quality } of formed.matches) {
    const seated = teams.flat().map((id) => byName.get(id) as Ticket);
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

function teller(pool: Pool, redis: Redis, place: Place): (match: FoundMatch) => Promise<void> {
  const admission = new Admission(redis);
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

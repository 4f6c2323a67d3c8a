/**
 * Entry of an arena lane child. BullMQ forks it on its core; it takes one arena at a time and hosts its matches until
 * nobody is there. Its worker hears from it many times a second, and ends it when it does not.
 */
import type { SandboxedJob } from 'bullmq';
import * as z from 'zod';
import { openNotes } from '../../src/history/notes.ts';
import { readConfigOrExit } from '../../src/lib/config.ts';
import { Counters } from '../../src/lib/counters.ts';
import { createLog } from '../../src/lib/log.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { arenaKeys } from '../../src/relay/keys.ts';
import { Ratings } from '../../src/match/ratings.ts';
import { MatchRecords } from '../../src/match/records.ts';
import { Replays } from '../../src/match/replays.ts';
import { beatsOf, leave } from '../arena-lane/words.ts';
import { playableGame, playableGames } from '../games/index.ts';
import { Arena } from './arena.ts';
import { BLOCK_MS } from './inbox.ts';
import { settleMatch } from './settle.ts';
import { Damaged } from './stepper.ts';
import { WarmUp } from './warm.ts';

/** How often the worker hears that this process lives, ms. */
const BEAT_MS = 100;
/** A command without an answer for so long has lost its connection, ms: arenas stand still meanwhile. */
const SILENCE_MS = 3_000;
/** Of a process whose shared memory may be broken. */
const EXIT_DAMAGED = 70;

const jobData = z.object({ arena: z.string(), game: z.string(), version: z.string() });
const fromParent = z.object({ cmd: z.literal(leave.cmd), is: z.literal(leave.is) });

const config = readConfigOrExit('worker');
const core = process.env['MUSTER_CORE'];
const worker = process.env['MUSTER_WORKER'] ?? 'alone';
const log = createLog(config.LOG_LEVEL, { role: 'arena', worker, core });
const connect = (role: string, silenceMs: number) =>
  connectRedis(
    config.REDIS_URL,
    `${role}-${worker}-${core ?? 'any'}`,
    (error) => log.warn('redis', { error: error.message }),
    silenceMs,
  );
const redis = connect('arena', SILENCE_MS);
const counters = new Counters();
const history = openNotes(redis, config, counters);
const records = new MatchRecords(redis, history);
const replays = new Replays(redis, config);
const ratings = new Ratings(redis, history);
const count = counters.add.bind(counters);
const nextBeat = beatsOf(counters);

/** The one that runs. */
let running: Arena | undefined;
process.on('message', (message: unknown) => {
  if (fromParent.safeParse(message).success) running?.leave();
});
// The parent's end takes this process along: without it a killed worker would leave children behind.
process.on('disconnect', () => process.exit(0));

const all = playableGames(config.DRILLS);
await Promise.all([redis.ping(), ...all.map(async (game) => await game.prepare())]);
// Not awaited: an arena whose process died does not wait for its successor to be quick.
const warming = new WarmUp(all, config.ARENA_WARM_MS);

export default async function host(job: SandboxedJob): Promise<void> {
  const { arena, game: name, version } = jobData.parse(job.data);
  const game = playableGame(name, config.DRILLS);
  if (game === undefined || game.version !== version) {
    throw new Error(`this worker does not run ${name} ${version}`);
  }
  const beat = setInterval(() => process.send?.(nextBeat()), BEAT_MS);
  try {
    // Nobody waits for an arena's first term but matches that have not begun.
    if ((await redis.hexists(arenaKeys(arena).meta, 'term')) === 1) warming.stop();
    await warming.done;
    running = new Arena({
      arena,
      game,
      redis,
      connect: () => connect('arena-inbox', BLOCK_MS + SILENCE_MS),
      records,
      settle: async (over) =>
        await settleMatch(
          { redis, records, replays, ratings, ttlMs: config.MATCH_TTL_MS, count },
          over,
        ),
      place: {
        worker,
        core: core === undefined ? null : Number(core),
        pid: process.pid,
        ...(config.REGION !== undefined && { region: config.REGION }),
      },
      capacity: config.ARENA_MATCHES,
      idleMs: config.ARENA_IDLE_MS,
      counters,
      log,
    });
    await running.run();
    await history.flush();
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    log.fatal('process damaged', { error });
    process.exit(EXIT_DAMAGED);
  } finally {
    clearInterval(beat);
    running = undefined;
  }
}

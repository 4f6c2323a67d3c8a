import type { Log } from '../../src/lib/log.ts';
import type { AnyGame } from '../games/contract.ts';
import { decodeEntry } from './entry.ts';
import { failureOf, HostedMatch, type Failure } from './hosted.ts';
import type { Journal, Takeover } from './journal.ts';
import { Logged, matchOf, replay } from './logged.ts';
import { attempt, attempts, Damaged, timersRun, type Failed } from './stepper.ts';

/** One match's restoring and its steps of about a second, ms: far below what its parent takes for silence. */
const REPLAY_LIMIT_MS = 150;
/** Then whoever waits for this process hears from it. */
const TURN_MS = 20;

export interface RecoveredMatch {
  readonly hosted: HostedMatch;
  /** Undefined: it was made by a log entry. */
  readonly checkpoint: Buffer | undefined;
  /** Of the newest entry that the checkpoint contains. */
  readonly n: number;
  readonly failure: Failure | undefined;
  /** Whether its checkpoint says already that it is over. */
  readonly isFinal: boolean;
  /** Whether entries after the checkpoint changed what its record says: nobody may have heard of that. */
  readonly isNews: boolean;
}

export interface Recovered {
  readonly entries: readonly Logged[];
  readonly matches: readonly RecoveredMatch[];
}

export interface RecoveryParts {
  readonly journal: Journal;
  readonly game: AnyGame;
  readonly log: Log;
}

/** A match as its predecessor had it for certain. */
interface Prepared {
  readonly hosted: HostedMatch;
  readonly isNews: boolean;
}

/** What a match can be made from. */
interface Source {
  readonly match: string;
  readonly checkpoint: Buffer | undefined;
  /** Entries of its group that it does not contain. */
  readonly entries: readonly Logged[];
  make(simulate: boolean): HostedMatch;
  readonly n: number;
  readonly isOver: boolean;
}

/**
 * Brings an arena's matches to where its log ends: the newest checkpoints, and the entries after them stepped again.
 *
 * Only the last entries, those that the predecessor may not have survived, can hold what ends a process. While a match
 * is given those, its name lies in `meta`: whoever finds it there knows what the predecessor died of.
 * @throws Damaged, Fenced, Gone
 */
export async function recover(parts: RecoveryParts, takeover: Takeover): Promise<Recovered> {
  const { journal } = parts;
  const { entries: stored, checkpoints } = await journal.load();
  const entries = stored.map(({ n, bytes }) => new Logged(n, decodeEntry(bytes)));
  const survived = entries.at(-1)?.entry.stepped ?? 0;
  const crumbs = new Crumbs(journal);
  const sources = [...sourcesOf(parts.game, entries, checkpoints, takeover.places)];
  const sound = sources.filter((one) => !takeover.bad.has(one.match) && !isOut(one));
  const prepared = await prepare(parts.game, sound, survived);
  const matches: RecoveredMatch[] = [];
  let turnedAt = performance.now();
  for (const source of sources) {
    const isBad = takeover.bad.has(source.match);
    matches.push(await restore(parts, source, isBad, survived, crumbs, prepared));
    if (performance.now() - turnedAt < TURN_MS) continue;
    await timersRun();
    turnedAt = performance.now();
  }
  await crumbs.done();
  return { entries, matches };
}

/**
 * Brings matches to where their predecessor had them for certain, many under one limit: to set one up for each would
 * take half of the time that a recovery takes.
 * @returns those with which it went well
 * @throws Damaged
 */
async function prepare(
  game: AnyGame,
  sources: readonly Source[],
  survived: number,
): Promise<Map<string, Prepared>> {
  const prepared = new Map<string, Prepared>();
  let at = 0;
  const work = (): void => {
    const until = performance.now() + TURN_MS;
    for (; at < sources.length && performance.now() < until; at++) {
      const source = sources[at] as Source;
      const hosted = source.make(true);
      let isNews = false;
      for (const logged of source.entries) {
        if (logged.n <= survived && replay(hosted, logged)) isNews = true;
      }
      prepared.set(source.match, { hosted, isNews });
    }
  };
  while (at < sources.length) {
    // Whichever it was is tried again alone.
    if (prepareSome(game, work) !== undefined) at++;
    await timersRun();
  }
  return prepared;
}

function prepareSome(game: AnyGame, work: () => void): Failed | undefined {
  try {
    return attempt(game, '', REPLAY_LIMIT_MS, work);
  } catch (error) {
    // These steps were survived before: whoever was at it when the process was not let compute is not to blame.
    if (error instanceof Damaged) throw new Damaged(undefined, error);
    throw error;
  }
}

/** What was taken out stays so; its last steps are nothing to try again. */
function isOut({ match, entries }: Source): boolean {
  return entries.some(({ entry }) =>
    entry.ops.some((op) => op.is === 'fail' && matchOf(op) === match),
  );
}

/** Breadcrumbs: each leaves this process at once, and nobody waits for its answer before the end. */
class Crumbs {
  private readonly answers: Promise<void>[] = [];
  private failure: unknown;

  constructor(private readonly journal: Journal) {}

  leave(match: string | undefined): void {
    this.answers.push(
      this.journal.crumb(match).catch((error: unknown) => {
        this.failure = error;
      }),
    );
  }

  async done(): Promise<void> {
    await Promise.all(this.answers);
    if (this.failure !== undefined) throw this.failure as Error;
  }
}

function* sourcesOf(
  game: AnyGame,
  entries: readonly Logged[],
  checkpoints: ReadonlyMap<string, Buffer>,
  places: ReadonlySet<string>,
): Generator<Source> {
  for (const [match, checkpoint] of checkpoints) {
    if (!places.has(match)) continue;
    const read = readable(checkpoint, game);
    // It keeps its place and nothing else, which is how what is lost is found (arena.ts).
    if (read === undefined) continue;
    const { hosted, n } = read;
    yield {
      match,
      checkpoint,
      n,
      entries: entries.filter((one) => one.entry.group === hosted.group && one.n > n),
      isOver: hosted.state === 'over',
      make: (simulate) => HostedMatch.restore(checkpoint, game, simulate).hosted,
    };
  }
  const made = new Set(checkpoints.keys());
  for (const { n, entry } of entries) {
    for (const op of entry.ops) {
      if (op.is !== 'create' || made.has(op.order.match) || !places.has(op.order.match)) continue;
      const { order } = op;
      const { group } = entry;
      made.add(order.match);
      yield {
        match: order.match,
        checkpoint: undefined,
        n: n - 1,
        entries: entries.filter((one) => one.entry.group === group && one.n >= n),
        isOver: false,
        make: (simulate) =>
          simulate
            ? HostedMatch.create(order, game, group)
            : HostedMatch.broken(order, game, group),
      };
    }
  }
}

function readable(
  checkpoint: Buffer,
  game: AnyGame,
): ReturnType<typeof HostedMatch.restore> | undefined {
  try {
    return HostedMatch.restore(checkpoint, game, false);
  } catch {
    return undefined;
  }
}

async function restore(
  { game, journal, log }: RecoveryParts,
  source: Source,
  isBad: boolean,
  survived: number,
  crumbs: Crumbs,
  prepared: ReadonlyMap<string, Prepared>,
): Promise<RecoveredMatch> {
  const { match, checkpoint, n, entries, isOver } = source;
  let isNews = checkpoint === undefined || prepared.get(match)?.isNews === true;
  const play = (hosted: HostedMatch, logged: Logged): void => {
    if (replay(hosted, logged)) isNews = true;
  };
  const about = { checkpoint, n, isFinal: isOver };
  const broken = (failure: Failure | undefined): RecoveredMatch => {
    const hosted = source.make(false);
    for (const logged of entries) play(hosted, logged);
    log.error('match not restored', { match, ...failure });
    return { ...about, isNews, hosted, failure };
  };
  if (isOut(source)) return broken(undefined);
  if (isBad) return broken({ code: 'quarantined', message: 'its simulation ended its process' });

  const safe = entries.filter((one) => one.n <= survived);
  const suspicious = entries.filter((one) => one.n > survived);
  const finish = (hosted: HostedMatch): Failed | undefined => {
    if (suspicious.length === 0 || hosted.state === 'over') return undefined;
    crumbs.leave(match);
    const failed = attempt(game, match, REPLAY_LIMIT_MS, () => {
      for (const logged of suspicious) play(hosted, logged);
    });
    crumbs.leave(undefined);
    return failed;
  };
  const simulate = (keep: (hosted: HostedMatch) => void): Failed | undefined => {
    const begun: HostedMatch[] = [];
    const failed = attempt(game, match, REPLAY_LIMIT_MS, () => {
      const hosted = source.make(true);
      for (const logged of safe) play(hosted, logged);
      begun.push(hosted);
    });
    const [hosted] = begun;
    if (hosted === undefined) return failed;
    keep(hosted);
    return finish(hosted);
  };
  try {
    const first = prepared.get(match)?.hosted;
    if (first !== undefined) {
      if (finish(first) === undefined)
        return { ...about, isNews, hosted: first, failure: undefined };
      await timersRun();
    }
    let done = attempts(simulate);
    if ('error' in done && first === undefined) {
      await timersRun();
      done = attempts(simulate);
    }
    if ('made' in done) return { ...about, isNews, hosted: done.made, failure: undefined };
    log.error('match not simulated', { match, error: done.error });
    return broken(failureOf(done.error));
  } catch (error) {
    // Where it is not certain who is to blame the breadcrumb stays, and counts as the death that this is. On a core that
    // others take half of, a match would cost process after process otherwise.
    if (error instanceof Damaged && error.culprit !== undefined) await journal.condemn(match);
    else await crumbs.done();
    throw error;
  }
}

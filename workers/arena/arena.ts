import type { Counters } from '../../src/lib/counters.ts';
import type { Log } from '../../src/lib/log.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { ARENA_BEAT_MS, type ArenaBeat } from '../../src/match/arenas.ts';
import type { MatchRecords } from '../../src/match/records.ts';
import { HANDED_OVER } from '../arena-lane/words.ts';
import type { AnyGame } from '../games/contract.ts';
import { Endings } from './endings.ts';
import { Group, type GroupContext } from './group.ts';
import { Hosting } from './hosting.ts';
import { Inbox } from './inbox.ts';
import { Gone, Journal, type Takeover } from './journal.ts';
import { Lateness } from './lateness.ts';
import { Ledger } from './ledger.ts';
import { recover } from './recovery.ts';
import { GROUPS, Schedule } from './schedule.ts';
import type { Over, Settled } from './settle.ts';
import { Snapshots } from './snapshots.ts';
import { Damaged } from './stepper.ts';
import { Tidings } from './tidings.ts';

/** The arena goes on elsewhere: its job is tried again. */
export class HandedOver extends Error {
  override name = HANDED_OVER;
}

/** Windows of lateness are this long, ms. */
const WINDOW_MS = 5_000;
/** Entries of the input that are consumed without a word of it in the log. */
const INPUT_DUE = 512;
/** What is lost has this long to be settled before the process gives up, ms. */
const LOSING_MS = 2_000;
const LOOK_MS = 100;

export interface ArenaParts {
  readonly arena: string;
  readonly game: AnyGame;
  readonly redis: Redis;
  /** A further connection, which the arena ends. */
  readonly connect: () => Redis;
  readonly records: MatchRecords;
  readonly settle: (over: Over) => Promise<Settled>;
  /** Who runs it. */
  readonly place: Pick<ArenaBeat, 'worker' | 'core' | 'pid' | 'region'>;
  readonly capacity: number;
  /** How long it stays up without a match, ms. */
  readonly idleMs: number;
  readonly counters: Counters;
  readonly log: Log;
}

/** Hosts the matches of one arena, from where its predecessor stopped, until it is empty, fenced or handed over. */
export class Arena {
  /** How late ticks began, of the last seconds. */
  private readonly lateness = new Lateness();
  private readonly journal: Journal;
  private readonly snapshots: Snapshots;
  private readonly tidings: Tidings;
  private readonly endings: Endings;
  private readonly ledger: Ledger;
  private readonly schedule: Schedule;
  private readonly groups: readonly Group[];
  private readonly matches = new Map<string, Hosting>();
  private readonly handles = new Map<number, Hosting>();
  private inbox: Inbox | undefined;
  private readonly timers: NodeJS.Timeout[] = [];
  private emptySince = performance.now();
  private isClosing = false;
  private isLeaving = false;
  private isStopped = false;
  private ended: ((error?: Error) => void) | undefined;

  constructor(private readonly parts: ArenaParts) {
    const { arena, redis, records, settle, game, counters, log } = parts;
    const fail = (error: unknown): void => this.fail(error);
    this.journal = new Journal(redis, arena);
    this.snapshots = new Snapshots({
      redis,
      counters,
      onGone: (gateway) => this.forget(gateway),
      onError: (error) => log.warn('not published', { error }),
    });
    const { snapshots, journal } = this;
    this.tidings = new Tidings({
      records,
      snapshots,
      log,
      arena,
      term: () => journal.term,
      onElsewhere: (hosting) => this.giveUp(hosting),
    });
    this.endings = new Endings({
      game,
      journal,
      records,
      settle,
      snapshots,
      counters,
      log,
      reset: async () => await this.ledger.reset(true),
      onDropped: (hosting, over) => this.remove(hosting, over),
      onError: fail,
    });
    this.ledger = new Ledger({
      journal,
      groups: () => this.groups,
      hostings: () => this.matches.values(),
      positions: () => this.inbox?.positions,
      dropping: () => this.endings.dropping,
      settleAgain: async (over) => await this.endings.again(over),
      tell: (hosting) => this.tidings.tell(hosting),
      log,
    });
    this.schedule = new Schedule({
      tickMs: 1_000 / game.tickRate,
      tick: (group) => this.tick(group),
      onStart: (lateMs) => this.lateness.add(lateMs),
      onMissed: (ticks) => this.missed(ticks),
    });
    this.groups = Array.from({ length: GROUPS }, (_, i) => new Group(i, this.context()));
  }

  get term(): number {
    return this.journal.term;
  }

  /** Matches that have a place here. */
  get size(): number {
    return this.matches.size + (this.inbox?.creating.size ?? 0);
  }

  /** Whether it ticks. */
  get isUp(): boolean {
    return this.inbox !== undefined && !this.isStopped;
  }

  /** Of a match that is hosted here: for tests. */
  stateOf(match: string): { readonly tick: number; readonly hash: number } | undefined {
    const hosted = this.matches.get(match)?.hosted;
    if (hosted?.sim === undefined) return undefined;
    return { tick: hosted.tick, hash: hosted.sim.hash() };
  }

  /**
   * Resolves when the arena is empty and closed.
   * @throws Fenced when a successor has begun, Gone when the store has lost it, Damaged when this process has to end,
   * HandedOver after `leave`
   */
  async run(): Promise<void> {
    const { log } = this.parts;
    const began = performance.now();
    const takeover = await this.journal.takeOver();
    if (takeover === undefined) return;
    const ended = new Promise<void>((resolve, reject) => {
      this.ended = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Whoever fails first has the word; until then nobody listens.
    ended.catch(() => undefined);
    try {
      await this.restore(takeover);
      const ms = Math.round(performance.now() - began);
      log.info('arena up', { term: this.term, matches: this.matches.size, ms });
      this.start(takeover);
      await ended;
    } catch (error) {
      if (error instanceof Damaged && error.culprit !== undefined) {
        await this.journal.condemn(error.culprit).catch(() => undefined);
      }
      if (error instanceof Gone) await this.lose();
      throw error;
    } finally {
      this.stop();
    }
  }

  /** Checkpoints everything and ends with HandedOver, so that a successor goes on without a log to replay. */
  leave(): void {
    // One that is not up yet has nothing to write, and would write that.
    if (this.inbox === undefined || this.isLeaving || this.isStopped) return;
    this.isLeaving = true;
    this.schedule.stop();
    this.ledger.reset().then(
      () => this.ended?.(new HandedOver(`arena ${this.parts.arena} goes on elsewhere`)),
      (error: unknown) => this.fail(error),
    );
  }

  /** Ends everything where it stands, without a further write: what a killed process leaves. */
  stop(): void {
    this.halt();
    for (const timer of this.timers) clearInterval(timer);
    this.ended?.(new Error('stopped'));
    for (const { hosted } of this.matches.values()) hosted.free();
    this.matches.clear();
    this.handles.clear();
    for (const group of this.groups) group.hostings = [];
  }

  private async restore(takeover: Takeover): Promise<void> {
    const { game, log } = this.parts;
    const { entries, matches } = await recover({ journal: this.journal, game, log }, takeover);
    this.ledger.begin(takeover);
    for (const group of this.groups) {
      group.recent = entries.filter(({ entry }) => entry.group === group.index);
      group.newest = group.recent.at(-1)?.n ?? 0;
    }
    for (const { hosted, checkpoint, n, failure, isFinal, isNews } of matches) {
      const group = this.groups[hosted.group] as Group;
      const hosting = new Hosting(hosted, group.nextTurn(), n);
      hosting.checkpoint = checkpoint;
      hosting.trouble = failure;
      hosting.isFinal = isFinal;
      group.hostings.push(hosting);
      this.add(hosting);
      if (isFinal) this.endings.end(hosting);
      // Not only for what it says: from now on its predecessor's word is not taken.
      else this.tidings.tell(hosting, isNews || failure !== undefined);
    }
  }

  private start(takeover: Takeover): void {
    const { connect, counters, log } = this.parts;
    const { journal, groups } = this;
    this.inbox = new Inbox({
      reader: connect(),
      key: journal.keys.input,
      pos: takeover.pos,
      newest: takeover.newestInput,
      places: takeover.places,
      groups,
      byMatch: (match) => this.matches.get(match),
      byHandle: (handle) => this.handles.get(handle),
      counters,
      log,
      onError: (error) => this.fail(error),
      onCaughtUp: () => this.miss(takeover.places),
    });
    this.inbox.start();
    this.schedule.start();
    this.emptySince = performance.now();
    this.beat();
    this.every(ARENA_BEAT_MS, () => this.beat());
    this.every(WINDOW_MS, () => this.lateness.turn());
    this.every(LOOK_MS, () => this.look());
  }

  private every(ms: number, work: () => void): void {
    this.timers.push(setInterval(work, ms));
  }

  private context(): GroupContext {
    const { game, counters, log } = this.parts;
    const { journal, snapshots } = this;
    return {
      game,
      snapshots,
      counters,
      log,
      get term() {
        return journal.term;
      },
      hostings: {
        byMatch: (match) => this.matches.get(match),
        byHandle: (handle) => this.handles.get(handle),
        add: (hosting) => this.add(hosting),
      },
      isInputDue: () => (this.inbox?.positions.countUnlogged() ?? 0) >= INPUT_DUE,
      write: async (group, entry, saved) => await this.ledger.write(group, entry, saved),
      stepped: (n) => this.ledger.stepped(n),
      tell: (hosting) => this.tidings.tell(hosting),
      settle: (hosting) => this.endings.end(hosting),
    };
  }

  private add(hosting: Hosting): void {
    this.matches.set(hosting.match, hosting);
    this.handles.set(hosting.hosted.handle, hosting);
    this.inbox?.creating.delete(hosting.match);
  }

  private remove(hosting: Hosting, over: Over): void {
    this.matches.delete(hosting.match);
    this.handles.delete(hosting.hosted.handle);
    this.groups[hosting.hosted.group]?.remove(hosting);
    hosting.hosted.free();
    this.emptySince = performance.now();
    this.ledger.drop(over);
  }

  private tick(index: number): void {
    const group = this.groups[index] as Group;
    if (group.isBusy || this.ledger.isResetting) {
      if (group.hostings.some(({ isStepped }) => isStepped)) this.missed(1);
      return;
    }
    try {
      group.tick()?.catch((error: unknown) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  /** A tick that is left out was late by all of it. */
  private missed(ticks: number): void {
    this.parts.counters.add('ticks_missed', '', ticks);
    for (let i = 0; i < Math.min(ticks, GROUPS); i++) {
      this.lateness.add(1_000 / this.parts.game.tickRate);
    }
  }

  /** Nobody listens under that gateway's name any more. */
  private forget(gateway: string): void {
    this.parts.log.warn('gateway gone', { gateway });
    for (const { hosted, match } of this.matches.values()) {
      const { pending } = this.groups[hosted.group] as Group;
      if (hosted.watchers.has(gateway)) pending.addOp({ is: 'unwatch', match, gateway });
      for (const [slot, gateways] of hosted.here.entries()) {
        const player = hosted.seats[slot]?.player;
        if (player === undefined || !gateways.has(gateway)) continue;
        pending.addOp({ is: 'go', match, slot, player, gateway });
      }
    }
  }

  /** A store that went back has let the match be placed once more: two of it would show two pictures. */
  private giveUp(hosting: Hosting): void {
    const { match } = hosting;
    this.parts.log.warn('match is at another arena', { match });
    hosting.trouble ??= { code: 'lost', message: 'another arena has it' };
  }

  /** All that was placed before us has been read: what has a place and nothing else is lost. */
  private miss(places: ReadonlySet<string>): void {
    for (const match of places) {
      const isHere = this.matches.has(match) || this.inbox?.creating.has(match) === true;
      // One that was over when we began may be dropped by now.
      if (!isHere && !this.ledger.hasDropped(match)) this.endings.lose(match);
    }
  }

  private beat(): void {
    if (this.isClosing) return;
    const { arena, game, place, capacity, log } = this.parts;
    const about: ArenaBeat = {
      arena,
      game: game.name,
      version: game.version,
      ...place,
      term: this.term,
      matches: this.size,
      capacity,
      latenessP99Ms: this.lateness.quantile(0.99),
      at: Date.now(),
    };
    this.journal
      .beat(JSON.stringify(about))
      .catch((error: unknown) => log.warn('arena beat not said', { error }));
  }

  /** Closes when nobody has been here for long. */
  private look(): void {
    if (this.size > 0) this.emptySince = performance.now();
    if (this.isClosing || performance.now() - this.emptySince < this.parts.idleMs) return;
    this.isClosing = true;
    this.journal
      .close()
      .then((isClosed) => {
        this.isClosing = false;
        this.emptySince = performance.now();
        if (isClosed) this.ended?.();
      })
      .catch((error: unknown) => this.fail(error));
  }

  private fail(error: unknown): void {
    this.ended?.(error instanceof Error ? error : new Error(String(error)));
    this.halt();
  }

  /** At once: nothing of a fenced arena may go out any more, and what is under way must not write half of it. */
  private halt(): void {
    this.isStopped = true;
    this.ledger.stop();
    this.schedule.stop();
    this.inbox?.stop();
    this.endings.stop();
    this.snapshots.stop();
  }

  private async lose(): Promise<void> {
    const { log } = this.parts;
    const losing = [...this.matches.keys()].map(async (match) => await this.endings.lost(match));
    const late = new Promise((resolve) => setTimeout(resolve, LOSING_MS));
    await Promise.race([Promise.allSettled(losing), late]);
    log.error('arena lost', { arena: this.parts.arena, matches: losing.length });
  }
}

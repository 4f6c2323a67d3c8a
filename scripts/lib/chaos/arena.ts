import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { randomId } from '../../../src/lib/ids.ts';
import type { Redis } from '../../../src/lib/redis.ts';
import { orderKnockout, Placer } from '../arenas.ts';
import { Samples, Tally } from '../bots/tally.ts';
import { randomBetween } from '../bots/time.ts';
import { killOne, type Killed } from './kill.ts';
import { ChaosPlayer } from './player.ts';
import { Recorder } from './recorder.ts';
import { judge, type Verdict } from './verdict.ts';

/** What the matches run on. */
export interface Estate {
  readonly redis: Redis;
  /** http://host:port of each gateway. */
  readonly gateways: readonly string[];
  /** Of the workers that may lose a child, now. */
  readonly workers: () => readonly number[];
}

export interface ChaosOptions {
  readonly kills: number;
  /** Matches that are played at any time, until the last kill. */
  readonly matches: number;
  /** Players on sockets in each; bots of the simulation take the other seats of eight. */
  readonly players: number;
  /** Ticks of a match. Short ones also end while arenas die. */
  readonly ticks: number;
  /** From recovery to the next kill: at random between these, ms. */
  readonly spacingMs: readonly [number, number];
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly kills: number;
  readonly verdicts: readonly Verdict[];
  /** What was lost, in words; empty when nothing was. */
  readonly faults: readonly string[];
  /** Of each kill and match that it hit: how long its watcher saw nothing, ms. */
  readonly pauses: Samples;
  /** The same where an arena ended otherwise: its worker took it for dead, or it died by itself. */
  readonly otherTakeovers: Samples;
  /** Other stretches of more than four ticks without a picture, ms. */
  readonly otherPauses: Samples;
  /** From each kill until all matches went on, ms. */
  readonly recoveries: Samples;
  /** Of all players on sockets. */
  readonly tally: Tally;
}

const SEATS = 8;
/** How long the platform keeps its size, of all ticks: some fall early, some late. */
const HOLD_SHARE = 0.2;
/** From a match's end for its players until its watcher knows, and until its replay can be had, ms. */
const SETTLE_LIMIT_MS = 10_000;

interface Cast {
  readonly recorder: Recorder;
  readonly arena: string;
  readonly players: readonly ChaosPlayer[];
  readonly ended: Promise<void>;
}

/** Plays matches while their arenas are killed, then holds each match against its twin. */
export async function chaos(estate: Estate, options: ChaosOptions): Promise<ChaosReport> {
  return await new Chaos(estate, options).run();
}

class Chaos {
  private readonly placer: Placer;
  private readonly tally = new Tally();
  private readonly casts: Cast[] = [];
  private readonly faults: string[] = [];
  private readonly recoveries = new Samples();
  private readonly stop = new AbortController();
  private isOver = false;
  private readonly killed: Killed[] = [];

  constructor(
    private readonly estate: Estate,
    private readonly options: ChaosOptions,
  ) {
    this.placer = new Placer(estate.redis);
    // Every player listens to it.
    setMaxListeners(0, this.stop.signal);
  }

  async run(): Promise<ChaosReport> {
    const { matches, say } = this.options;
    try {
      const tables = Array.from({ length: matches }, async (_, i) => await this.table(i));
      const playing = Promise.all(tables);
      playing.catch(() => {});
      // Whoever cannot play fails the run at once, not after the last kill.
      await Promise.race([this.killAll(), playing]);
      this.isOver = true;
      say('no more kills: the matches are played to their ends');
      await playing;
      say('every match is held against its twin');
      return await this.report();
    } finally {
      this.stop.abort();
      for (const { recorder } of this.casts) recorder.close();
    }
  }

  /** Players who meet in one match after the other, on both gateways. */
  private async table(number: number): Promise<void> {
    const { players: count } = this.options;
    const players = Array.from(
      { length: count },
      (_, i) => new ChaosPlayer(this.socket(number + i), this.tally),
    );
    try {
      await Promise.all(players.map(async (player) => await player.connect()));
      do {
        const cast = await this.match(number, players);
        await cast.ended;
      } while (!this.isOver);
    } finally {
      for (const { bot } of players) bot.close();
    }
  }

  private async match(number: number, players: readonly ChaosPlayer[]): Promise<Cast> {
    const { ticks } = this.options;
    const seats = Array.from({ length: SEATS }, (_, slot) => {
      const player = players[slot]?.player;
      return player === undefined ? { bot: slot % 4 } : { player };
    });
    const order = orderKnockout({
      match: randomId(12),
      seats,
      options: { endTicks: ticks, holdTicks: Math.floor(ticks * HOLD_SHARE) },
    });
    const arena = await this.placer.place(order);
    const recorder = new Recorder(order.match, this.socket(number));
    const endings = players.map(async (player) => {
      const ending = await player.play(order.match, this.stop.signal);
      if (ending.is === 'lost') this.faults.push(`${order.match}: ${player.player}: ${ending.why}`);
    });
    const ended = Promise.all(endings).then(async () => {
      await Promise.race([recorder.ended, wait(SETTLE_LIMIT_MS)]);
    });
    const cast = { recorder, arena, players, ended };
    this.casts.push(cast);
    return cast;
  }

  private async killAll(): Promise<void> {
    const { kills, spacingMs, say } = this.options;
    const recorders = (arena: string): Recorder[] =>
      this.casts.filter((cast) => cast.arena === arena).map(({ recorder }) => recorder);
    while (this.killed.length < kills) {
      await wait(randomBetween(...spacingMs));
      const { placer, estate } = this;
      const killed = await killOne(placer.arenas, estate.workers(), recorders);
      const { pid, recoveredMs } = killed;
      this.killed.push(killed);
      this.recoveries.add(recoveredMs);
      const done = this.casts.filter(({ recorder }) => recorder.over !== undefined).length;
      say(
        `kill ${this.killed.length} of ${kills}: pid ${pid}, all went on after ${recoveredMs.toFixed(0)} ms; ` +
          `${done} of ${this.casts.length} matches over`,
      );
    }
  }

  private async report(): Promise<ChaosReport> {
    const verdicts: Verdict[] = [];
    for (const cast of this.casts) verdicts.push(await this.verdict(cast));
    const pauses = new Samples();
    const otherTakeovers = new Samples();
    const otherPauses = new Samples();
    for (const { recorder, arena } of this.casts) {
      for (const { ms, from, to } of recorder.gaps) {
        const ours = this.killed.some(
          (one) => one.arena === arena && from <= one.term && one.term < to,
        );
        if (to === from) otherPauses.add(ms);
        else (ours ? pauses : otherTakeovers).add(ms);
      }
    }
    const players = new Set(this.casts.flatMap((cast) => cast.players));
    const faults = [
      ...this.faults,
      ...[...players].flatMap((player) => player.faults),
      ...verdicts.flatMap(({ match, faults: list }) => list.map((one) => `${match}: ${one}`)),
    ];
    const { recoveries, tally } = this;
    const kills = this.killed.length;
    return { kills, verdicts, faults, pauses, otherTakeovers, otherPauses, recoveries, tally };
  }

  private async verdict({ recorder, players }: Cast): Promise<Verdict> {
    const { match, over } = recorder;
    const sent = new Map(players.map((player, slot) => [slot, player.sent(match)] as const));
    const replay = await this.replay(over?.replay ?? `/v1/matches/${match}/replay`);
    const record = await this.placer.records.find(match);
    return await judge({ recorder, record, replay, sent });
  }

  /** Watchers are told that a match is over when it is, and its replay may be stored a moment later. */
  private async replay(path: string): Promise<Uint8Array | undefined> {
    const [gateway = ''] = this.estate.gateways;
    for (const until = Date.now() + SETTLE_LIMIT_MS; Date.now() < until; await wait(100)) {
      const response = await fetch(new URL(path, gateway));
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
    }
    return undefined;
  }

  private socket(number: number): string {
    const { gateways } = this.estate;
    const url = new URL(gateways[number % gateways.length] ?? '');
    url.protocol = url.protocol.replace('http', 'ws');
    url.pathname = '/v1/socket';
    return url.href;
  }
}

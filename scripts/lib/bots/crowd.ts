import { setMaxListeners } from 'node:events';
import { ms, percentile } from '../figures.ts';
import { Bot, FICKLE, type Queue, type Temper } from './bot.ts';
import { Causes, Tally } from './tally.ts';
import { pause } from './time.ts';

export interface CrowdOptions {
  /** ws://host:port/v1/socket of one gateway or several: bots spread over them. */
  readonly urls: readonly string[];
  readonly count: number;
  readonly queue?: Queue;
  readonly temper?: Temper;
}

/** Between two arrivals, ms: a crowd comes within seconds, not within one tick. */
const ARRIVAL_MS = 10;
/** Before a bot that found no match asks again, ms. */
const AGAIN_MS = 1_000;
/** Time for leaving in order, ms. */
const LEAVE_MS = 3_000;

/** Headless players that queue, play, and queue again. */
export class Crowd {
  readonly tally = new Tally();
  private readonly bots: Bot[];
  private lookedAt = performance.now();
  private snapshots = 0;

  constructor(private readonly options: CrowdOptions) {
    const { urls, count, temper = FICKLE } = options;
    this.bots = Array.from({ length: count }, (_, i) => {
      const url = urls[i % urls.length];
      if (url === undefined) throw new Error('a crowd needs the address of a gateway');
      return new Bot({ url, tally: this.tally, temper });
    });
  }

  /** Until the signal comes; then all leave, in the middle of a match or not. */
  async run(stop: AbortSignal): Promise<void> {
    // Every bot listens to it.
    setMaxListeners(0, stop);
    const lives = this.bots.map(async (bot, i) => {
      await pause(i * ARRIVAL_MS, stop);
      if (!stop.aborted) await this.live(bot, stop);
    });
    const left = Promise.allSettled(lives);
    // Tickets are given back, as far as there is somebody to take them.
    const given = pause(Infinity, stop).then(async () => await pause(LEAVE_MS));
    await Promise.race([left, given]);
    for (const bot of this.bots) bot.close();
    for (const life of await left) {
      if (life.status === 'rejected' && !stop.aborted) throw life.reason;
    }
  }

  /** Figures of this moment, on one line. Snapshots a second are since the last call. */
  line(): string {
    const { tally, bots } = this;
    const now = performance.now();
    const perSecond = ((tally.snapshots - this.snapshots) * 1_000) / (now - this.lookedAt);
    this.lookedAt = now;
    this.snapshots = tally.snapshots;
    const live = bots.flatMap(({ figures }) => (figures === undefined ? [] : [figures]));
    const bytes = live.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
    const trips = live.flatMap(({ rttMs }) => rttMs ?? []);
    const jitters = live.map(({ jitterMs }) => jitterMs);
    const inState = (state: Bot['state']): number =>
      bots.filter((bot) => bot.state === state).length;
    return [
      `${bots.length - inState('away')} bots`,
      `${inState('queued')} queued`,
      `${inState('playing')} playing`,
      `${perSecond.toFixed(0)} snapshots/s`,
      `${(bytes / 1_024).toFixed(0)} KiB/s`,
      `rtt ${ms(percentile(trips, 0.5))} p50 ${ms(percentile(trips, 0.99))} p99`,
      `jitter ${ms(percentile(jitters, 0.5))} p50 ${ms(percentile(jitters, 0.99))} p99`,
      `pauses ${tally.pauses.count}`,
      `dropped ${this.dropped().text()}`,
      `lost ${tally.lost.text()}`,
    ].join(', ');
  }

  summary(): string[] {
    const { tally } = this;
    return [
      `matches      ${tally.found} seats found, ${tally.ended} played to the end, ${tally.forfeited} forfeited, ${tally.reloads} reloads`,
      `queue wait   ${tally.waits.spread()} (${tally.unmatched} found nobody)`,
      `to the start ${tally.starts.spread()}`,
      `pauses       ${tally.pauses.count}${tally.pauses.count > 0 ? `: ${tally.pauses.spread()}` : ''}`,
      `snapshots    ${tally.snapshots}, dropped ${this.dropped().text()}`,
      `errors       ${tally.errors.text()}`,
      `lost         ${tally.lost.text()}`,
    ];
  }

  private async live(bot: Bot, stop: AbortSignal): Promise<void> {
    const { queue = 'knockout' } = this.options;
    await bot.connect();
    while (!stop.aborted) {
      const match = await bot.find(queue, stop);
      if (match !== undefined) await bot.play(match, stop);
      else await pause(AGAIN_MS, stop);
    }
  }

  private dropped(): Causes {
    const all = new Causes();
    for (const [cause, count] of this.tally.dropped.entries()) all.add(cause, count);
    for (const { figures } of this.bots) {
      for (const [cause, count] of Object.entries(figures?.droppedFor ?? {})) all.add(cause, count);
    }
    return all;
  }
}

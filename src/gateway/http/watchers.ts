import {
  decoder,
  Refusal,
  serverMessages,
  type End,
  type ServerBody,
} from '../../../protocol/index.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { RequestName } from '../../jobs/job-data.ts';
import type { Found } from '../../jobs/records.ts';
import type { Config } from '../../lib/config.ts';
import type { Counters } from '../../lib/counters.ts';
import type { Log } from '../../lib/log.ts';
import { jobId } from '../../relay/keys.ts';
import type { EventWriter, Exchange } from '../uws.ts';

/** Results are our own processors' and may be larger than what a client may send. */
const BOUNDS = { depth: 32, items: 1_000_000, stringBytes: 4_194_304 } as const;
const readEnd = decoder(serverMessages.ended, BOUNDS);
const readProgress = decoder(serverMessages.progress, BOUNDS);
const EVENT_STREAM = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } as const;

interface Watcher {
  readonly name: RequestName;
  readonly to: EventWriter;
}

/** Server-Sent Events: `status` once, `progress` as it comes, `ended` last. */
export class Watchers {
  private readonly byJob = new Map<string, Set<Watcher>>();
  private readonly perPlayer = new Map<string, number>();
  private looking: NodeJS.Timeout | undefined;

  constructor(
    private readonly gateway: string,
    private readonly jobs: Jobs,
    private readonly limits: Pick<Config, 'LOOK_INTERVAL_MS' | 'STREAMS_PER_PLAYER'>,
    private readonly counters: Counters,
    private readonly log: Log,
  ) {}

  async stream(exchange: Exchange, name: RequestName): Promise<void> {
    if (!this.jobs.reachable) throw new Refusal('unavailable');
    if ((this.perPlayer.get(name.player) ?? 0) >= this.limits.STREAMS_PER_PLAYER)
      throw new Refusal('too_many_streams');
    const known = await this.jobs.records.watch(name, this.gateway);
    const found = known ? await this.jobs.find(name) : undefined;
    if (found === undefined) throw new Refusal('unknown_request');
    if (exchange.aborted.aborted) return;
    const to = exchange.stream(EVENT_STREAM);
    to.write(
      event('status', {
        id: name.id,
        kind: found.kind,
        state: found.state,
        attempt: found.attempt,
      }),
    );
    const watcher: Watcher = { name, to };
    if (found.end !== undefined) return this.finish(watcher, describe(name.id, found));
    this.add(watcher);
    exchange.aborted.addEventListener('abort', () => this.remove(watcher), { once: true });
  }

  /** A frame that was published for a watched request. */
  wake(job: string, frame: Buffer): void {
    const watchers = this.byJob.get(job);
    if (watchers === undefined) return;
    if (frame[0] === serverMessages.ended.type) {
      const end = readEnd(frame) as End;
      for (const watcher of watchers) this.finish(watcher, end);
      return;
    }
    const { id: _, ...report } = readProgress(frame) as ServerBody<'progress'>;
    const text = event('progress', report);
    // A slow reader is spared what would only wait for it: a report may be skipped here, the end is not.
    for (const { to } of watchers)
      if (!to.writeIfClear(text)) this.counters.add('frames_dropped', 'skipped');
  }

  stop(): void {
    for (const watchers of this.byJob.values()) for (const { to } of watchers) to.end();
    this.byJob.clear();
    this.rest();
  }

  private add(watcher: Watcher): void {
    const { player, id } = watcher.name;
    const job = jobId(player, id);
    const watchers = this.byJob.get(job);
    if (watchers === undefined) this.byJob.set(job, new Set([watcher]));
    else watchers.add(watcher);
    this.perPlayer.set(player, (this.perPlayer.get(player) ?? 0) + 1);
    this.looking ??= setInterval(() => this.look(), this.limits.LOOK_INTERVAL_MS);
  }

  private remove(watcher: Watcher): void {
    const { player, id } = watcher.name;
    const job = jobId(player, id);
    const watchers = this.byJob.get(job);
    if (watchers?.delete(watcher) !== true) return;
    if (watchers.size === 0) this.byJob.delete(job);
    const left = (this.perPlayer.get(player) ?? 1) - 1;
    if (left > 0) this.perPlayer.set(player, left);
    else this.perPlayer.delete(player);
    if (this.byJob.size === 0) this.rest();
  }

  private finish(watcher: Watcher, end: object): void {
    const written = watcher.to.write(event('ended', end));
    watcher.to.end();
    this.remove(watcher);
    if (!written) return;
    this.jobs.records.seen(watcher.name).catch((error: unknown) => {
      this.log.warn('end not acknowledged', { error });
    });
  }

  /** A published end may be lost, and a deadline may be over with nobody else to say so. */
  private look(): void {
    if (!this.jobs.reachable) return;
    for (const watchers of this.byJob.values()) {
      for (const watcher of watchers) {
        this.jobs
          .find(watcher.name)
          .then((found) => {
            if (found?.end !== undefined) this.finish(watcher, describe(watcher.name.id, found));
            // Nobody remembers it any more: there is nothing left to tell.
            if (found === undefined) {
              watcher.to.end();
              this.remove(watcher);
            }
          })
          .catch((error: unknown) => this.log.warn('watched request not read', { error }));
      }
    }
  }

  private rest(): void {
    clearInterval(this.looking);
    this.looking = undefined;
  }
}

/** @returns a request's status, with its end once there is one */
export function describe(id: string, found: Found): object {
  if (found.end !== undefined) return readEnd(found.end) as End;
  const { kind, state, attempt, deadline } = found;
  return { id, kind, state, attempt, deadline: new Date(deadline).toISOString() };
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

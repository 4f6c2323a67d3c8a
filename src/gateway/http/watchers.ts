import { decoder, Refusal, serverMessages, type End, type ServerBody } from '../../../protocol/index.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Found, RequestName } from '../../jobs/records.ts';
import type { Log } from '../../lib/log.ts';
import { jobId } from '../../relay/keys.ts';
import type { Exchange } from '../uws.ts';

const readEnd = decoder(serverMessages.ended);
const readProgress = decoder(serverMessages.progress);
const EVENT_STREAM = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } as const;

interface Watcher {
  readonly name: RequestName;
  /** @returns false when the client is gone or too slow */
  readonly write: (chunk: string | undefined) => boolean;
}

/** Server-Sent Events: `status` once, `progress` as it comes, `ended` last. */
export class Watchers {
  private readonly byJob = new Map<string, Set<Watcher>>();
  private looking: NodeJS.Timeout | undefined;

  constructor(
    private readonly gateway: string,
    private readonly jobs: Jobs,
    private readonly lookMs: number,
    private readonly log: Log,
  ) {}

  async stream(exchange: Exchange, name: RequestName): Promise<void> {
    const known = await this.jobs.records.watch(name, this.gateway);
    const found = known ? await this.jobs.find(name) : undefined;
    if (found === undefined) throw new Refusal('unknown_request');
    const write = exchange.stream(EVENT_STREAM);
    write(event('status', { id: name.id, kind: found.kind, state: found.state, attempt: found.attempt }));
    if (found.end !== undefined) {
      write(event('ended', describe(name.id, found)));
      write(undefined);
      return;
    }
    const watcher: Watcher = { name, write };
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
    const { id: _, ...body } = readProgress(frame) as ServerBody<'progress'>;
    const text = event('progress', body);
    // What a slow reader has not taken may be skipped: that is what `latest` says, and the end is never skipped.
    for (const watcher of watchers) watcher.write(text);
  }

  stop(): void {
    for (const watchers of this.byJob.values()) for (const { write } of watchers) write(undefined);
    this.byJob.clear();
    this.rest();
  }

  private add(watcher: Watcher): void {
    const job = jobId(watcher.name.player, watcher.name.id);
    const watchers = this.byJob.get(job);
    if (watchers === undefined) this.byJob.set(job, new Set([watcher]));
    else watchers.add(watcher);
    this.looking ??= setInterval(() => this.look(), this.lookMs);
  }

  private remove(watcher: Watcher): void {
    const job = jobId(watcher.name.player, watcher.name.id);
    const watchers = this.byJob.get(job);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.byJob.delete(job);
    if (this.byJob.size === 0) this.rest();
  }

  private finish(watcher: Watcher, end: object): void {
    watcher.write(event('ended', end));
    watcher.write(undefined);
    this.remove(watcher);
  }

  /** A published end may be lost, and a deadline may be over with nobody else to say so. */
  private look(): void {
    for (const watchers of this.byJob.values()) {
      for (const watcher of watchers) {
        this.jobs.find(watcher.name).then(
          (found) => {
            if (found?.end !== undefined) this.finish(watcher, describe(watcher.name.id, found));
          },
          (error: unknown) => this.log.warn('watched request not read', { error }),
        );
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

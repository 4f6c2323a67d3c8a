import { ChildPool, type Worker } from 'bullmq';
import type { Log } from '../src/lib/log.ts';

export type Child = Awaited<ReturnType<ChildPool['retain']>>;

/** After a child that did not start, until the next is tried, ms. */
const REFORK_MS = 1_000;

export interface WarmPoolParts {
  readonly children: ChildPool;
  /** The sandbox's entry, as BullMQ names it: a URL. */
  readonly file: string;
  /** Children that should be there, running ones included. */
  readonly size: number;
  /** Fields of each line name whose children they are. */
  readonly log: Log;
  readonly whose: Readonly<Record<string, unknown>>;
  /** From then on no child is replaced. */
  readonly closing: () => boolean;
  /** Told of each child once its modules are loaded, before it gets a job. */
  readonly onReady?: (child: Child) => void;
}

/**
 * Keeps the children of a BullMQ worker forked ahead of its jobs, and replaces those that die. BullMQ gives a job to
 * the child that was free last, and forks where none is.
 */
export class WarmPool {
  private readonly forks = new Set<Promise<void>>();
  private size: number;
  private keeping: Promise<void> | undefined;
  private isResting = false;

  constructor(private readonly parts: WarmPoolParts) {
    this.size = parts.size;
  }

  /** Those that are ready, running ones first. */
  get children(): Child[] {
    const { children } = this.parts;
    return [...Object.values(children.retained), ...children.getAllFree()];
  }

  /** Those that have a job. */
  get running(): Child[] {
    return Object.values(this.parts.children.retained);
  }

  /** One of the children's processes, the running one's before others. */
  get pid(): number | undefined {
    return this.children[0]?.pid;
  }

  get isForking(): boolean {
    return this.forks.size > 0;
  }

  get hasFree(): boolean {
    return this.parts.children.getAllFree().length > 0;
  }

  /** Forks what is missing. Resolves when all are ready. @throws Error when one does not start */
  async warm(): Promise<void> {
    this.beginMissing();
    await Promise.all(this.forks);
  }

  /** Tries until all are ready, or nobody needs them any more. Whoever asks meanwhile waits along. */
  async keepWarm(): Promise<void> {
    if (this.keeping !== undefined && !this.isResting && !this.parts.closing()) this.beginMissing();
    this.keeping ??= this.tryOn().finally(() => (this.keeping = undefined));
    await this.keeping;
  }

  /** Waits while no child is free and one is on its way. */
  async ready(): Promise<void> {
    while (!this.hasFree && this.isForking) await Promise.race(this.forks).catch(() => undefined);
  }

  /**
   * From now on so many; a free one too many ends. It is not one too many for those that are only on their way: an
   * arena may wait for it.
   */
  resize(size: number): void {
    this.size = size;
    const free = this.parts.children.getAllFree();
    for (const child of free.slice(0, Math.max(this.surplus, 0))) this.kill(child);
    if (this.missing > 0 && !this.parts.closing()) void this.keepWarm();
  }

  /** At once, whatever it does. Its job, if it has one, fails; a fresh child takes its place. */
  kill(child: Child): void {
    this.parts.children.kill(child, 'SIGKILL').catch((error: unknown) => {
      this.parts.log.warn('child not killed', { ...this.parts.whose, pid: child.pid, error });
    });
  }

  /** How many are neither there nor on their way. */
  private get missing(): number {
    return this.size - this.children.length - this.forks.size;
  }

  /** How many are there beyond those that should be. */
  private get surplus(): number {
    return this.children.length - this.size;
  }

  private async tryOn(): Promise<void> {
    while (!this.parts.closing()) {
      try {
        await this.warm();
        if (this.forks.size === 0 && this.missing <= 0) return;
      } catch (error) {
        this.parts.log.error('child does not start', { ...this.parts.whose, error });
        this.isResting = true;
        await new Promise((resolve) => setTimeout(resolve, REFORK_MS).unref());
        this.isResting = false;
      }
    }
  }

  private beginMissing(): void {
    for (let n = this.missing; n > 0; n--) this.begin();
  }

  private begin(): void {
    const fork = this.fork().finally(() => this.forks.delete(fork));
    this.forks.add(fork);
    // Whoever waits for it hears why it did not start; it may be over before anybody does.
    fork.catch(() => undefined);
  }

  private async fork(): Promise<void> {
    const { children, log, whose, closing, onReady } = this.parts;
    const child = await this.retainNew();
    // A child that is killed while idle takes the message for its next job along: EPIPE, and the job is tried again.
    child.on('error', (error: unknown) => log.warn('child error', { ...whose, error }));
    child.on('exit', () => {
      if (!closing()) void this.keepWarm();
    });
    onReady?.(child);
    children.release(child);
    // One that was on its way when the pool was emptied would be forgotten there.
    if (closing()) return this.kill(child);
    if (this.surplus > 0 && children.getAllFree().length > 1) return this.kill(child);
    log.info('child ready', { ...whose, pid: child.pid });
  }

  /**
   * `retain` takes a free child if there is one, so they are hidden from it. It waits for ever where a child ends before
   * its modules are loaded (the system is out of memory): the pool is told of each end, so it is heard there.
   */
  private async retainNew(): Promise<Child> {
    const { children, file } = this.parts;
    const free = children.getFree(file);
    const hidden = free.splice(0);
    let fork: Promise<Child> | undefined;
    const ended = new Promise<never>((_, reject) => {
      const pool = Object.create(children, {
        remove: {
          value: (child: Child): void => {
            children.remove(child);
            reject(new Error('the child ended while it started'));
          },
        },
      }) as ChildPool;
      fork = pool.retain(file);
    });
    free.push(...hidden);
    return await Promise.race([fork as Promise<Child>, ended]);
  }
}

/** BullMQ has no way to fork ahead of the first job, so its pool is taken from behind the type. */
export function poolOf(worker: Worker): ChildPool {
  const pool: unknown = Reflect.get(worker, 'childPool');
  if (!(pool instanceof ChildPool)) throw new Error('this BullMQ keeps its child pool elsewhere');
  return pool;
}

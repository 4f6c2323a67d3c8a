import { Refusal } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import type { Counters } from '../lib/counters.ts';
import { randomId } from '../lib/ids.ts';
import type { Log } from '../lib/log.ts';
import { isAway, type Redis } from '../lib/redis.ts';
import { thisMachine } from './machine.ts';
import type { Run } from './measured.ts';
import type { Plan } from './plan.ts';
import { startRunner, type Runner } from './runner.ts';
import { Runs } from './runs.ts';

/** Between two entries of a run that goes on, ms; a cancel at another gateway is heard with it. */
const KEEP_MS = 1_000;
/** What a caller is asked to wait while another run has the machine, ms. */
const RETRY_MS = { least: 1_000, most: 600_000 } as const;

export type LabConfig = Pick<
  Config,
  | 'REDIS_URL'
  | 'DRILLS'
  | 'LAB'
  | 'LAB_ITEMS_MAX'
  | 'LAB_WORKERS_MAX'
  | 'LAB_TIME_LIMIT_MS'
  | 'LAB_RUNS_MAX'
>;

export interface LabParts {
  readonly gateway: string;
  readonly redis: Redis;
  readonly config: LabConfig;
  readonly counters: Counters;
  readonly log: Log;
  /** The built lab runner. */
  readonly runner: URL;
}

/** The capacity lab of a gateway: one run at a time on one Redis, in a process of its own. */
export class Lab {
  readonly config: LabConfig;
  private readonly runs: Runs;
  private current: { readonly id: string; readonly runner: Runner } | undefined;

  constructor(private readonly parts: LabParts) {
    this.config = parts.config;
    this.runs = new Runs(parts.redis, parts.config.LAB_RUNS_MAX);
  }

  /** @throws Refusal not_found while the lab is switched off, unavailable, overloaded while another run goes on */
  async start(plan: Plan): Promise<Run> {
    this.needOpen();
    const { gateway, config, counters } = this.parts;
    const id = randomId(12);
    if (!(await this.runs.claim(id))) {
      const after = retryAfter(await this.runs.busy());
      throw this.counted(new Refusal('overloaded', 'one lab run at a time', after));
    }
    const now = Date.now();
    let run: Run = {
      id,
      plan,
      machine: thisMachine(),
      by: gateway,
      state: 'running',
      began: now,
      at: now,
      measured: [],
    };
    await this.runs.save(run);
    const env = { REDIS_URL: config.REDIS_URL };
    const runner = startRunner(this.parts.runner, plan, env, {
      progress: (progress) => (run = { ...run, progress }),
      measured: (result) => (run = { ...run, measured: [...run.measured, result] }),
    });
    this.current = { id, runner };
    counters.add('lab_runs', plan.name);
    const keeping = setInterval(() => {
      this.keep({ ...run, at: Date.now() }, runner).catch((error: unknown) =>
        this.parts.log.warn('lab run not saved', { error }),
      );
    }, KEEP_MS);
    void runner.ended.then(async (ending) => {
      clearInterval(keeping);
      this.current = undefined;
      counters.add('lab_ended', ending.state);
      try {
        await this.runs.save({ ...run, ...ending, at: Date.now() });
        await this.runs.leave(id);
      } catch (error) {
        this.parts.log.warn('end of a lab run not saved', { error });
      }
    });
    return run;
  }

  /** @throws Refusal not_found or unavailable */
  async find(id: string): Promise<Run> {
    this.needOpen();
    const found = await this.runs.find(id);
    if (found === undefined) throw new Refusal('not_found', `no run ${id}`);
    return found;
  }

  async list(): Promise<Run[]> {
    this.needOpen();
    return await this.runs.list();
  }

  /** Ends a run wherever it goes on; it is over within seconds. @throws Refusal not_found, already_ended, unavailable */
  async cancel(id: string): Promise<Run> {
    const found = await this.find(id);
    if (found.state !== 'running') throw new Refusal('already_ended');
    if (this.current?.id === id) this.current.runner.cancel();
    else await this.runs.cancel(id);
    return found;
  }

  /** Counts a refusal. */
  counted(refusal: Refusal): Refusal {
    this.parts.counters.add('lab_refused', refusal.code);
    return refusal;
  }

  stop(): void {
    this.current?.runner.kill();
  }

  private async keep(run: Run, runner: Runner): Promise<void> {
    if (await this.runs.isCancelled(run.id)) runner.cancel();
    // It may have ended meanwhile: then neither is the machine its own any more, nor its entry to be written over.
    if (this.current?.id !== run.id) return;
    await Promise.all([this.runs.claim(run.id), this.runs.save(run)]);
  }

  private needOpen(): void {
    if (!this.parts.config.LAB)
      throw this.counted(new Refusal('not_found', 'the lab is switched off (LAB)'));
    if (isAway(this.parts.redis)) throw new Refusal('unavailable');
  }
}

/** @returns about how long the run that goes on will take yet, ms */
function retryAfter(busy: Run | undefined): number {
  const now = busy?.progress;
  if (now === undefined) return RETRY_MS.least;
  // A step may end by its budget, long before its items are done.
  const share = Math.max((now.step - 1) / now.steps, now.allDone / now.allTotal);
  const left = share > 0 ? (now.elapsedMs * (1 - share)) / share : RETRY_MS.least;
  return Math.round(Math.min(Math.max(left, RETRY_MS.least), RETRY_MS.most));
}

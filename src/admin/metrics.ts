import { Counter, Gauge, Registry } from 'prom-client';
import type { History } from '../history/history.ts';
import type { ArenaBeat } from '../match/arenas.ts';
import type { Behind, Watched } from './reading.ts';

/** What is known of a counter; names are those given to Counters.add. One that is missing here is shown all the same. */
const HELP: Readonly<Record<string, string>> = {
  admin_refused: 'Refused requests to the dashboard.',
  arenas_ended: 'Runs of arenas that came to their end, by how.',
  arenas_killed: 'Processes of arenas that were killed, by cause.',
  attempts_failed: 'Attempts that failed, by failure code.',
  background_failed: 'Background work of sessions that failed; the next look repairs it.',
  disconnects: 'Sockets closed by the gateway, by close name.',
  epochs_renewed: 'Sessions whose continuity was lost while they were connected.',
  exchanges_refused: 'HTTP exchanges answered with an error, by reply error.',
  frames_dropped: 'Frames that were not sent to a socket.',
  frames_refused: 'Frames answered with an error, by reply error.',
  gaps_seen: 'Reliable messages that were not delivered by their own wake-up.',
  history_dropped: 'Notes that the history did not get, by cause.',
  history_failed: 'Tries to write the history that failed, by what the database said.',
  history_pruned: 'Rows of the history that made room, by cause.',
  history_refused: 'Questions to the history that were not answered.',
  inputs_dropped: 'Inputs of players that did not get to an arena; clients send them again.',
  lab_ended: 'Lab runs that ended, by state.',
  lab_refused: 'Calls of the lab that were refused, by reply error.',
  lab_runs: 'Lab runs that began, by method or series.',
  matches_ended: 'Matches that workers have ended because no arena can, by failure code.',
  matches_found: 'Matches that matchmaking has made, and seats of running ones that it has filled.',
  matches_over: 'Matches that arenas have ended, by how: a result, a failure code, or elsewhere.',
  matches_quarantined: 'Matches that were taken out because their simulation failed.',
  open_seats_dropped: "Bots' seats that were not offered to others: too many are open.",
  parts_failed: 'Tries of parts of workloads that failed, by failure code.',
  ops_dropped: 'Words to arenas about who watches that were given up.',
  records_unreadable:
    'What is stored and was passed over because it cannot be read, by what it is.',
  redis_errors: 'Errors of the connections to Redis.',
  replays_dropped: 'Replays that were not kept, or that made room for others, by cause.',
  requests_accepted: 'Requests taken on, by kind.',
  requests_ended: 'Requests that ended, by state.',
  requests_refused: 'Requests that were not taken on.',
  snapshot_bytes: 'Bytes of snapshots that arenas sent to this gateway.',
  snapshots: 'Snapshots that arenas sent to this gateway.',
  snapshots_dropped: 'Snapshots that were shown to nobody.',
  steps_retried: 'Steps of matches that failed and were made again, by how they had failed.',
  tickets_ended: 'Tickets that left matchmaking, by end or failure code.',
  tickets_given_back: 'Tickets that wait on because what they were found came to nothing.',
  ticks_missed: 'Ticks of arenas that were left out because they came too late.',
  wakes_dropped: 'Wake-ups for which nobody was there.',
};

/** Of the gateway's gauges that are not what it has open. */
const GAUGE_HELP: Readonly<Record<string, string>> = {
  matches_watched: 'Matches that somebody at this gateway watches.',
};

/** One moment's values: [label values, value] per metric. */
type Sample<L extends string> = readonly [Readonly<Record<L, string>>, number];

/**
 * The gateway's figures in Prometheus' text form. Nothing is kept here: each metric reads the plain numbers that the
 * gateway counts anyway, when it is scraped. Counters have the label `cause`, which is what was counted: an error
 * code, a state, a message's name. Series of workers, lanes and kinds are the same on every gateway of one Redis.
 */
export class Metrics {
  readonly contentType: string;
  private readonly registry = new Registry();
  private behind: Behind | undefined;

  /** @param read the system behind, as of now */
  constructor(
    private readonly gateway: Watched,
    private readonly read: () => Promise<Behind | undefined>,
  ) {
    this.contentType = this.registry.contentType;
    this.describeGateway();
    this.describeProcess();
    this.describeBehind();
    this.describeArenas();
    if (gateway.history !== undefined) this.describeHistory(gateway.history);
  }

  async render(): Promise<string> {
    this.behind = await this.read();
    for (const [name] of this.gateway.counters.entries()) this.gatewayCounter(name);
    for (const { counts } of this.behind?.workers ?? []) {
      for (const [name] of counts) this.workerCounter(name);
    }
    return await this.registry.metrics();
  }

  private describeGateway(): void {
    const { gateway } = this;
    for (const name of Object.keys(gateway.gauges())) {
      this.gauge(name, GAUGE_HELP[name] ?? `Open ${name} of this gateway.`, [], () => [
        [{}, gateway.gauges()[name] ?? 0],
      ]);
    }
    this.counter('messages', 'Messages handed to their handler, by name.', ['cause'], () =>
      Array.from(gateway.messages(), ([cause, count]) => [{ cause }, count]),
    );
  }

  private describeProcess(): void {
    this.gauge('process_resident_bytes', 'Resident memory of the gateway.', [], () => [
      [{}, process.memoryUsage.rss()],
    ]);
    this.counter('process_cpu_seconds', 'CPU time of the gateway, s.', ['cause'], () => {
      const { user, system } = process.cpuUsage();
      return [
        [{ cause: 'user' }, user / 1e6],
        [{ cause: 'system' }, system / 1e6],
      ];
    });
    this.counter('loop_seconds', 'Time of the event loop, s.', ['cause'], () => {
      const { active, idle } = performance.eventLoopUtilization();
      return [
        [{ cause: 'active' }, active / 1e3],
        [{ cause: 'idle' }, idle / 1e3],
      ];
    });
  }

  private describeBehind(): void {
    this.gauge('redis_up', 'Whether Redis answered this scrape.', [], () => [
      [{}, this.behind === undefined ? 0 : 1],
    ]);
    const workers = () => this.behind?.workers ?? [];
    this.gauge('worker_busy', 'Jobs that run on a worker.', ['worker'], () =>
      workers().map(({ worker, busy }) => [{ worker }, busy]),
    );
    this.gauge('worker_cores', 'Cores that a worker gives to the cpu lane.', ['worker'], () =>
      workers().map(({ worker, cores }) => [{ worker }, cores.length]),
    );
    this.gauge('worker_lane', 'Lanes that a worker takes jobs of.', ['worker', 'lane'], () =>
      workers().flatMap(({ worker, lanes }) => lanes.map((lane) => [{ worker, lane }, 1] as const)),
    );
    this.gauge('lane_jobs', 'Jobs of a lane, by state.', ['lane', 'state'], () =>
      (this.behind?.lanes ?? []).flatMap(({ lane, jobs }) =>
        Object.entries(jobs).map(([state, count]) => [{ lane, state }, count] as const),
      ),
    );
    const kinds = () => this.behind?.kinds ?? [];
    this.gauge('kind_depth', 'Unfinished requests of a kind.', ['kind', 'lane'], () =>
      kinds().map(({ name: kind, lane, depth }) => [{ kind, lane }, depth]),
    );
    this.gauge('kind_depth_limit', 'Most of them that are taken on.', ['kind', 'lane'], () =>
      kinds().map(({ name: kind, lane, limit }) => [{ kind, lane }, limit]),
    );
    const gated = (which: 'running' | 'held') => () =>
      kinds().flatMap(({ name: kind, lane, gate }) =>
        gate === undefined ? [] : [[{ kind, lane }, gate[which]] as const],
      );
    this.gauge(
      'kind_running',
      'Requests of a kind with a limit on what runs at once that may run.',
      ['kind', 'lane'],
      gated('running'),
    );
    this.gauge('kind_held', 'Those that wait for it.', ['kind', 'lane'], gated('held'));
  }

  private describeHistory(history: History): void {
    this.gauge('history_writing', 'Whether this gateway can write the history.', [], () => [
      [{}, history.state.is === 'writing' ? 1 : 0],
    ]);
    this.counter('history_notes', 'Notes that this gateway has written there.', [], () => [
      [{}, history.state.is === 'writing' ? history.state.notes : 0],
    ]);
  }

  private describeArenas(): void {
    const arenas = () => this.behind?.arenas ?? [];
    const labels = ['arena', 'worker', 'core', 'game'] as const;
    const gauge = (name: string, help: string, value: (one: ArenaBeat) => number) =>
      this.gauge(name, help, labels, () =>
        arenas().map((one) => {
          const { arena, worker, core, game } = one;
          return [{ arena, worker, core: String(core ?? 'any'), game }, value(one)] as const;
        }),
      );
    gauge('arena_matches', 'Matches that an arena hosts.', ({ matches }) => matches);
    gauge('arena_capacity', 'Most matches that it takes.', ({ capacity }) => capacity);
    gauge(
      'arena_term',
      'How often the arena has begun: rises with each successor.',
      (one) => one.term,
    );
    gauge(
      'arena_lateness_p99_seconds',
      "A tick's start minus its due time: 99 of 100 were less late, in the last seconds.",
      ({ latenessP99Ms }) => latenessP99Ms / 1e3,
    );
    this.gauge('matches', 'Matches that are not over.', [], () => [
      [{}, this.behind?.matches ?? 0],
    ]);
  }

  private gatewayCounter(name: string): void {
    this.counter(name, HELP[name] ?? 'Counted under a cause.', ['cause'], () =>
      Array.from(this.gateway.counters.entries())
        .filter(([counted]) => counted === name)
        .map(([, cause, count]) => [{ cause }, count]),
    );
  }

  private workerCounter(name: string): void {
    const help = `${HELP[name] ?? 'Counted under a cause.'} As the workers say.`;
    this.counter(`worker_${name}`, help, ['worker', 'cause'], () =>
      (this.behind?.workers ?? []).flatMap(({ worker, counts }) =>
        counts
          .filter(([counted]) => counted === name)
          .map(([, cause, count]) => [{ worker, cause }, count] as const),
      ),
    );
  }

  private gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: () => readonly Sample<L>[],
  ): void {
    const collect = function (this: Gauge<L>): void {
      this.reset();
      for (const [labels, value] of read()) this.set(labels, value);
    };
    this.add(`muster_${name}`, (full) =>
      this.registry.registerMetric(
        new Gauge({ name: full, help, labelNames, registers: [], collect }),
      ),
    );
  }

  private counter<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: () => readonly Sample<L>[],
  ): void {
    // Counts are totals already: the metric starts from nothing each time.
    const collect = function (this: Counter<L>): void {
      this.reset();
      for (const [labels, value] of read()) this.inc(labels, value);
    };
    this.add(`muster_${name}_total`, (full) =>
      this.registry.registerMetric(
        new Counter({ name: full, help, labelNames, registers: [], collect }),
      ),
    );
  }

  /** Once per name: counters come into being when something is first counted. */
  private add(name: string, register: (name: string) => void): void {
    if (this.registry.getSingleMetric(name) === undefined) register(name);
  }
}

import { knockout } from '../../workers/games/knockout/index.ts';
import { percent, whole } from './figures.ts';
import type { FeedCounts } from './crowded-arena.ts';
import type { Outcome } from './suite.ts';

/** One stretch of measuring at one number of matches. */
export interface Window extends FeedCounts {
  readonly seconds: number;
  /** The worst that the arena said of its last seconds. */
  readonly latenessP99Ms: number;
  /** Seconds by process. */
  readonly cpu: Readonly<Record<string, number | undefined>>;
  /** Share of the core, 0 to 1. */
  readonly arenaBusy: number | undefined;
  readonly otherBusy: number | undefined;
  /** Steps that were due: matches x rate x seconds. */
  readonly matchTicks: number;
  /** Of eight, on their platforms. */
  readonly discsOfPicture: number;
  readonly watchedSnapshots: number;
  readonly watchedBytes: number;
  readonly watchedMatches: number;
}

/** How soon an input is seen, ms, medians. */
export interface Probed {
  readonly probes: number;
  /** Without the wait for the tick. */
  readonly beyondMs: number;
  /** With it. */
  readonly toEchoMs: number;
  /** There and back through a room in the gateway's process. */
  readonly roomMs: number;
}

export interface Level {
  readonly matches: number;
  readonly alone: Window;
  /** The same while the core's cpu lane is full of jobs that spin. */
  readonly beside: Window;
  readonly crowded: Probed | undefined;
}

interface Measured {
  readonly levels: readonly Level[];
  /** In an arena of one match. */
  readonly alone: Probed;
  /** At so many matches the arena did not live on. */
  readonly lostAt: number | undefined;
  readonly budgetMs: number;
  readonly pinned: boolean;
}

/** docs/benchmarks.md has what was measured beside them. */
const MATCHES_BUDGET = 500;
const INPUT_BUDGET_MS = 1;
/** Above it the processes that share the other core may be what was late. */
const FULL = 0.95;
/** A snapshot less in a hundred is one that fell between two looks. */
const ALL = 0.99;
/** Header of a WebSocket frame of less than 126 bytes. */
const FRAME_HEADER_BYTES = 2;

export function arenaOutcome({ levels, alone, lostAt, budgetMs, pinned }: Measured): Outcome {
  const carried = (of: (level: Level) => Window): Level | undefined =>
    levels.filter((level) => isCarried(of(level), budgetMs)).at(-1);
  const best = carried((level) => level.alone);
  const besideBatch = carried((level) => level.beside);
  const crowded = levels.flatMap((level) => (level.crowded ? [level] : [])).at(-1);
  const shown = best ?? levels[0];
  if (shown === undefined) throw new Error('no level was measured');
  const beyond = alone.beyondMs - alone.roomMs;
  return {
    rows: [
      [
        'matches of 8',
        'late p99 ms',
        '+ batch',
        'arena us',
        'redis us',
        'gateway us',
        'arena core',
        'other core',
        'B/player/s',
        'inputs/s',
        'on platform',
        'input ms',
      ],
      ...levels.map(row),
    ],
    notes: [
      `matches: ${best?.matches ?? 0} within ${budgetMs} ms (budget: ${MATCHES_BUDGET}); beside a batch job: ${besideBatch?.matches ?? 0}`,
      'late p99: the worst that the arena said of its last seconds during the window; + batch: the same beside jobs that spin',
      'us: CPU microseconds of each process per match and tick, everything in it; on platform: of eight discs, mean',
      `input: beyond the wait for the tick, p50, less a room's echo in the gateway's process; in an arena of one match ${beyond.toFixed(2)} ms (${alone.beyondMs.toFixed(2)} less ${alone.roomMs.toFixed(2)}; budget: at most ${INPUT_BUDGET_MS})`,
      `with the wait an input is seen after ${alone.toEchoMs.toFixed(1)} ms, p50 of ${alone.probes}`,
      `${shown.alone.watchedMatches} matches were watched over real sockets beside: ${(shown.alone.watchedSnapshots / shown.alone.watchedMatches / shown.alone.seconds).toFixed(1)} snapshots/s each`,
      ...complaints(levels, pinned),
      ...(lostAt === undefined ? [] : [`at ${lostAt} the arena did not live on`]),
    ],
    report: {
      suite: 'arena',
      ratios: {
        matches_of_budget: (best?.matches ?? 0) / MATCHES_BUDGET,
        input_over_room: alone.beyondMs / alone.roomMs,
      },
      figures: {
        matches: best?.matches ?? 0,
        matches_beside_batch: besideBatch?.matches ?? 0,
        lateness_p99_ms: shown.alone.latenessP99Ms,
        lateness_beside_batch_p99_ms: shown.beside.latenessP99Ms,
        bytes_per_player_s: bytesPerPlayer(shown.alone),
        input_beyond_wait_p50_ms: alone.beyondMs,
        room_echo_p50_ms: alone.roomMs,
        input_over_room_p50_ms: beyond,
        input_to_snapshot_p50_ms: alone.toEchoMs,
        ...(crowded?.crowded && {
          crowded_matches: crowded.matches,
          crowded_input_beyond_wait_p50_ms: crowded.crowded.beyondMs,
          crowded_room_echo_p50_ms: crowded.crowded.roomMs,
        }),
        ...Object.fromEntries(levels.flatMap(figures)),
      },
    },
  };
}

/** Within the budget, and every match was stepped: a tick that is left out is never late. */
function isCarried(window: Window, budgetMs: number): boolean {
  return window.latenessP99Ms <= budgetMs && window.snapshots >= window.matchTicks * ALL;
}

function row({ matches, alone, beside, crowded }: Level): string[] {
  return [
    whole(matches),
    alone.latenessP99Ms.toFixed(2),
    beside.latenessP99Ms.toFixed(2),
    perTick(alone, 'arena')?.toFixed(1) ?? '-',
    perTick(alone, 'redis')?.toFixed(1) ?? '-',
    perTick(alone, 'gateway')?.toFixed(1) ?? '-',
    percent(alone.arenaBusy),
    percent(alone.otherBusy),
    whole(bytesPerPlayer(alone)),
    whole(alone.inputs / alone.seconds),
    alone.discsOfPicture.toFixed(1),
    crowded === undefined ? '-' : (crowded.beyondMs - crowded.roomMs).toFixed(2),
  ];
}

function figures({ matches, alone, beside }: Level): [string, number][] {
  const step = perTick(alone, 'arena');
  return [
    [`lateness_p99_ms_${matches}`, alone.latenessP99Ms],
    [`lateness_beside_batch_p99_ms_${matches}`, beside.latenessP99Ms],
    ...(step === undefined ? [] : [[`us_per_match_tick_${matches}`, step] as [string, number]]),
  ];
}

/** CPU microseconds of a process per match and tick. */
function perTick({ cpu, matchTicks }: Window, process: string): number | undefined {
  const seconds = cpu[process];
  return seconds === undefined ? undefined : (seconds * 1e6) / matchTicks;
}

/** Every player of a match gets all of its snapshots. */
function bytesPerPlayer({ bytes, snapshots, matchTicks }: Window): number {
  const matchSeconds = matchTicks / knockout.tickRate;
  return (bytes + snapshots * FRAME_HEADER_BYTES) / matchSeconds;
}

function complaints(levels: readonly Level[], pinned: boolean): string[] {
  const full = levels.find(({ alone }) => (alone.otherBusy ?? 0) > FULL);
  const refused = levels.find(({ alone }) => alone.refused > 0);
  const skipped = levels.find(({ alone }) => alone.snapshots < alone.matchTicks * ALL);
  return [
    ...(full === undefined
      ? []
      : [
          `from ${full.matches} on the OTHER core was full: Redis, gateway and players were the limit`,
        ]),
    ...(refused === undefined ? [] : [`from ${refused.matches} on inputs were refused`]),
    ...(skipped === undefined
      ? []
      : [
          `from ${skipped.matches} on ticks were left out: ${percent(skipped.alone.snapshots / skipped.alone.matchTicks)} of the snapshots due`,
        ]),
    ...(pinned
      ? []
      : ['NOT PINNED to two cores: everything shares what there is, do not quote this']),
  ];
}

import { kinds } from '../../../protocol/index.ts';
import { ask, isSound, settled } from './verdict.ts';
import { outcome, type RunOutcome } from './orders.ts';
import { inputOf } from './shape.ts';
import { useOf, type LoadKind, type LoadStage } from './stage.ts';

/** A level holds S4's shape when the slowest twentieth of its runs takes at most so many times what it should. */
const HOLDS = 1.25;
const LEVEL_LIMIT_MS = 600_000;
/** Below OUTBOX_MAX. */
const MOST_PER_PLAYER = 245;

export interface AtOnceOptions {
  readonly first: number;
  readonly kind: LoadKind;
  readonly ms: number;
  readonly players: number;
}

/** So many requests at once. */
export interface Level {
  readonly requests: number;
  /** What a request of this level takes that waits for nothing, ms. */
  readonly ms: number;
  readonly outcome: RunOutcome;
  readonly workerBytes: number | undefined;
  /** Whether the runs took what they should. */
  readonly holds: boolean;
  readonly sound: boolean;
}

/**
 * `first` requests at once, then twice as many, until their runs take longer than they should or there is no room for
 * more. The last level is as many as there is room for, each long enough that all of them can be asked for before the
 * first is over.
 */
export async function* atOnce(stage: LoadStage, options: AtOnceOptions): AsyncGenerator<Level> {
  const room = Math.min(kinds[options.kind].depth, options.players * MOST_PER_PLAYER);
  let askedPerS = Infinity;
  for (let requests = options.first; requests <= room; requests *= 2) {
    const level = await one(stage, options, requests, options.ms);
    askedPerS = Math.min(askedPerS, requests / Math.max(askingS(level), 0.001));
    yield level;
    if (!level.sound || !level.holds) break;
  }
  const longMs = Math.ceil((room / askedPerS) * 2_000) + options.ms;
  if (longMs <= LONGEST_MS) yield await one(stage, options, room, longMs);
}

const LONGEST_MS = 60_000;

/** About how long it took until all were asked for, s: what the whole took beyond one request's time. */
function askingS({ outcome: { seconds }, ms }: Level): number {
  return Math.max(seconds - ms / 1_000, 0);
}

async function one(
  stage: LoadStage,
  { kind, players }: AtOnceOptions,
  requests: number,
  ms: number,
): Promise<Level> {
  await ask(stage);
  const window = Math.ceil(requests / players);
  const result = await stage.players.ask(
    'run',
    { kind, input: inputOf(ms), nominalMs: ms, total: requests, window, overHttp: false },
    outcome,
    LEVEL_LIMIT_MS,
  );
  const workerBytes = useOf(stage.pids)['worker']?.bytes;
  const leftovers = await settled(stage);
  return {
    requests,
    ms,
    outcome: result,
    workerBytes,
    holds: (result.ran?.p95 ?? Infinity) <= ms * HOLDS,
    sound: isSound(result, leftovers),
  };
}

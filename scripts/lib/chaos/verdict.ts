import { readReplay, type Replay } from '../../../workers/replay/file.ts';
import { Playback } from '../../../workers/replay/play.ts';
import { verifyReplay } from '../../../workers/replay/verify.ts';
import type { AnyGame } from '../../../workers/games/contract.ts';
import { gameNamed } from '../../../workers/games/index.ts';
import type { MatchRecord } from '../../../src/match/records.ts';
import type { SentInput } from './player.ts';
import type { Recorder } from './recorder.ts';

/** Of a recorder, what it has seen. */
export type Witness = Pick<Recorder, 'match' | 'seen' | 'faults' | 'over' | 'endedAt' | 'seenAt'>;

/**
 * An input that left so short a time before the match was over may come after its last tick, ms. It covers a pause
 * within the budget and the way of the input.
 */
const LATE_MS = 2_000;
/** Faults of one match that are worth reading. */
const SHOWN = 5;

export interface Played {
  readonly recorder: Witness;
  readonly record: MatchRecord | undefined;
  /** As the gateway gives it out; undefined where it does not. */
  readonly replay: Uint8Array | undefined;
  /** What the player of each slot sent, by seq. Other slots have no inputs. */
  readonly sent: ReadonlyMap<number, ReadonlyMap<number, SentInput>>;
}

export interface Verdict {
  readonly match: string;
  /** Empty when nothing was lost. */
  readonly faults: readonly string[];
  readonly ticks: number;
  /** Pictures that are the twin's. */
  readonly pictures: number;
  /** Inputs of the tape, and those that were merged into them: two of one slot within a tick. */
  readonly taken: number;
  readonly merged: number;
}

/**
 * Whether a match of an arena that was killed is the one that it would have been: it ended with a result; what watchers
 * saw, tick by tick, is what its unkilled twin shows; and each input was taken once, whole and in its turn.
 */
export async function judge(played: Played): Promise<Verdict> {
  const { recorder, record } = played;
  const { match } = recorder;
  const faults: string[] = [...recorder.faults];
  const none = { match, faults, ticks: 0, pictures: 0, taken: 0, merged: 0 };
  if (record?.state !== 'over' || record.result === undefined) {
    faults.push(`no result: ${record?.failure?.code ?? record?.state ?? 'no record'}`);
  }
  if (recorder.over?.result === undefined) faults.push('its watcher was not told a result');
  if (played.replay === undefined) {
    faults.push('no replay');
    return none;
  }
  try {
    const replay = readReplay(played.replay);
    const verdict = await verifyReplay(gameNamed, replay);
    if (verdict?.valid !== true) faults.push(`verify: ${verdict?.why} ${verdict?.detail}`);
    const game = gameNamed(replay.header.game);
    if (game === undefined) throw new Error(`a replay of ${replay.header.game}`);
    await game.prepare();
    if (JSON.stringify(replay.end.result) !== JSON.stringify(record?.result)) {
      faults.push('the result of the replay is not that of the record');
    }
    const { same, wrong } = recorder.seen.compare(twinOf(game, replay));
    if (same === 0) faults.push('nothing was seen of it');
    faults.push(
      ...wrong.slice(0, SHOWN).map(({ tick, what }) => `picture of tick ${tick}: ${what}`),
    );
    const inputs = inputsOf(replay, played);
    faults.push(...inputs.faults.slice(0, SHOWN));
    const { taken, merged } = inputs;
    return { match, faults, ticks: replay.end.ticks, pictures: same, taken, merged };
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    return none;
  }
}

/** Each tick's picture as an arena sends it that nobody kills: the view, and the last seq taken of each slot. */
function* twinOf(
  game: AnyGame,
  replay: Replay,
): Generator<{ tick: number; vector: Int32Array }, void> {
  const inputs = replay.chunks.flatMap((chunk) => chunk.inputs);
  const seqs = new Int32Array(replay.header.seats.length);
  const playback = new Playback(game, replay);
  let next = 0;
  try {
    for (const state of playback) {
      for (; (inputs[next]?.[0] ?? Infinity) < state.tick; next++) {
        const [, slot = 0, seq = 0] = inputs[next] ?? [];
        seqs[slot] = seq;
      }
      const view = game.vector(state.view());
      const vector = new Int32Array(view.length + seqs.length);
      vector.set(view);
      vector.set(seqs, view.length);
      yield { tick: state.tick, vector };
    }
  } finally {
    playback.free();
  }
}

/** Holds the tape against what went over the wire. */
function inputsOf(
  replay: Replay,
  { sent, recorder }: Played,
): { faults: string[]; taken: number; merged: number } {
  const faults: string[] = [];
  const last = new Map<number, number>();
  let taken = 0;
  let merged = 0;
  for (const [tick, slot, seq, x, y, buttons] of replay.chunks.flatMap((chunk) => chunk.inputs)) {
    const where = `input ${seq} of slot ${slot} at tick ${tick}`;
    const before = last.get(slot) ?? 0;
    last.set(slot, Math.max(before, seq));
    taken++;
    if (seq <= before) faults.push(`${where}: taken twice, ${before} came before`);
    const input = sent.get(slot)?.get(seq);
    if (input === undefined) {
      faults.push(`${where}: nobody sent it`);
      continue;
    }
    // Several of one tick count as the newest, with every button that was pressed in any of them.
    let pressed = 0;
    for (let one = before + 1; one <= seq; one++) pressed |= sent.get(slot)?.get(one)?.buttons ?? 0;
    merged += Math.max(0, seq - before - 1);
    if (input.x !== x || input.y !== y) {
      faults.push(`${where}: ${x}, ${y} was taken where ${input.x}, ${input.y} was sent`);
    }
    if (buttons !== pressed) faults.push(`${where}: buttons ${buttons}, ${pressed} were pressed`);
  }
  const until = (recorder.endedAt ?? recorder.seenAt) - LATE_MS;
  for (const [slot, inputs] of sent) {
    const reached = last.get(slot) ?? 0;
    const missing = [...inputs].filter(([seq, { at }]) => seq > reached && at < until);
    for (const [seq] of missing) faults.push(`input ${seq} of slot ${slot}: never taken`);
  }
  return { faults, taken, merged };
}

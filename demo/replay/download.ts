import { gameSeat } from '../../workers/replay/seat.ts';
import { readReplay, type Replay } from '../../workers/replay/file.ts';
import type * as Knockout from '../../workers/games/knockout/index.ts';
import { seatInfo } from '../names.ts';
import type { Recording } from './recording.ts';

/**
 * The replay that the backend keeps of a match. Every byte of it is held to the file's chain of hashes.
 * @throws Error with a sentence to show; DamagedReplay
 */
export async function downloadReplay(match: string): Promise<Replay> {
  const answer = await fetch(`/v1/matches/${match}/replay`).catch(() => undefined);
  if (!answer) throw new Error('The backend cannot be reached.');
  if (answer.status === 404) throw new Error('There is no replay of this match, or not any more.');
  if (!answer.ok) throw new Error(`The backend gave no replay (${answer.status}).`);
  return readReplay(new Uint8Array(await answer.arrayBuffer()));
}

/**
 * @param player the one at this page, if known
 * @throws Error when it was played with another version of the game
 */
export function recordingOf(
  { header, chunks, end }: Replay,
  { knockout }: typeof Knockout,
  player: string | undefined,
): Recording {
  if (header.game !== knockout.name || header.version !== knockout.version) {
    throw new Error(
      `This match was played with ${header.game} ${header.version}; this page has ${knockout.name} ${knockout.version}.`,
    );
  }
  const mySlot = header.seats.findIndex(
    (seat) => seat.player !== undefined && seat.player === player,
  );
  return {
    seed: header.seed,
    options: knockout.optionsSchema.parse(header.options),
    seats: header.seats.map(gameSeat),
    names: header.seats.map((seat, slot) => seatInfo(seat, slot, slot === mySlot).name),
    mySlot,
    inputs: chunks.flatMap(({ inputs }) =>
      inputs.map(([tick, slot, , x, y, buttons]): Recording['inputs'][number] => {
        return [tick, slot, knockout.fromControls({ x, y, buttons })];
      }),
    ),
    seatings: chunks.flatMap(({ seats }) =>
      seats.map(([tick, slot, seat]): Recording['seatings'][number] => [
        tick,
        slot,
        gameSeat(seat),
      ]),
    ),
    ticks: end.ticks,
    ...(end.hash !== undefined && { hash: end.hash }),
  };
}

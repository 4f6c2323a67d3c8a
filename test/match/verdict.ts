import { expect } from 'vitest';
import { gameNamed } from '../../workers/games/index.ts';
import { readReplay, type Replay } from '../../workers/replay/file.ts';
import { Playback } from '../../workers/replay/play.ts';
import type { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';
import type { Player } from './stage.ts';

/** The replay of a match that is over, by the way that anybody takes. */
export async function replayOf(muster: Muster, match: string): Promise<Replay> {
  let response = new Response();
  await until(async () => {
    response = await muster.fetch(`/v1/matches/${match}/replay`, 'reader');
    return response.ok;
  }).catch((cause: unknown) => {
    throw new Error(`no replay of ${match}: HTTP ${response.status}`, { cause });
  });
  return readReplay(new Uint8Array(await response.arrayBuffer()));
}

/**
 * What the players saw and sent against a twin of the match that nobody killed, simulated again from its replay: every
 * picture is the twin's, the result is the twin's, no picture is missing where `gaps` does not allow it, and each input
 * was taken once, in order, with none that was sent before the last one taken left out.
 * @returns the replay
 */
export async function expectTwin(
  muster: Muster,
  players: readonly Player[],
  { gaps = 0 }: { readonly gaps?: number } = {},
): Promise<Replay> {
  const [first] = players;
  if (first === undefined) throw new Error('nobody to compare');
  const replay = await replayOf(muster, first.match.id);
  const game = gameNamed(replay.header.game);
  if (game === undefined) throw new Error(`a replay of ${replay.header.game}`);
  await game.prepare();
  const playback = new Playback(game, replay);
  const twin = Array.from(playback, (state) => ({
    tick: state.tick,
    vector: game.vector(state.view()),
  }));
  expect(playback.state.result()).toEqual(replay.end.result);
  expect(playback.state.hash()).toBe(replay.end.hash);
  playback.free();
  for (const player of players) {
    const { same, wrong } = player.seen.compare(twin);
    expect(wrong).toEqual([]);
    expect(same).toBe(player.seen.count);
    const { unseen } = player.seen;
    if (unseen.length > gaps) expect(unseen).toEqual([]);
    if (player.match.slot >= 0) expect(wrongInputs(replay, player)).toEqual([]);
  }
  return replay;
}

/** Where the tape tells another story than the player of a slot. */
function wrongInputs(replay: Replay, { match: { slot }, sent }: Player): string[] {
  const wrong: string[] = [];
  const taken = replay.chunks.flatMap(({ inputs }) => inputs).filter((input) => input[1] === slot);
  let before = 0;
  for (const [tick, , seq, x, y, buttons] of taken) {
    const where = `slot ${slot}, tick ${tick}, input ${seq}`;
    const own = sent.get(seq);
    // A tick takes the newest of those that came since the last one, with every button that was down meanwhile.
    let pressed = 0;
    for (let one = before + 1; one <= seq; one++) pressed |= sent.get(one)?.buttons ?? 0;
    if (own === undefined) wrong.push(`${where}: never sent`);
    else if (seq <= before) wrong.push(`${where}: after ${before}`);
    else if (x !== own.x || y !== own.y) wrong.push(`${where}: ${x}, ${y} for ${own.x}, ${own.y}`);
    else if ((own.buttons & ~buttons) !== 0 || (buttons & ~pressed) !== 0)
      wrong.push(`${where}: buttons ${buttons} of ${pressed}`);
    before = Math.max(before, seq);
  }
  const last = Math.max(0, ...sent.keys());
  if (before !== last) wrong.push(`slot ${slot}: ${last} was sent, and ${before} taken last`);
  return wrong;
}

import { resimulate } from './replay/timeline.ts';
import { loadGame } from './source/game.ts';
import { Practice } from './source/practice.ts';
import { Replay } from './source/replay.ts';

const LEVELS = [1, 3, 2, 3, 1, 2, 3, 2];
/** Of the still picture: early, while everybody is up. */
const STILL_TICK = 210;

/** What the lobby's stage shows: bots at play, or one moment of it for who prefers less motion. */
export async function attract(calm: boolean): Promise<Practice | Replay> {
  const game = await loadGame();
  const seed = Math.floor(Math.random() * 2 ** 32);
  const practice = new Practice(game, { seed, levels: LEVELS, withPlayer: false, countdownMs: 0 });
  if (!calm) return practice;
  // With the tick after it, which says how the platform shrinks; the rest is never looked at.
  const recording = { ...practice.recording, ticks: STILL_TICK + 1 };
  practice.close();
  const replay = new Replay(recording, await resimulate(game, recording));
  replay.pause();
  replay.seek(STILL_TICK);
  return replay;
}

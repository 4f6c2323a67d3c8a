import type { Processor } from '../attempt.ts';
import { forecast as roll } from './forecast-core.ts';

export const forecast: Processor<'forecast'> = async (input, context) =>
  await roll(input.position, {
    rollouts: input.rollouts,
    seed: input.seed,
    onProgress: (odds) => void context.progress(odds),
    shouldStop: () => context.signal.aborted,
  });

/** Loads the physics and has its hot loops compiled. */
export async function warmForecast(): Promise<void> {
  const disc = { vx: 0, vy: 0, alive: true, level: 2 };
  const discs = [-6, -2, 2, 6].map((x) => ({ ...disc, x, y: 0 }));
  await roll({ tick: 1_200, discs }, { rollouts: 3, seed: 1 });
}

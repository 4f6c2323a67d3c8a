import type { Running, Stage } from './stage.ts';

/**
 * A worker as in production, without arenas, whose processes would warm up on the cores that are measured.
 * @param cores CPU ids of its children; none: as it chooses. Resolves when each child takes jobs
 */
export async function startWorkerOn(
  stage: Stage,
  redisUrl: string,
  cores: readonly number[],
): Promise<Running> {
  const worker = stage.start({
    name: 'worker',
    file: 'worker.js',
    env: {
      NODE_ENV: 'production',
      REDIS_URL: redisUrl,
      GUESTS: 'on',
      DRILLS: 'on',
      ARENA_MATCHES: '0',
      ...(cores.length > 0 && { CORES: cores.join() }),
    },
    profiled: true,
  });
  // One line a child; they come in any order.
  const children = Math.max(cores.length, 1);
  await worker.line(new RegExp(`(?:"message":"child ready"[\\s\\S]*?){${children}}`));
  return worker;
}

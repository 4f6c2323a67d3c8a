/** `npm run stop`: ends the `npm start` or `npm run dev` of this checkout and waits for its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from './build.mjs';
import { GRACE_MS } from './lib/house.ts';
import { isAlive, readRunning } from './lib/running.ts';

const running = await readRunning(projectRoot());
if (!running) process.stdout.write('nothing of this checkout is running\n');
else {
  process.kill(running.pid, 'SIGTERM');
  const until = performance.now() + GRACE_MS + 10_000;
  while ((await isAlive(running)) && performance.now() < until) await sleep(50);
  const gone = !(await isAlive(running));
  process.stdout.write(gone ? 'ended\n' : `pid ${running.pid} has not ended yet\n`);
  process.exitCode = gone ? 0 : 1;
}

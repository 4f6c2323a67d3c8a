/** `npm run dev`: as `npm start`, and a process begins anew when its source has changed. */
import { watch } from './build.mjs';
import type { House } from './lib/house.ts';
import { keepHouse, say } from './lib/keep.ts';

const PROGRAMS = {
  gateway: ['dist/gateway.js', 'dist/history.js'],
  worker: ['dist/worker.js', 'dist/sandbox.js'],
} as const;

await keepHouse({
  // Whoever has just saved a file does not wait half a minute for the jobs of the old one.
  graceMs: 3000,
  env: { DRAIN_MS: '1000' },
  async whenReady(house: House) {
    const watching = await watch({
      onWritten(changed) {
        for (const name of ['gateway', 'worker'] as const) {
          if (!PROGRAMS[name].some((file) => changed.includes(file))) continue;
          say(`the ${name} has changed: starting it anew`);
          void house[name].restart();
        }
      },
    });
    say('watching the sources');
    return () => watching.stop();
  },
});

import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that look at a whole process: what others left in it would be in the way. */
const OWN_PROCESS = ['test/**/*.test.ts', 'bench/bench.test.ts', '**/memory.test.ts'];

export default defineConfig({
  test: {
    globalSetup: './test/support/global-setup.ts',
    reporters: ['default', './test/support/plain-reporter.ts'],
    // Processes, not threads: tests send signals, and native modules are loaded once per process.
    pool: 'forks',
    // Each file may run a gateway, a worker, its children and a Redis of its own.
    maxWorkers: 3,
    // Limits for what hangs, not measures: a busy machine may take long to start five processes.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{protocol,src,workers,scripts,bench,demo}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...OWN_PROCESS],
          // Loading the same modules for each of two hundred files took as long as running them.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'processes', include: OWN_PROCESS, exclude: [...configDefaults.exclude] },
      },
    ],
  },
});

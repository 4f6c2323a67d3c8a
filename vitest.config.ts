import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{protocol,src,workers,scripts,bench,demo}/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: './test/support/global-setup.ts',
    reporters: ['default', './test/support/plain-reporter.ts'],
    // Processes, not threads: tests send signals, and native modules are loaded once per process.
    pool: 'forks',
    // Each file may run a gateway, a worker, its children and a Redis of its own.
    maxWorkers: 3,
    // Limits for what hangs, not measures: a busy machine may take long to start five processes.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});

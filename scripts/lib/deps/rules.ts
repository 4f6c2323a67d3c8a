/**
 * Who may import what; `npm run check:deps` holds it. Paths are relative to the project's root, `*`
 * fits within one folder and `**` across folders.
 */
export interface Rules {
  /** For each room: the files it may import beside its own. The first room whose name fits counts. */
  rooms: { room: string; mayImport: string[] }[];
  /** Files that are started, never imported. `by` may do it all the same. */
  entries: { file: string; by?: string[] }[];
  /** Vendor packages that are imported in one place, so that there is one place to replace them. */
  vendors: { name: string; only: string[] }[];
  /** Rooms that the vendor rule does not bind. */
  vendorsFree: string[];
  /** Rooms without Node: they run in a browser. */
  noNode: string[];
  /** Folders between whose direct subfolders imports, even of types alone, must not form a loop. */
  layered: string[];
}

export const rules: Rules = {
  rooms: [
    { room: '**/*.test.ts', mayImport: ['**'] },
    { room: '**/*.fixture.ts', mayImport: ['**'] },
    { room: 'vitest.config.ts', mayImport: [] },
    { room: 'protocol/**', mayImport: [] },
    { room: 'src/**', mayImport: ['protocol/**'] },
    {
      room: 'workers/**',
      mayImport: [
        'protocol/**',
        'src/lib/**',
        'src/jobs/**',
        'src/lab/**',
        'src/relay/**',
        'src/match/**',
        'src/history/**',
      ],
    },
    {
      room: 'demo/**',
      mayImport: ['protocol/**', 'workers/games/**', 'workers/replay/**', 'workers/balance/**'],
    },
    { room: 'scripts/**', mayImport: ['protocol/**', 'src/**', 'workers/**'] },
    { room: 'bench/**', mayImport: ['protocol/**', 'src/**', 'workers/**', 'scripts/lib/**'] },
    { room: 'test/**', mayImport: ['**'] },
  ],
  entries: [
    { file: 'src/gateway/main.ts' },
    { file: 'src/history/thread.ts' },
    { file: 'workers/main.ts' },
    { file: 'workers/sandbox.ts' },
    { file: 'workers/arena/main.ts' },
    { file: 'workers/lab/main.ts' },
    { file: 'workers/lab/child.ts' },
    { file: 'demo/main.ts' },
    { file: 'scripts/*.ts' },
    { file: 'bench/*.ts', by: ['bench/**'] },
    { file: 'test/**', by: ['test/**', '**/*.test.ts', '**/*.fixture.ts', 'vitest.config.ts'] },
    { file: '**/*.fixture.ts', by: ['**/*.test.ts', '**/*.fixture.ts'] },
  ],
  vendors: [
    { name: 'uWebSockets.js', only: ['src/gateway/uws.ts'] },
    { name: 'msgpackr', only: ['protocol/msgpack.ts'] },
    { name: 'jose', only: ['src/gateway/auth.ts'] },
    { name: 'ioredis', only: ['src/lib/redis.ts'] },
    { name: 'bullmq', only: ['src/jobs/**', 'src/admin/**', 'workers/**'] },
    { name: 'openskill', only: ['workers/**'] },
    { name: 'piscina', only: ['workers/lab/**'] },
    { name: '@dimforge/rapier2d-compat', only: ['workers/games/**'] },
    { name: '@bull-board/*', only: ['src/admin/**'] },
    { name: '@libsql/client', only: ['src/history/store.ts'] },
    { name: 'esbuild', only: ['scripts/**'] },
    { name: 'playwright-core', only: ['test/**'] },
  ],
  // Measurements compare with the vendors themselves; tests, and suites of tests that each
  // implementation of a contract runs, look from the outside.
  vendorsFree: ['bench/**', 'test/**', '**/*.test.ts', '**/*.fixture.ts', '**/suite.ts'],
  noNode: ['protocol/**', 'workers/replay/**', 'workers/balance/**'],
  layered: ['src'],
};

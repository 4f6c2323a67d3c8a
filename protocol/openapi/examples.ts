import type { KindName, RequestInput } from '../kinds/index.ts';

const disc = { x: 0, y: 0, vx: 0, vy: 0, alive: true, level: 2 } as const;

/** An input of each kind that can be sent as it stands. A kind without one is documented without an example. */
export const inputExamples: { readonly [N in KindName]?: RequestInput<N> } = {
  balance: { axes: [{ option: 'dashSpeed', values: [4, 8] }], matches: 20 },
  drill: { act: 'sleep', ms: 500, reports: 3 },
  drill_batch: { act: 'echo' },
  drill_gate: { ms: 500 },
  drill_parts: { parts: 100, spinMs: 1 },
  forecast: {
    position: {
      tick: 300,
      discs: [
        { ...disc, x: -3 },
        { ...disc, x: 3, level: 1 },
      ],
    },
    rollouts: 100,
  },
  matchmake: { queue: 'knockout', regions: { eu: 30 } },
  narrate: { players: ['Ada', 'Bo'], falls: [{ at: 12, player: 1, by: 0 }] },
  pipeline: { firstMs: 50, secondMs: 80, thenMs: 20 },
  verify: { match: 'AAAA-_09zzzzAAAA' },
};

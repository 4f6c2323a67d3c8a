import type { Note } from './note.ts';

/** What is noted of request `r-N` of ann, accepted at `at` and over 10 ms later; each fourth one failed. */
export function ended(n: number, at: number): Note[] {
  const name = { player: 'ann', id: `r-${n}`, kind: 'pipeline' };
  return [
    { is: 'accepted', ...name, at, queuedAt: at, deadline: at + 1_000 },
    { is: 'report', ...name, attempt: 1, seq: 1, at, value: 'x'.repeat(1_000) },
    {
      is: 'ended',
      ...name,
      attempt: 1,
      at: at + 10,
      state: n % 4 === 0 ? 'failed' : 'done',
      ran: { worker: 'w-1', core: 3, pid: 77, waitedMs: 1, ms: 10 - (n % 10) },
    },
  ];
}

import type { Watched } from './reading.ts';

/** What the operations page says of the history. */
export interface HistoryReading {
  readonly text: string;
  readonly isWrong: boolean;
}

/** Somebody who looks at a dashboard does not wait for a busy database, ms. */
const PATIENCE_MS = 1_000;

export async function readHistory({ history }: Watched): Promise<HistoryReading> {
  if (history === undefined) {
    return { text: 'Off: HISTORY_URL is not set, so nothing is recorded.', isWrong: false };
  }
  const { state } = history;
  if (state.is === 'starting') return { text: 'Starting.', isWrong: false };
  if (state.is === 'failing') {
    const since = new Date(state.since).toISOString().slice(11, 19);
    const what = `Not written since ${since} UTC (${state.code}: ${state.why}).`;
    return { text: `${what} The game goes on; notes wait in Redis.`, isWrong: true };
  }
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    late = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  const size = await Promise.race([history.ask('size', {}).catch(() => undefined), patience]);
  clearTimeout(late);
  const ago = Math.max(Math.round((Date.now() - state.at) / 1_000), 0);
  const wrote = `Written: ${state.notes.toLocaleString('en')} notes by this gateway, the last ${ago} s ago.`;
  if (size === undefined) return { text: `${wrote} Its size is not known.`, isWrong: false };
  const mb = size.bytes === null ? '' : ` in ${(size.bytes / 1_048_576).toFixed(1)} MiB`;
  const holds = `It holds ${size.requests.toLocaleString('en')} requests${mb}.`;
  return { text: `${wrote} ${holds}`, isWrong: false };
}

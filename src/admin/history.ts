import { HistoryThread, type History } from '../history/history.ts';
import type { Notes } from '../history/notes.ts';
import type { Config } from '../lib/config.ts';
import type { Log } from '../lib/log.ts';
import type { Watched } from './reading.ts';
import { Sampler } from './sampler.ts';

/**
 * Starts a gateway's part in writing the history: the thread that has the database, and the samples of what queues do.
 * @param entry the thread's, as built
 */
export function openHistory(
  gateway: Watched & { readonly notes: Notes },
  entry: URL,
  config: Pick<Config, 'HISTORY_SAMPLE_MS'>,
  log: Log,
): History & { stop(): Promise<void> } {
  const thread = new HistoryThread(gateway.name, entry, gateway.counters, log);
  const sampler = new Sampler(gateway, gateway.notes, config.HISTORY_SAMPLE_MS, log);
  return {
    get state() {
      return thread.state;
    },
    ask: async (question, ask) => await thread.ask(question, ask),
    stop: async () => {
      sampler.stop();
      await thread.stop();
    },
  };
}

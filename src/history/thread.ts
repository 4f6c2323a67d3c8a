/**
 * Entry of the history's thread in a gateway: it alone calls the database, whose calls hold up the thread that makes
 * them. The gateway hears its state and asks it by messages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { readConfig } from '../lib/config.ts';
import { Counters } from '../lib/counters.ts';
import { createLog } from '../lib/log.ts';
import { connectRedis } from '../lib/redis.ts';
import { Historian } from './historian.ts';
import { answer } from './queries.ts';
import { questions, type Question } from './questions.ts';
import { NoteQueue } from './queue.ts';
import { HistoryStore } from './store.ts';
import { toThread, type FromThread } from './words.ts';

const port = parentPort;
if (port === null) throw new Error('the history runs in a thread of a gateway');
const say = (word: FromThread): void => port.postMessage(word);

/** Counts at the gateway, where metrics are read. */
class ToldCounters extends Counters {
  override add(name: string, cause = '', by = 1): void {
    if (by > 0) say({ is: 'counted', name, cause, by });
  }
}

const config = readConfig();
const gateway = String(workerData);
const log = createLog(config.LOG_LEVEL, { role: 'history', gateway });
const counters = new ToldCounters();
const connect = (role: string) =>
  connectRedis(config.REDIS_URL, `history-${gateway}-${role}`, (error) =>
    log.warn('redis', { error: error.message }),
  );
const waiting = connect('inbox');
const working = connect('work');
const store = new HistoryStore(config, (name) => {
  counters.add('history_failed', 'set_aside');
  log.error('the history was no database any more: it was set aside, and a new one begun', {
    name,
  });
});
const historian = new Historian({
  store,
  inbox: new NoteQueue(waiting),
  queue: new NoteQueue(working),
  name: gateway,
  counters,
  log,
  tell: (state) => say({ is: 'state', state }),
});
historian.start();

port.on('message', (message: unknown) => {
  const word = toThread.parse(message);
  if (word.is === 'ask') return void reply(word.n, word.question, word.ask);
  // A waiting command would keep it from leaving.
  waiting.disconnect();
  void historian.stop().finally(() => {
    working.disconnect();
    store.close();
    port.close();
  });
});

async function reply(n: number, question: string, ask: unknown): Promise<void> {
  try {
    if (!isQuestion(question)) throw new Error(`nobody knows the question ${question}`);
    say({ is: 'answer', n, answer: await answer(store, question, ask as never) });
  } catch (error) {
    log.warn('history not read', { question, error });
    say({ is: 'refused', n, why: error instanceof Error ? error.message : String(error) });
  }
}

function isQuestion(text: string): text is Question {
  return Object.hasOwn(questions, text);
}

import { Worker } from 'node:worker_threads';
import { Refusal } from '../../protocol/index.ts';
import type { Counters } from '../lib/counters.ts';
import type { Log } from '../lib/log.ts';
import type { HistoryState } from './historian.ts';
import { questions, type Answer, type Ask, type Question } from './questions.ts';
import { fromThread, type ToThread } from './words.ts';

/** An answer that is not there by then is given up, ms: the database may be busy, or the thread. */
const ANSWER_MS = 5_000;
/** Questions that may be on their way at once. */
const ASKED_MAX = 64;
/** Until a thread that ended is begun again, ms. */
const AGAIN_MS = 5_000;
/** How long a gateway that leaves waits for it, ms. */
const GOODBYE_MS = 2_000;

/** What a gateway's operator sees of the history. */
export interface History {
  readonly state: HistoryState;
  /** @throws Refusal unavailable */
  ask<Q extends Question>(question: Q, ask: Ask<Q>): Promise<Answer<Q>>;
}

interface Asked {
  readonly answered: (answer: unknown) => void;
  readonly refused: (why: string) => void;
}

/** The history's thread, as its gateway sees it. */
export class HistoryThread implements History {
  state: HistoryState = { is: 'starting' };
  private thread: Worker | undefined;
  private readonly asked = new Map<number, Asked>();
  private last = 0;
  private again: NodeJS.Timeout | undefined;
  private stopped = false;

  /** @param entry the thread's, as built */
  constructor(
    private readonly gateway: string,
    private readonly entry: URL,
    private readonly counters: Counters,
    private readonly log: Log,
  ) {
    this.begin();
  }

  async ask<Q extends Question>(question: Q, ask: Ask<Q>): Promise<Answer<Q>> {
    if (this.thread === undefined) throw new Refusal('unavailable', 'the history has no thread');
    if (this.asked.size >= ASKED_MAX) {
      this.counters.add('history_refused', 'too_many');
      throw new Refusal('unavailable', 'the history has too much to answer');
    }
    const n = ++this.last;
    const answer = await new Promise<unknown>((resolve, reject) => {
      const refused = (why: string): void => {
        this.counters.add('history_refused', 'failed');
        reject(new Refusal('unavailable', `the history: ${why}`));
      };
      const late = setTimeout(() => this.asked.get(n)?.refused('no answer in time'), ANSWER_MS);
      const over = (): void => {
        clearTimeout(late);
        this.asked.delete(n);
      };
      this.asked.set(n, {
        answered: (value) => {
          over();
          resolve(value);
        },
        refused: (why) => {
          over();
          refused(why);
        },
      });
      this.tell({ is: 'ask', n, question, ask });
    });
    return questions[question].answer.parse(answer) as Answer<Q>;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.again);
    const { thread } = this;
    if (thread === undefined) return;
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    this.tell({ is: 'leave' });
    const late = setTimeout(() => void thread.terminate(), GOODBYE_MS);
    await ended;
    clearTimeout(late);
  }

  private begin(): void {
    const thread = new Worker(this.entry, { workerData: this.gateway });
    this.thread = thread;
    thread.on('message', (message: unknown) => this.hear(message));
    thread.on('error', (error) => this.log.error('history thread failed', { error }));
    thread.once('exit', () => this.ended());
  }

  private ended(): void {
    this.thread = undefined;
    for (const { refused } of this.asked.values()) refused('its thread ended');
    if (this.stopped) return;
    this.counters.add('history_failed', 'thread');
    const why = 'its thread ended, and is begun again';
    this.state = { is: 'failing', since: Date.now(), code: 'THREAD', why };
    this.again = setTimeout(() => this.begin(), AGAIN_MS);
  }

  private hear(message: unknown): void {
    const word = fromThread.parse(message);
    if (word.is === 'state') this.state = word.state;
    else if (word.is === 'counted') this.counters.add(word.name, word.cause, word.by);
    else if (word.is === 'answer') this.asked.get(word.n)?.answered(word.answer);
    else this.asked.get(word.n)?.refused(word.why);
  }

  private tell(word: ToThread): void {
    this.thread?.postMessage(word);
  }
}

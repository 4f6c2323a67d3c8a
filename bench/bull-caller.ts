/**
 * Who asks BullMQ alone: adds a job and is told of its end by QueueEvents. It listens to the events itself, because
 * job.waitUntilFinished asks Redis once more for each job.
 */
import { Queue, QueueEvents } from 'bullmq';
import { z } from 'zod';
import { connect, jobOptions, PLAIN_QUEUE } from './lib/bull.ts';
import { drive } from './lib/drive.ts';

const startOrder = z.object({ url: z.string() });

interface Waiting {
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

const waiting = new Map<string, Waiting>();
let queue: Queue | undefined;
let last = 0;

async function ask(): Promise<void> {
  const id = `r${++last}`;
  const ended = new Promise<void>((done, failed) => waiting.set(id, { done, failed }));
  // The same data as our own jobs carry.
  const data = { player: 'bench', id, input: { act: 'echo' }, deadline: Date.now() + 60_000 };
  await queue?.add('drill', data, { ...jobOptions, jobId: id });
  await ended;
  waiting.delete(id);
}

drive(ask, {
  start: async (given) => {
    const { url } = startOrder.parse(given);
    queue = new Queue(PLAIN_QUEUE, { connection: connect(url) });
    const events = new QueueEvents(PLAIN_QUEUE, { connection: connect(url) });
    events.on('completed', ({ jobId }) => waiting.get(jobId)?.done());
    events.on('failed', ({ jobId, failedReason }) => {
      waiting.get(jobId)?.failed(new Error(failedReason));
    });
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    return true;
  },
});

import { duel } from './duel.ts';
import { knockout } from './knockout.ts';
import type { MatchQueue } from './queue.ts';

/** Every matchmaking queue. Adding one is its file and a line here. */
export const queues = { duel, knockout } as const satisfies {
  [N in string]: MatchQueue<N>;
};

export type QueueName = keyof typeof queues;
export const matchQueues = Object.keys(queues) as [QueueName, ...QueueName[]];

export function queueNamed(name: QueueName): MatchQueue<QueueName> {
  return queues[name];
}

export { defineQueue, seatsOf, type MatchQueue } from './queue.ts';

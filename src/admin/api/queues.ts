import * as z from 'zod';
import { Refusal } from '../../../protocol/index.ts';
import { kindDepth, laneMoment } from '../../history/note.ts';
import { jobStates, readBehind, type Watched } from '../reading.ts';
import { sampleOf } from '../sampler.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

export const queueStatus = z.object({
  /** ms since 1970. */
  at: z.number(),
  lanes: z.array(
    laneMoment.extend({
      /** Jobs of the lane's queue as it counts them; an arena's matches have none. */
      jobs: z.record(z.enum(jobStates), z.int()).optional(),
    }),
  ),
  kinds: z.array(kindDepth),
  workers: z.array(
    z.object({
      worker: z.string(),
      lanes: z.array(z.string()),
      cores: z.array(z.int().nullable()),
      ioSlots: z.int(),
      busy: z.int(),
    }),
  ),
});

export type QueueStatus = z.infer<typeof queueStatus>;

/** Queue status of this moment. */
export function queueEndpoints(gateway: Watched): readonly Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/queues',
      summary: 'What waits and runs now: by lane, by kind, and at each worker.',
      tag: 'queues',
      reply: queueStatus,
      answer: async () => {
        const behind = await readBehind(gateway);
        if (behind === undefined) throw new Refusal('unavailable');
        const { at, lanes, kinds } = sampleOf(behind);
        const jobsOf = (lane: string) => behind.lanes.find((one) => one.lane === lane)?.jobs;
        return {
          at,
          lanes: lanes.map((one) => ({ ...one, jobs: jobsOf(one.lane) })),
          kinds,
          workers: [...behind.workers],
        };
      },
    }),
  ];
}

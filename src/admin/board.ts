import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Hono } from 'hono';
import type { Queues } from '../jobs/queues.ts';
import { jobId } from '../relay/keys.ts';

type ServerAdapter = Parameters<typeof createBullBoard>[0]['serverAdapter'];

const LANES = {
  cpu: 'Sandboxed processors, one at a time per pinned core.',
  io: 'Async processors, thousands at a time per process.',
} as const;

/**
 * The dashboard's page of one job decodes the id it asks for once too often, and a player's name is percent-encoded
 * in the id.
 */
class LaneAdapter extends BullMQAdapter {
  override async getJob(id: string): ReturnType<BullMQAdapter['getJob']> {
    const job = await super.getJob(id);
    const slash = id.lastIndexOf('/');
    if (job !== undefined || slash < 0) return job;
    return await super.getJob(jobId(id.slice(0, slash), id.slice(slash + 1)));
  }
}

/** Bull Board over the lanes' queues. @param path where it is mounted */
export function queueBoard(queues: Queues, path: string): Hono {
  const serverAdapter = new HonoAdapter(serveStatic).setBasePath(path);
  createBullBoard({
    queues: (['cpu', 'io'] as const).map(
      (lane) => new LaneAdapter(queues.lane(lane), { description: LANES[lane] }),
    ),
    // The adapter may have been typed against another patch release of the same interface.
    serverAdapter: serverAdapter as object as ServerAdapter,
    options: {
      // Left to itself Bull Board looks from its own file, which a bundle does not have.
      uiBasePath: dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json')),
      uiConfig: {
        boardTitle: 'Muster queues',
        hideDocsLink: true,
        miscLinks: [{ text: 'Operations', url: '/' }],
      },
    },
  });
  return serverAdapter.registerPlugin();
}

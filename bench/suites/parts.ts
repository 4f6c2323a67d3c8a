import WebSocket from 'ws';
import { connect } from '../../protocol/client/index.ts';
import { whole } from '../lib/figures.ts';
import { childrenOf, residentBytes } from '../../scripts/lib/measure/proc.ts';
import { GATEWAY_ENV, say } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

/** The most that one workload may have. */
const PARTS = 50_000;
/** Before memory is compared: code, caches and the room V8 keeps for young objects are there by then. */
const WARM = 0.2;

interface Moment {
  readonly done: number;
  readonly gateway: number;
  readonly worker: number;
  readonly children: number;
  readonly redis: number;
}

/** What one part of a workload costs, and whether memory grows with their number. */
export const parts: Suite = async (stage) => {
  const [core] = stage.cores.slice(-1);
  const redis = await stage.redis();
  const gateway = await stage.gateway(redis.url);
  const env = { ...GATEWAY_ENV, REDIS_URL: redis.url, ARENA_MATCHES: '0', IO_CONCURRENCY: '0' };
  const worker = stage.start({
    name: 'worker',
    file: 'worker.js',
    env: { ...env, ...(core !== undefined && { CORES: String(core) }) },
  });
  await worker.line(/"message":"child ready"/);
  const client = connect({ url: `ws://127.0.0.1:${gateway.port}/v1/socket`, WebSocket });
  stage.atEnd(() => client.close());
  await client.ready;
  const run = async (count: number, onProgress?: (done: number) => void): Promise<number> => {
    const began = performance.now();
    const { result } = await client.request(
      'drill_parts',
      { parts: count },
      { onProgress: ({ done }) => onProgress?.(done) },
    );
    if (result.sum !== (count * (count + 1)) / 2) throw new Error(`the sum is ${result.sum}`);
    return performance.now() - began;
  };
  await run(2_000);

  const moments: Moment[] = [];
  say(`parts: one workload of ${whole(PARTS)} parts`);
  const tookMs = await run(PARTS, (done) => {
    const children = childrenOf(worker.pid).map((pid) => resident(pid));
    moments.push({
      done,
      gateway: resident(gateway.pid),
      worker: resident(worker.pid),
      children: children.reduce((sum, bytes) => sum + bytes, 0),
      redis: resident(redis.pid),
    });
  });

  const settled = moments.filter(({ done }) => done >= PARTS * WARM);
  const [first, last] = [settled[0], settled.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there were no reports');
  const sum = ({ gateway: g, worker: w, children, redis: r }: Moment) => g + w + children + r;
  const most = Math.max(...settled.map(sum));
  const row = (name: string, { done, ...bytes }: Moment) => [
    name,
    whole(done),
    ...Object.values(bytes).map((one) => (one / 1_048_576).toFixed(1)),
  ];
  return {
    rows: [
      ['', 'parts done', 'gateway MiB', 'worker MiB', 'children MiB', 'Redis MiB'],
      row('a fifth done', first),
      row('nearly all done', last),
    ],
    notes: [
      `${whole(PARTS)} parts that do nothing in ${(tookMs / 1_000).toFixed(1)} s on one core: ${whole(PARTS / (tookMs / 1_000))} parts/s, ${(tookMs / PARTS).toFixed(2)} ms a part`,
      `memory of all together at most ${(most / sum(first)).toFixed(2)} times what it was with a fifth done; no part is kept in a process`,
    ],
    report: {
      suite: 'parts',
      ratios: { memory_all_over_fifth: most / sum(first) },
      figures: {
        parts: PARTS,
        parts_per_s: PARTS / (tookMs / 1_000),
        ms_per_part: tookMs / PARTS,
        rss_most_bytes: most,
      },
    },
  };
};

function resident(pid: number): number {
  return residentBytes(pid) ?? 0;
}

import { beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { end, requestId } from '../protocol/index.ts';
import { jobStatus, matchList, type Document } from '../protocol/openapi/index.ts';
import { faultsOf } from '../protocol/openapi/sound.fixture.ts';
import { advice, efficiency, measuredJob } from '../src/plan/index.ts';
import { Muster } from './support/muster.ts';
import { freePort } from './support/ports.ts';
import { spawnNode } from './support/process.ts';
import { until } from './support/until.ts';

let muster: Muster;
let dashboard: string;

beforeAll(async () => {
  const port = await freePort();
  dashboard = `http://127.0.0.1:${port}`;
  muster = await Muster.start({ gatewayEnv: { ADMIN_PORT: String(port) } });
  await muster.gateway.process.waitForLine(/dashboard listens/);
});

async function lanes(): Promise<z.output<typeof efficiency>[]> {
  const answer: unknown = await (await fetch(`${dashboard}/v1/efficiency`)).json();
  return z.object({ lanes: z.array(efficiency) }).parse(answer).lanes;
}

test('a plan is made from how a kind has run, by call and by command', async () => {
  const client = await muster.connect();
  await client.request('drill', { act: 'sleep', ms: 120 });
  const body = JSON.stringify({ kind: 'drill', machine: { cores: 4, memoryMb: 8_192 } });
  let answer = new Response();
  await until(async () => {
    answer = await fetch(`${dashboard}/v1/plan`, { method: 'POST', body });
    // The dashboard hears of the run from the worker's beat.
    return answer.ok;
  });
  const { measured, lane } = advice.extend({ measured: measuredJob }).parse(await answer.json());
  expect([lane, measured.kind, measured.count]).toEqual(['cpu', 'drill', 1]);
  expect(measured.meanMs).toBeGreaterThanOrEqual(115);

  const command = spawnNode('dist/scripts/plan.js', {}, ['--kind', 'drill', '--url', dashboard]);
  await command.waitForLine(/drill {2}1 runs: mean/);
  await command.exited;
  expect(command.output()).toContain('coresPerWorker');
});

test('a worker says how many slots of each lane it has and how many are busy', async () => {
  await until(async () => (await lanes()).some(({ slots }) => slots > 0));
  const slots = (await lanes()).map((one) => [one.lane, one.slots]);
  expect(slots).toEqual([
    ['cpu', 1],
    ['io', 2_000],
  ]);
});

test("what the players' port answers is what its document says", async () => {
  const { http } = muster.gateway;
  const document = (await (await fetch(`${http}/v1/openapi.json`)).json()) as Document;
  expect(faultsOf(document)).toEqual([]);
  const example = document.paths['/v1/jobs/pipeline']?.post?.requestBody?.content;
  const input = JSON.stringify(example?.['application/json']?.example);

  const asked = await muster.fetch('/v1/jobs/pipeline', 'ann', { method: 'POST', body: input });
  const taken = jobStatus.parse(await asked.json());
  const status = jobStatus.or(end);
  await until(async () => {
    const answer: unknown = await (await muster.fetch(`/v1/jobs/${taken.id}`, 'ann')).json();
    return status.parse(answer).state === 'done';
  });
  expect(requestId.safeParse(taken.id).success).toBe(true);
  matchList.parse(await (await fetch(`${http}/v1/matches`)).json());
  expect((await fetch(`${http}/v1/openapi.json`, { method: 'POST' })).status).toBe(404);
});

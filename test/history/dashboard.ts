import { expect } from 'vitest';
import type { RequestLife } from '../../src/history/questions.ts';
import type { Muster, TestGateway } from '../support/muster.ts';
import { until } from '../support/until.ts';

/** What a gateway's dashboard answers, as its body says. @throws Error with the body when it refuses */
export async function ask<T>(path: string, gateway: TestGateway): Promise<T> {
  const [, port] = await gateway.process.waitForLine(/"dashboard listens".*"port":(\d+)/);
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(body));
  return body as T;
}

/** The request's row once it says that it has ended. */
export async function lifeOf(
  player: string,
  id: string,
  gateway: TestGateway,
): Promise<RequestLife> {
  let life: RequestLife | undefined;
  await until(async () => {
    const path = `/v1/history/requests/${player}/${id}`;
    life = await ask<RequestLife>(path, gateway).catch(() => undefined);
    return life?.endedAt !== null && life !== undefined && life.acceptedAt !== null;
  });
  return life as RequestLife;
}

/** Over HTTP, without waiting for its end. */
export async function submit(
  muster: Muster,
  player: string,
  id: string,
  kind: string,
  input: object,
): Promise<void> {
  const headers = { 'idempotency-key': id };
  const call = { method: 'POST', headers, body: JSON.stringify(input) };
  expect((await muster.fetch(`/v1/jobs/${kind}`, player, call)).status).toBe(202);
}

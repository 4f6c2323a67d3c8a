import * as z from 'zod';
import { parsed } from '../../src/lib/json.ts';
import { projectRoot } from '../build.mjs';
import { readRunning } from './running.ts';

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Calls of the operator's API. */
export type Operator = (path: string, body?: object) => Promise<unknown>;

/**
 * The operator's API of the running `npm start` of this checkout, or of the dashboard at an address; with
 * ADMIN_PASSWORD where it has one. Calls throw an Error with what was answered instead.
 * @throws Error when nothing runs here and no address is given
 */
export async function findOperator(url: string | undefined): Promise<Operator> {
  const running = url === undefined ? await readRunning(projectRoot()) : undefined;
  const base = url?.replace(/\/+$/, '') ?? running?.dashboard;
  if (base === undefined)
    throw new Error('nothing runs here: start it with "npm start", or name another with --url');
  return async (path, body) => await call(`${base}${path}`, body);
}

async function call(url: string, body: object | undefined): Promise<unknown> {
  const password = process.env['ADMIN_PASSWORD'] ?? '';
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  const response = await fetch(url, {
    headers: password === '' ? {} : { authorization },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok) return answer;
  if (response.status === 401) throw new Error('the dashboard has a password: set ADMIN_PASSWORD');
  const is = refusal.safeParse(answer);
  if (!is.success) throw new Error(`status ${response.status}: ${text.trim()}`);
  throw new Error(`${is.data.error.code}: ${is.data.error.message}`);
}

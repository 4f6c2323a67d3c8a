import { Refusal, requestId } from '../../../protocol/index.ts';
import { randomId } from '../../lib/ids.ts';
import type { Counters } from '../../lib/counters.ts';
import { refused } from '../../lib/refused.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { RequestName } from '../../jobs/job-data.ts';
import type { Log } from '../../lib/log.ts';
import { bearer, type Auth } from '../auth.ts';
import type { Doors } from '../doors.ts';
import type { Exchange } from '../uws.ts';
import { parseJson } from './json.ts';
import type { Limiter } from './limiter.ts';
import type { MatchShelf } from './matches.ts';
import { describe, type Watchers } from './watchers.ts';

export interface ApiParts {
  readonly auth: Auth;
  readonly doors: Doors;
  readonly jobs: Jobs;
  readonly watchers: Watchers;
  readonly shelf: MatchShelf;
  readonly limiter: Limiter;
  /** Whether players without a token are admitted. */
  readonly guests: boolean;
  readonly bodyMaxBytes: number;
  readonly counters: Counters;
  readonly log: Log;
  /** undefined while a request can be served end to end; else what is missing. */
  readonly notReady: () => Promise<string | undefined>;
  /** The OpenAPI document of this port. */
  readonly document: () => Promise<string>;
  /** Whatever is not the API: the demo's page in development. @returns false when there is nothing at the path */
  readonly page: (exchange: Exchange) => boolean;
}

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const;
const DOCUMENT = '/v1/openapi.json';
const JOBS = /^\/v1\/jobs\/([^/]+)(\/stream)?$/;

/** The jobs API and the health checks, on the players' port. */
export function createApi(parts: ApiParts): (exchange: Exchange) => void {
  return (exchange) => {
    answer(exchange, parts).catch((error: unknown) => fail(exchange, error, parts));
  };
}

async function answer(exchange: Exchange, parts: ApiParts): Promise<void> {
  const { method, path } = exchange;
  if (path === '/healthz') return exchange.reply(200, JSON_HEADERS, '{"ok":true}');
  if (path === '/readyz') {
    const missing = await parts.notReady();
    const body = JSON.stringify({ ready: missing === undefined, missing });
    return exchange.reply(missing === undefined ? 200 : 503, JSON_HEADERS, body);
  }
  if (parts.shelf.has(path)) {
    await admitReader(exchange, parts);
    return await parts.shelf.answer(exchange);
  }
  if (path === DOCUMENT && method === 'GET') {
    parts.limiter.take(`address ${parts.doors.addressOf(exchange)}`);
    return exchange.reply(200, JSON_HEADERS, await parts.document());
  }
  const [, name, stream] = JOBS.exec(path) ?? [];
  if (name === undefined) {
    if (method === 'GET' && parts.page(exchange)) return;
    throw new Refusal('not_found', path);
  }
  checkOrigin(exchange, parts);
  const player = await playerOf(exchange, parts);
  if (method === 'POST' && stream === undefined) return await submit(exchange, parts, player, name);
  if (method === 'GET' && stream === undefined)
    return await sendStatus(exchange, parts, { player, id: name }, true);
  if (method === 'GET') return await parts.watchers.stream(exchange, { player, id: name });
  if (method === 'DELETE' && stream === undefined) {
    await parts.jobs.cancel({ player, id: name });
    return await sendStatus(exchange, parts, { player, id: name }, false);
  }
  throw new Refusal('not_found', `${method} ${path}`);
}

async function submit(
  exchange: Exchange,
  parts: ApiParts,
  player: string,
  kind: string,
): Promise<void> {
  const id = exchange.idempotencyKey === '' ? randomId(12) : exchange.idempotencyKey;
  if (!requestId.safeParse(id).success)
    throw new Refusal('invalid_body', 'Idempotency-Key: bad request id');
  const body = await exchange.body();
  if (body === undefined)
    throw new Refusal('input_too_large', `at most ${parts.bodyMaxBytes} bytes`);
  const input = parseJson(body);
  const deadlineMs = readDeadline(exchange.query.get('deadlineMs'));
  const taken = await parts.jobs.submit({ player, id, kind, input, deadlineMs }, '');
  const { deadline, ...status } = taken;
  const headers = { ...JSON_HEADERS, location: `/v1/jobs/${id}` };
  exchange.reply(
    202,
    headers,
    JSON.stringify({ ...status, deadline: new Date(deadline).toISOString() }),
  );
}

/** @param acknowledges whether an end counts as delivered when it is read by this call */
async function sendStatus(
  exchange: Exchange,
  parts: ApiParts,
  name: RequestName,
  acknowledges: boolean,
): Promise<void> {
  const found = await parts.jobs.find(name);
  if (found === undefined) throw new Refusal('unknown_request');
  if (exchange.aborted.aborted) return;
  exchange.reply(200, JSON_HEADERS, JSON.stringify(describe(name.id, found)));
  // Whoever works over HTTP alone has no other way to acknowledge an end.
  if (!acknowledges || found.end === undefined) return;
  // Not awaited: the answer is out, and a store that takes no writes must not bring another.
  parts.jobs.records.seen(name).catch((error: unknown) => {
    parts.log.warn('end not acknowledged', { error });
  });
}

function checkOrigin({ origin }: Exchange, { doors }: ApiParts): void {
  if (!doors.originAllowed(origin)) throw new Refusal('unauthorized', 'origin');
}

/** Who only looks needs no token where guests need none. */
async function admitReader(exchange: Exchange, parts: ApiParts): Promise<void> {
  checkOrigin(exchange, parts);
  if (parts.guests && bearer(exchange.authorization) === '')
    parts.limiter.take(`address ${parts.doors.addressOf(exchange)}`);
  else await playerOf(exchange, parts);
}

async function playerOf(exchange: Exchange, parts: ApiParts): Promise<string> {
  const token = bearer(exchange.authorization);
  // A guest without a token could never ask for the result again.
  if (token === '') throw new Refusal('unauthorized', 'bring a token in the Authorization header');
  const verdict = await parts.auth.verify(token);
  if (!verdict.ok) throw new Refusal('unauthorized', verdict.why);
  const { player } = verdict.identity;
  parts.limiter.take(player);
  return player;
}

function readDeadline(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^[1-9]\d{0,7}$/.test(text))
    throw new Refusal('invalid_body', 'deadlineMs: must be 1 to 99999999');
  return Number(text);
}

function fail(exchange: Exchange, error: unknown, parts: ApiParts): void {
  if (!(error instanceof Refusal))
    parts.log.error('exchange failed', { path: exchange.path, error });
  const { code, status, headers, body } = refused(error);
  parts.counters.add('exchanges_refused', code);
  exchange.reply(status, headers, body);
}

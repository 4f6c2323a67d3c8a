import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { KeptRuns } from '../jobs/kept-runs.ts';
import type { Config } from '../lib/config.ts';
import type { Log } from '../lib/log.ts';
import type { Lab } from '../lab/lab.ts';
import { mount, operatorApi } from './api/index.ts';
import { SCRIPT, STYLE } from './assets.ts';
import { queueBoard } from './board.ts';
import { apiDocs, DOCS_POLICY } from './docs.ts';
import { readHistory } from './history-reading.ts';
import { login } from './login.ts';
import { Metrics } from './metrics.ts';
import { operationsPage } from './page.ts';
import { WINDOW_MS } from './plan/endpoints.ts';
import { LaneWatch } from './plan/lanes.ts';
import { RecordedRuns } from './plan/recorded-runs.ts';
import { readBehind, type Watched } from './reading.ts';

export type { Watched } from './reading.ts';

export interface Admin {
  readonly port: number;
  stop(): Promise<void>;
}

type AdminConfig = Pick<
  Config,
  'ADMIN_HOST' | 'ADMIN_PORT' | 'ADMIN_PASSWORD' | 'TRUST_FLY_CLIENT_IP' | 'DRILLS'
>;

const QUEUES = '/queues';
const DOCS = '/docs';
/** Of a job's data as the queue dashboard may send it. */
const BODY_MAX_BYTES = 1_048_576;

const OWN_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'";
// Bull Board styles its elements inline. Its page also asks a foreign host for a font, and does well without.
const BOARD_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'";

/**
 * The operator's port: operations page, queue dashboard, metrics. Players' sockets do not depend on it.
 * @returns undefined when it cannot listen, as the second gateway of a machine cannot
 */
export async function startAdmin(
  gateway: Watched,
  config: AdminConfig,
  log: Log,
  lab?: Lab,
): Promise<Admin | undefined> {
  const server = createAdaptorServer({ fetch: adminApp(gateway, config, log, lab).fetch });
  const { ADMIN_HOST: host, ADMIN_PORT: port } = config;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const why = taken
      ? 'its port is taken; set ADMIN_PORT to another, or to 0 for none'
      : 'cannot listen';
    log.warn(`no dashboard on this gateway: ${why}`, { host, port, error: String(error) });
    return undefined;
  }
  server.on('error', (error: Error) => log.error('dashboard', { error }));
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  log.info('dashboard listens', { host, port: bound });
  return {
    port: bound,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A browser keeps its connections; nothing on them is worth waiting for.
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}

type Env = { Bindings: HttpBindings };

/** Every route of the port. Made apart from the server, so that tests can ask it without one. */
export function adminApp(gateway: Watched, config: AdminConfig, log: Log, lab?: Lab): Hono<Env> {
  const measured = new RecordedRuns(gateway.history, new KeptRuns(gateway.queues));
  const laneWatch = new LaneWatch(measured, gateway.history);
  // Whoever looks leaves a sample behind; with nobody there nothing is read.
  const look = async () => {
    const behind = await readBehind(gateway);
    if (behind !== undefined) laneWatch.saw(behind);
    return behind;
  };
  const metrics = new Metrics(gateway, look);
  const app = new Hono<Env>();
  app.get('/healthz', (context) => context.json({ ok: true }));
  app.use(
    login({
      password: config.ADMIN_PASSWORD,
      addressOf: ({ req, env }) => {
        const named = config.TRUST_FLY_CLIENT_IP ? req.header('fly-client-ip') : undefined;
        return named ?? (env as Partial<HttpBindings>).incoming?.socket.remoteAddress ?? '';
      },
      refused: (cause) => gateway.counters.add('admin_refused', cause),
    }),
  );
  const onError = (context: Context) => context.text('The body is too long.\n', 413);
  app.use(bodyLimit({ maxSize: BODY_MAX_BYTES, onError }));

  app.use(`${QUEUES}/*`, policy(BOARD_POLICY));
  app.get(`${QUEUES}/`, (context) => context.redirect(QUEUES));
  app.route(QUEUES, queueBoard(gateway.queues, QUEUES));
  app.get('/', policy(OWN_POLICY), async (context) => {
    context.header('cache-control', 'no-store');
    const [behind, history] = await Promise.all([look(), readHistory(gateway)]);
    const verdicts = behind === undefined ? [] : await laneWatch.verdicts(WINDOW_MS);
    return await context.html(operationsPage(gateway, behind, verdicts, history));
  });
  app.get('/operations.css', (context) => context.body(STYLE, 200, { 'content-type': 'text/css' }));
  app.get('/operations.js', (context) =>
    context.body(SCRIPT, 200, { 'content-type': 'text/javascript' }),
  );
  app.get('/metrics', async (context) =>
    context.body(await metrics.render(), 200, { 'content-type': metrics.contentType }),
  );
  const endpoints = operatorApi({ gateway, lab, plan: { measured, lanes: laneWatch, look } });
  app.use(`${DOCS}/*`, policy(DOCS_POLICY));
  app.get(`${DOCS}/`, (context) => context.redirect(DOCS));
  app.route('/', apiDocs(DOCS, endpoints, config.DRILLS));
  mount(app, endpoints, (error, path) => log.error('operator call failed', { path, error }));
  app.onError((error, context) => {
    log.error('dashboard request failed', { path: context.req.path, error });
    return context.text('The gateway could not answer this; its log says why.\n', 500);
  });
  return app;
}

/** No page of another site may frame ours, and none of ours may load code from elsewhere. */
function policy(rules: string): MiddlewareHandler {
  return async (context, next) => {
    await next();
    context.header('content-security-policy', `${rules}; base-uri 'self'; frame-ancestors 'none'`);
    context.header('x-content-type-options', 'nosniff');
    context.header('referrer-policy', 'same-origin');
  };
}

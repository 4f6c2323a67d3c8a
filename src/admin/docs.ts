import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { playersDocument } from '../../protocol/openapi/index.ts';
import type { Endpoint } from './api/endpoint.ts';
import { operatorDocument } from './api/openapi.ts';

type Html = ReturnType<typeof html>;

/** Swagger UI styles its elements inline, and its pictures lie in its style sheet. */
export const DOCS_POLICY =
  "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src data:; form-action 'self'";

/** Of swagger-ui-dist; more of it is not served. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
};

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; }
.bar {
  display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem; padding: .6rem 1.25rem;
  border-bottom: 1px solid #d8dde4; font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
}
.bar b { margin-right: auto; }
.bar a { color: #1f6feb; padding: .3rem 0; }
.bar a[aria-current] { color: inherit; text-decoration: none; font-weight: 600; }
.swagger-ui .info { margin: 1.5rem 0; }
.swagger-ui .opblock-description-wrapper p { max-width: 60rem; }
html.dark-mode body { background: #1c2022; }
html.dark-mode .bar { color: #e4e6e6; border-color: #3b4246; }
html.dark-mode .bar a { color: #6ea8fe; }
html.dark-mode .bar a[aria-current] { color: inherit; }
@media (max-width: 40rem) {
  .swagger-ui .wrapper { padding: 0 .75rem; }
  .swagger-ui .opblock .opblock-summary-path { max-width: none; }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock-summary-description { flex-basis: 100%; padding: .25rem 0 0; }
}
`;

/** The page's calls go where the page came from: the document of another port is shown, not tried. */
const SCRIPT = `
const place = document.querySelector('#ui');
document.documentElement.classList.toggle('dark-mode', matchMedia('(prefers-color-scheme: dark)').matches);
SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  validatorUrl: null,
  deepLinking: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: place.dataset.tries === 'yes' ? ['get', 'post', 'delete'] : [],
});
`;

/**
 * Both OpenAPI documents and pages to read them. Made when somebody first asks.
 * @param path where the pages are; the operator's document is at /openapi.json @param drills whether kinds that misbehave on demand are there
 */
export function apiDocs(path: string, endpoints: readonly Endpoint[], drills: boolean): Hono {
  const app = new Hono();
  const operator = once(() => JSON.stringify(operatorDocument(endpoints)));
  const players = once(() => JSON.stringify(playersDocument(drills)));
  const json = { 'content-type': 'application/json', 'cache-control': 'no-cache' };
  app.get(path, (context) => context.html(page(path, 'operators')));
  app.get(`${path}/players`, (context) => context.html(page(path, 'players')));
  app.get('/openapi.json', (context) => context.body(operator(), 200, json));
  app.get(`${path}/players.json`, (context) => context.body(players(), 200, json));
  app.get(`${path}/docs.css`, (context) =>
    context.body(STYLE, 200, { 'content-type': 'text/css' }),
  );
  app.get(`${path}/docs.js`, (context) =>
    context.body(SCRIPT, 200, { 'content-type': 'text/javascript' }),
  );
  // Left to itself the package names its own folder, which in a bundle is the bundle's.
  const folder = once(() =>
    dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')),
  );
  app.get(`${path}/ui/:file`, async (context) => {
    const { file } = context.req.param();
    const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
    if (type === undefined) return context.notFound();
    const headers = { 'content-type': type, 'cache-control': 'private, max-age=86400' };
    return context.body(new Uint8Array(await readFile(join(folder(), file))), 200, headers);
  });
  return app;
}

function page(path: string, whose: 'operators' | 'players'): Html {
  const own = whose === 'operators';
  const current = html`aria-current="page"`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Muster API for ${whose}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${path}/ui/swagger-ui.css" />
        <link rel="stylesheet" href="${path}/docs.css" />
        <script src="${path}/ui/swagger-ui-bundle.js" defer></script>
        <script src="${path}/docs.js" defer></script>
      </head>
      <body>
        <nav class="bar">
          <b>Muster API</b>
          <a href="${path}" ${own ? current : ''}>Operators</a>
          <a href="${path}/players" ${own ? '' : current}>Players</a>
          <a href="/">Operations</a>
        </nav>
        <div
          id="ui"
          data-document="${own ? '/openapi.json' : `${path}/players.json`}"
          data-tries="${own ? 'yes' : 'no'}"
        ></div>
      </body>
    </html>`;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

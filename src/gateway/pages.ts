import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Exchange } from './uws.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.map': 'application/json',
};

/**
 * The demo's page, from the build beside this bundle. Meant for development: a few small files, read when asked for.
 * @returns a function that answers an exchange, or says that nothing is at its path
 */
export function servePages(
  folder = fileURLToPath(new URL('demo', import.meta.url)),
): (exchange: Exchange) => boolean {
  return (exchange) => {
    const path =
      exchange.path === '/' ? 'index.html' : normalize(exchange.path).replace(/^\/+/, '');
    const type = TYPES[extname(path)];
    const file = join(folder, path);
    // normalize has taken out every `..`, so the file lies in the folder.
    if (type === undefined || path.startsWith('..') || !existsSync(file)) return false;
    exchange.reply(200, { 'content-type': type, 'cache-control': 'no-cache' }, readFileSync(file));
    return true;
  };
}

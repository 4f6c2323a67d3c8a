import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Sends, reads and refuses one frame of each form, and prints how. */
const PAGE = `
import { connect } from './index.ts';
import { clientMessages, decoder, encodeFrame, kindNamed } from '../index.ts';
let generated = true;
try { new Function(''); } catch { generated = false; }
const ping = encodeFrame(clientMessages.ping, { seq: 7, clientTime: 1 });
const say = encodeFrame(clientMessages.say, { room: 'a', text: 'x' });
const refused = (() => { try { decoder(clientMessages.say)(say.subarray(0, 4)); } catch (error) { return error.code; } })();
const input = kindNamed('forecast').input.safeParse({ position: { tick: -1, discs: [] } });
console.log(JSON.stringify({
  generated,
  connect: typeof connect,
  ping: decoder(clientMessages.ping)(ping),
  say: decoder(clientMessages.say)(say),
  refused,
  input: input.success,
}));
`;

describe('the client in a browser', () => {
  let folder = '';
  let bundle = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-page-'));
    const built = await build({
      stdin: { contents: PAGE, resolveDir: here, loader: 'ts' },
      bundle: true,
      format: 'esm',
      // Fails on anything of Node: the bundle has to run in a page.
      platform: 'browser',
      write: false,
    });
    bundle = built.outputFiles[0]?.text ?? '';
    await writeFile(join(folder, 'page.mjs'), bundle);
  });
  afterAll(async () => await rm(folder, { recursive: true }));

  async function run(...flags: string[]): Promise<unknown> {
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...flags,
      join(folder, 'page.mjs'),
    ]);
    return JSON.parse(stdout);
  }

  const works = {
    connect: 'function',
    ping: { seq: 7, clientTime: 1 },
    say: { room: 'a', text: 'x' },
    refused: 'malformed_body',
    input: false,
  };

  it('works where code may be generated', async () => {
    expect(await run()).toEqual({ generated: true, ...works });
  });

  it('works the same under a policy without unsafe-eval', async () => {
    expect(await run('--disallow-code-generation-from-strings')).toEqual({
      generated: false,
      ...works,
    });
  });
});

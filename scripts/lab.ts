/**
 * `npm run lab -- METHOD | compare | cores | measure | recommend [options]`: runs a workload by one method or several
 * and says what each takes. docs/lab.md has the methods and the options.
 */
import { readLab, USAGE, type LabCommand } from './lib/lab/arguments.ts';
import { openLedger, type Ledger } from './lib/lab/ledger.ts';
import { compareTable, coresTable, recommendationLines, stepsTable } from './lib/lab/report.ts';
import { runPlan } from './lib/lab/run.ts';
import { workloadKey } from '../src/lab/plan.ts';
import { thisMachine } from '../src/lab/machine.ts';
import type { Run } from '../src/lab/measured.ts';
import { recommend } from '../src/lab/recommend.ts';

async function main(): Promise<boolean> {
  const command = readLab(process.argv.slice(2));
  if (command === undefined) {
    console.log(USAGE);
    return true;
  }
  const say = command.json ? () => undefined : (line: string) => console.log(line);
  const ledger = await openLedger(command.plan, say);
  try {
    let well = true;
    if (command.runs) {
      const run = await runPlan(command.plan, ledger, !command.json);
      well = run.state === 'done' && run.measured.every(({ why }) => why === undefined);
      if (command.json && !command.recommends) console.log(JSON.stringify(run));
      else if (!command.json) report(run, command);
    }
    if (command.recommends) await advise(ledger, command);
    return well;
  } finally {
    await ledger.close();
  }
}

function report(run: Run, { plan }: LabCommand): void {
  const { cpu, cores, node } = run.machine;
  console.log(`\n${workloadKey(plan.workload)}; ${cpu}, ${cores} cores, Node ${node.slice(1)}`);
  const lines =
    plan.name === 'compare'
      ? compareTable(run)
      : plan.name === 'cores'
        ? coresTable(run)
        : stepsTable(run);
  for (const line of lines) console.log(line);
  if (run.state !== 'done' || run.why !== undefined)
    console.log(`\nthe run is ${run.state}${run.why === undefined ? '' : `: ${run.why}`}`);
}

async function advise(ledger: Ledger, { plan, wish, json }: LabCommand): Promise<void> {
  const advice = recommend(await ledger.list(), thisMachine(), plan.workload, wish);
  if (json) console.log(JSON.stringify(advice));
  else for (const line of recommendationLines(advice)) console.log(line);
}

main().then(
  (well) => process.exit(well ? 0 : 1),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);

import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run plan -- [WHAT] [flags] [--json]
  advice      (the default) lane, cores, limits and machines for a job
  capacity    how long many users wait for their jobs, and what it costs
  efficiency  whether the lanes that run now have too few slots or too many; [--for SECONDS]

the job       --cpu-ms N [--wait-ms N] [--memory-mb N]   as measured, of one job
              --kind NAME                                as that kind ran lately in the running system
the machine   [--cores N] [--machine-mb N] [--apart]     absent: this one; apart: no gateway and Redis on it
advice        [--lane cpu|io] [--jobs-per-hour N | --users N --jobs N] [--deadline-s N]
capacity      --workers N [--slots N] [--users N] [--jobs N] [--lane cpu|io] [--deadline-s N]
cost          --core-hour PRICE --gb-hour PRICE [--currency USD]
assumptions   [--efficiency 0..1] [--busy-share 0..1] [--road-ms N] [--child-mb N] [--arena-mb N] [--reserve-mb N]
elsewhere     [--url http://HOST:PORT] the dashboard of another system; ADMIN_PASSWORD where it has one`;

const text = { type: 'string' } as const;
const options = {
  'cpu-ms': text,
  'wait-ms': text,
  'memory-mb': text,
  kind: text,
  cores: text,
  'machine-mb': text,
  apart: { type: 'boolean', default: false },
  lane: text,
  'jobs-per-hour': text,
  users: text,
  jobs: text,
  'deadline-s': text,
  workers: text,
  slots: text,
  'core-hour': text,
  'gb-hour': text,
  currency: text,
  efficiency: text,
  'busy-share': text,
  'road-ms': text,
  'child-mb': text,
  'arena-mb': text,
  'reserve-mb': text,
  for: text,
  url: text,
  json: { type: 'boolean', default: false },
} as const;

export interface Machine {
  readonly cores: number;
  readonly memoryMb: number;
}

export interface Asked {
  readonly what: 'advice' | 'capacity' | 'efficiency';
  /** Of POST /v1/plan or /v1/plan/capacity; its schema says what is wrong with it. */
  readonly body: Readonly<Record<string, unknown>>;
  /** How long efficiency is looked at, s. */
  readonly forS: number;
  readonly url: string | undefined;
  readonly json: boolean;
}

/** @param here the machine that is planned for unless flags say otherwise @throws Error with the usage */
export function readArguments(args: readonly string[], here: Machine): Asked {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [what = 'advice', ...more] = positionals;
  if ((what !== 'advice' && what !== 'capacity' && what !== 'efficiency') || more.length > 0)
    throw new Error(USAGE);
  const number = (name: Exclude<keyof typeof values, 'apart' | 'json'>): number | undefined => {
    const given = values[name];
    if (given === undefined) return undefined;
    const read = Number(given);
    if (given.trim() === '' || Number.isNaN(read)) throw new Error(`--${name}: is no number`);
    return read;
  };
  const seconds = number('deadline-s');
  const deadlineMs = seconds === undefined ? undefined : seconds * 1_000;
  const computes = number('cpu-ms');
  const waits = number('wait-ms');
  if (
    what !== 'efficiency' &&
    values.kind === undefined &&
    computes === undefined &&
    waits === undefined
  )
    throw new Error(`which job? Give --cpu-ms, --wait-ms or --kind\n\n${USAGE}`);
  const job = { cpuMs: computes ?? 0, waitMs: waits, memoryMb: number('memory-mb') };
  const named = number('cores') !== undefined || number('machine-mb') !== undefined;
  const machine = {
    cores: number('cores') ?? here.cores,
    memoryMb: number('machine-mb') ?? here.memoryMb,
    shared: !values.apart,
  };
  const perCoreHour = number('core-hour');
  const perGbHour = number('gb-hour');
  const price =
    perCoreHour === undefined && perGbHour === undefined
      ? undefined
      : { perCoreHour, perGbHour, currency: values.currency };
  const common = {
    ...(values.kind === undefined ? { job } : { kind: values.kind }),
    lane: values.lane,
    price,
    assume: {
      efficiency: number('efficiency'),
      busyShare: number('busy-share'),
      roadMs: number('road-ms'),
      childMb: number('child-mb'),
      arenaMb: number('arena-mb'),
      reserveMb: number('reserve-mb'),
    },
  };
  const crowd = { users: number('users'), jobsPerUser: number('jobs') };
  const target = { ...crowd, jobsPerHour: number('jobs-per-hour'), deadlineMs };
  const slots = number('slots');
  // Where slots are given, this machine is none of the ones that are planned for.
  const on = slots === undefined || named ? machine : undefined;
  const many = { ...crowd, workers: number('workers'), slots, deadlineMs, machine: on };
  const body = what === 'capacity' ? { ...common, ...many } : { ...common, machine, target };
  return { what, body, forS: number('for') ?? 20, url: values.url, json: values.json };
}

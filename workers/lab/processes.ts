import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { allowedCores, canPin, endedWithParent, forkCommand } from '../cores.ts';
import { sharesOf, type Crew, type Method, type Task } from './crew.ts';
import type { Share } from './share.ts';
import { fromChild, type ToChild } from './words.ts';

/** Shares that a process has at once: the next one is there when it has done one. */
const AHEAD = 2;
/** Deaths of processes in one step; then it fails, for the workload kills more than it does. */
const CRASHES_MAX = 100;

export interface Shape {
  readonly processes: number;
  readonly pinned: boolean;
  /** Items that are awaited together. */
  readonly together: number;
}

/** @returns a method that runs items in forked processes */
export function processes(childFile: URL, shapeOf: (task: Task) => Shape): Method {
  return async (task) => {
    const crew = new Processes(childFile, task, shapeOf(task));
    await crew.ready();
    return crew;
  };
}

/** CPU ids that a step's processes are pinned to, in turn; empty: none is. */
export function pinnedTo({ cores: places }: Task['step']): readonly number[] {
  const allowed = canPin() ? (allowedCores() ?? []) : [];
  if (places.length === 0) return allowed;
  return places.flatMap((place) => allowed[place] ?? []);
}

interface Member {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  /** Items of its shares that it has not reported, the first share first. */
  readonly open: number[];
}

class Processes implements Crew {
  private readonly members = new Map<number, Member>();
  private readonly next: () => Share | undefined;
  private readonly cores: readonly number[];
  private readonly all: Promise<void>[] = [];
  private crashes = 0;
  private begun = false;
  private readonly over: Promise<void>;
  private resolve: () => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor(
    private readonly childFile: URL,
    private readonly task: Task,
    shape: Shape,
  ) {
    const { step, stop, kill } = task;
    this.next = sharesOf(step.items, step.batchSize, shape.together, stop);
    this.cores = shape.pinned ? pinnedTo(step) : [];
    this.over = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever awaits it hears of the failure; it may come before anybody does.
    this.over.catch(() => undefined);
    for (let i = 0; i < shape.processes; i++) this.fork(i);
    stop.addEventListener('abort', () => this.tellAll({ is: 'stop' }), { once: true });
    kill.addEventListener('abort', () => this.killAll(), { once: true });
    if (kill.aborted) this.killAll();
  }

  async ready(): Promise<void> {
    await Promise.all([...this.members.values()].map(async ({ ready }) => await ready));
  }

  async run(): Promise<void> {
    this.begun = true;
    for (const place of this.members.keys()) this.feed(place);
    this.look();
    await this.over;
  }

  async end(): Promise<void> {
    this.killAll();
    await Promise.all(this.all);
  }

  private fork(place: number): void {
    const { usage, workload, kill } = this.task;
    const core = this.cores[place % this.cores.length];
    const command = endedWithParent(forkCommand(core, ['--enable-source-maps']));
    const child = fork(fileURLToPath(this.childFile), [], {
      ...command,
      // What a processor prints is nobody's here.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const { pid = 0 } = child;
    usage.watch(pid);
    let isReady = () => {};
    let isNot = (_error: Error) => {};
    const ready = new Promise<void>((resolve, reject) => {
      isReady = resolve;
      isNot = reject;
    });
    ready.catch(() => undefined);
    const member: Member = { child, pid, ready, gone: goneOf(child), open: [] };
    this.members.set(place, member);
    this.all.push(member.gone);
    child.on('message', (raw: unknown) => {
      const said = fromChild.parse(raw);
      usage.heard(pid, said);
      if (said.is === 'ready') return isReady();
      this.took(member, said.part.done);
      this.task.hear(said.part);
      if (said.is === 'part') return;
      member.open.shift();
      this.feed(place);
      this.look();
    });
    // A message to a process that has just died: its exit says all there is to say.
    child.on('error', isNot);
    child.once('exit', (code, signal) => {
      usage.left(pid);
      isNot(new Error(`a process of the lab ended before it was ready (${signal ?? code})`));
      this.died(place, member, signal ?? `code ${code}`);
    });
    tell(member, { is: 'prepare', workload });
    if (kill.aborted) child.kill('SIGKILL');
  }

  /** Gives a process its next shares. */
  private feed(place: number): void {
    const member = this.members.get(place);
    if (member === undefined || !this.begun) return;
    while (member.open.length < AHEAD) {
      const share = this.next();
      if (share === undefined) return;
      member.open.push(share.count);
      tell(member, { is: 'share', ...share });
    }
  }

  private took(member: Member, count: number): void {
    const [first] = member.open;
    if (first !== undefined) member.open[0] = first - count;
  }

  private died(place: number, member: Member, how: string): void {
    const { stop, kill, lose } = this.task;
    const lost = member.open.reduce((sum, count) => sum + count, 0);
    member.open.length = 0;
    this.members.delete(place);
    if (!stop.aborted && !kill.aborted && this.begun) {
      lose(lost, `crashed: ${how}`);
      this.crashes++;
      if (this.crashes > CRASHES_MAX) {
        return this.reject(new Error(`more than ${CRASHES_MAX} processes died`));
      }
      this.fork(place);
      this.feed(place);
    }
    this.look();
  }

  /** Over when nobody has a share: whoever is without one has found none left. */
  private look(): void {
    if ([...this.members.values()].every(({ open }) => open.length === 0)) this.resolve();
  }

  private tellAll(message: ToChild): void {
    for (const member of this.members.values()) tell(member, message);
  }

  private killAll(): void {
    for (const { child } of this.members.values()) child.kill('SIGKILL');
  }
}

function tell({ child }: Member, message: ToChild): void {
  if (child.connected) child.send(message, () => undefined);
}

async function goneOf(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => {
      if (child.pid === undefined) resolve();
    });
  });
}

import { setTimeout as wait } from 'node:timers/promises';
import { HttpCaller } from './caller.ts';
import type { Ledger } from './ledger.ts';
import type { Figures, JoinOrder, RunOrder, RunOutcome } from './orders.ts';
import { LoadPlayer } from './player.ts';
import type { Spread } from './spread.ts';
import { Supply } from './supply.ts';

/** Who joins side by side: a gateway's queue of new sockets is not what is to be loaded. */
const JOINING = 32;
const LOOK_MS = 20;
/** Longer than any refusal may ask to wait, and than a request takes. */
const STALL_MS = 90_000;

/** All players of the process. */
export class Crowd {
  private readonly players: readonly LoadPlayer[];
  private readonly callers: readonly HttpCaller[];
  private supply = new Supply(0, 1);
  private peak = 0;

  private constructor({ players, callers }: JoinOrder) {
    this.players = Array.from({ length: players }, () => new LoadPlayer());
    this.callers = Array.from({ length: callers }, () => new HttpCaller());
  }

  static async join(order: JoinOrder): Promise<Crowd> {
    const crowd = new Crowd(order);
    const { host, port } = order;
    const where = { port, ...(host !== undefined && { host }) };
    const left: (LoadPlayer | HttpCaller)[] = [...crowd.players, ...crowd.callers];
    const join = async (): Promise<void> => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) await one.join(where);
    };
    await Promise.all(Array.from({ length: JOINING }, join));
    return crowd;
  }

  get names(): string[] {
    return [...this.players, ...this.callers].map(({ name }) => name);
  }

  /** Resolves when everything was asked for and has ended, or when nothing ends any more. */
  async run(order: RunOrder): Promise<RunOutcome> {
    const { kind, input, nominalMs, total, window, overHttp } = order;
    const supply = new Supply(total, window);
    this.supply = supply;
    this.peak = 0;
    const calling = new Set(overHttp ? this.callers : []);
    for (const caller of calling) {
      void caller.run(supply, kind, input, nominalMs).then(() => calling.delete(caller));
    }
    for (const player of this.players) player.start(supply, kind, input);
    let seen = { ended: -1, at: performance.now() };
    let stalled = false;
    while (calling.size > 0 || this.players.some(({ isDone }) => !isDone)) {
      const { ended } = this.figures();
      const now = performance.now();
      if (ended !== seen.ended) seen = { ended, at: now };
      else if (now - seen.at > STALL_MS + nominalMs) stalled = true;
      if (stalled) break;
      await wait(LOOK_MS);
    }
    const seconds = (performance.now() - supply.began) / 1_000;
    for (const player of this.players) player.leave();
    return {
      figures: this.figures(),
      seconds,
      ...spreadOf('whole', supply.whole),
      ...spreadOf('ran', supply.ran),
      ...spreadOf('waited', supply.waited),
      peakRunning: supply.running.peak(),
      peakUnended: this.peak,
      other: Object.fromEntries(supply.other),
      faults: [...supply.faults],
      stalled,
    };
  }

  /** From now on each player may have so many unended requests. */
  allow(window: number): void {
    this.supply.window = window;
    for (const player of this.players) player.fill();
  }

  figures(): Figures {
    const { supply, players, callers } = this;
    const all = [...players, ...callers];
    const sum = (of: (ledger: Ledger) => number) =>
      all.reduce((total, { ledger }) => total + of(ledger), 0);
    const unended = all.reduce((total, one) => total + one.unended, 0);
    this.peak = Math.max(this.peak, unended);
    const http: Record<string, number> = {};
    let retryAfterS: number | undefined;
    for (const caller of callers) {
      for (const [status, count] of caller.answers) http[status] = (http[status] ?? 0) + count;
      retryAfterS ??= caller.retryAfterS;
    }
    return {
      asked: sum(({ asked }) => asked),
      accepted: sum(({ accepted }) => accepted),
      ended: sum(({ ended }) => ended),
      lost: sum(({ lost }) => lost),
      doubled: sum(({ doubled }) => doubled),
      strange: sum(({ strange }) => strange),
      unended,
      refused: Object.fromEntries(supply.refused),
      ...(supply.retry !== undefined && { retryMs: supply.retry }),
      obeyed: supply.obeyed,
      reports: supply.reports,
      http,
      ...(retryAfterS !== undefined && { retryAfterS }),
    };
  }
}

function spreadOf<N extends string>(
  name: N,
  spread: Spread,
): { [K in N]?: { p50: number; p95: number; p99: number; max: number } } {
  if (spread.count === 0) return {};
  const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((share) => spread.at(share));
  return { [name]: { p50, p95, p99, max } } as {
    [K in N]: { p50: number; p95: number; p99: number; max: number };
  };
}

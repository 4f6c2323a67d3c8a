import { z } from 'zod';
import type { Helper } from '../../scripts/lib/measure/orders.ts';
import { windowAnswer } from './drive.ts';
import type { Stage } from './stage.ts';

export interface Asking {
  readonly kind: string;
  readonly input: object;
  /** Unended requests of each player. */
  readonly window: number;
}

/** The process of bench/askers.ts, directed. */
export class Askers {
  private constructor(private readonly helper: Helper) {}

  static async join(stage: Stage, port: number, players: number): Promise<Askers> {
    const helper = stage.helper({ name: 'askers', file: 'bench/askers.js' });
    await helper.ask('join', { port, players }, z.literal(true));
    return new Askers(helper);
  }

  get pid(): number {
    return this.helper.pid;
  }

  async start(asking: Asking): Promise<void> {
    await this.helper.ask('start', asking, z.literal(true));
  }

  /** @returns how many ended within so many ms. Rejects when one was refused or ended otherwise than done */
  async count(ms: number): Promise<{ readonly ended: number; readonly seconds: number }> {
    return await this.helper.ask('count', { ms }, windowAnswer, ms + ANSWER_LIMIT_MS);
  }

  /** Resolves when all that was on the way has ended. */
  async stop(): Promise<void> {
    await this.helper.ask('stop', undefined, z.literal(true), STOP_LIMIT_MS);
  }
}

const ANSWER_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 120_000;

/** CPU and nothing else, about a hundred milliseconds of it: what a request costs beside it is next to nothing. */
export const heavyWork = {
  kind: 'forecast',
  input: {
    position: {
      tick: 600,
      discs: Array.from({ length: 5 }, (_, i) => ({
        x: 3 * Math.cos((2 * Math.PI * i) / 5),
        y: 3 * Math.sin((2 * Math.PI * i) / 5),
        vx: 0,
        vy: 0,
        alive: true,
        level: 2,
      })),
    },
    rollouts: 10,
  },
} as const;

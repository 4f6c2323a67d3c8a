import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { hasEnded } from '../../../protocol/index.ts';
import { joinAsGuest } from '../measure/player.ts';
import type { Target } from '../measure/socket.ts';
import { Ledger } from './ledger.ts';
import { idOf } from './player.ts';
import type { Supply } from './supply.ts';

/** Pause between two looks at one request, ms. */
const LOOK_MS = 500;
const RETRY_MS = 250;

const statusShape = z.object({
  state: z.string(),
  ran: z.object({ ms: z.number(), waitedMs: z.number() }).optional(),
});
const refusalShape = z.object({
  error: z.object({ code: z.string(), retryAfterMs: z.number().optional() }),
});

/** What the jobs API answered, by status. */
export type Answers = Map<number, number>;

/** One player who works over HTTP alone: posts a request, looks until it has ended, posts the next. */
export class HttpCaller {
  readonly ledger = new Ledger();
  name = '';
  /** Retry-After of the last 503, s. */
  retryAfterS: number | undefined;
  readonly answers: Answers = new Map();
  private base = '';
  private token = '';
  private open = 0;

  async join(where: Pick<Target, 'host' | 'port'>): Promise<void> {
    const { socket, welcome } = await joinAsGuest(where, {
      message: () => undefined,
      closed: () => undefined,
    });
    socket.destroy();
    this.name = welcome.player;
    this.token = welcome.token ?? '';
    this.base = `http://${where.host ?? '127.0.0.1'}:${where.port}/v1/jobs`;
  }

  get unended(): number {
    return this.open;
  }

  /** @param nominalMs how long a request takes at least. Resolves when nothing is left to ask for and all has ended */
  async run(supply: Supply, kind: string, input: object, nominalMs: number): Promise<void> {
    while (supply.take()) {
      this.open++;
      try {
        await this.one(supply, kind, input, nominalMs);
      } catch (error) {
        supply.fault(`HTTP: ${error instanceof Error ? error.message : String(error)}`);
      }
      this.open--;
    }
  }

  private async one(supply: Supply, kind: string, input: object, nominalMs: number): Promise<void> {
    const number = this.ledger.next();
    const began = performance.now();
    await this.post(supply, number, kind, input);
    await wait(nominalMs);
    for (;;) {
      const response = await this.call(`/${idOf(number)}`);
      const { state, ran } = statusShape.parse(await response.json());
      if (hasEnded(state)) {
        if (this.ledger.end(number)) supply.end(state, performance.now() - began, ran);
        return;
      }
      await wait(LOOK_MS);
    }
  }

  /** Asks until it is taken on, each time when it was told to. */
  private async post(supply: Supply, number: number, kind: string, input: object): Promise<void> {
    for (let again = false; ; again = true) {
      if (again) supply.obeyed++;
      const response = await this.call(`/${kind}`, {
        key: idOf(number),
        body: JSON.stringify(input),
      });
      if (response.ok) {
        await response.arrayBuffer();
        return this.ledger.accept(number);
      }
      const { code, retryAfterMs } = refusalShape.parse(await response.json()).error;
      const after = response.headers.get('retry-after');
      supply.refuse(code, retryAfterMs);
      if (response.status === 503 && after !== null) this.retryAfterS = Number(after);
      await wait(after === null ? (retryAfterMs ?? RETRY_MS) : Number(after) * 1_000);
    }
  }

  private async call(
    path: string,
    post?: { readonly key: string; readonly body: string },
  ): Promise<Response> {
    const response = await fetch(`${this.base}${path}`, {
      method: post === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(post !== undefined && { 'idempotency-key': post.key }),
      },
      body: post?.body ?? null,
    });
    this.answers.set(response.status, (this.answers.get(response.status) ?? 0) + 1);
    return response;
  }
}

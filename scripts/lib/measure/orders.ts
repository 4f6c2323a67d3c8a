/**
 * How the main process directs its helper processes: an order with what it needs, answered once, over the channel
 * that Node gives a child.
 */
import type { ChildProcess } from 'node:child_process';
import { z } from 'zod';

const orderShape = z.object({ number: z.int(), order: z.string(), given: z.unknown().optional() });
const answerShape = z.union([
  z.object({ number: z.int(), failed: z.string() }),
  z.object({ number: z.int(), answer: z.unknown().optional() }),
]);

export type Orders = Readonly<Record<string, (given: unknown) => unknown>>;

/** The helper's side: obeys until the main process is gone, and then ends. */
export function obey(orders: Orders): void {
  const answer = async (message: unknown): Promise<void> => {
    const { number, order, given } = orderShape.parse(message);
    try {
      process.send?.({ number, answer: await orders[order]?.(given) });
    } catch (error) {
      process.send?.({ number, failed: error instanceof Error ? error.stack : String(error) });
    }
  };
  process.on('message', (message) => void answer(message));
  process.on('disconnect', () => process.exit(0));
}

/** The main process's side. */
export class Helper {
  private readonly waiting = new Map<number, (answer: z.infer<typeof answerShape>) => void>();
  private last = 0;

  constructor(
    private readonly child: ChildProcess,
    readonly name: string,
    readonly pid: number,
  ) {
    child.on('message', (message) => {
      const answer = answerShape.parse(message);
      this.waiting.get(answer.number)?.(answer);
    });
    child.once('exit', (code, signal) => {
      const failed = `${name} ended with ${signal ?? code}`;
      for (const [number, settle] of this.waiting) settle({ number, failed });
    });
  }

  /** @returns the answer. Rejects when the order failed, was answered otherwise than `shape` says, or took longer than `limitMs` */
  async ask<T>(order: string, given: unknown, shape: z.ZodType<T>, limitMs = 60_000): Promise<T> {
    const number = ++this.last;
    const answer = await new Promise<z.infer<typeof answerShape>>((resolve) => {
      const limit = setTimeout(
        () => settle({ number, failed: `no answer in ${limitMs} ms` }),
        limitMs,
      );
      const settle = (one: z.infer<typeof answerShape>): void => {
        clearTimeout(limit);
        this.waiting.delete(number);
        resolve(one);
      };
      this.waiting.set(number, settle);
      // A child that is gone is told by its exit event.
      this.child.send({ number, order, given }, () => {});
    });
    if ('failed' in answer) throw new Error(`${this.name}: ${order}: ${answer.failed}`);
    return shape.parse(answer.answer);
  }
}

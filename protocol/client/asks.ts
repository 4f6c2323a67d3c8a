import {
  clientMessages,
  type ClientBody,
  type ClientMessageName,
  type ClientMessages,
  type ServerBody,
  type ServerMessageName,
} from '../index.ts';
import { MusterError } from './errors.ts';
import { LIMITED_SILENCE_MS } from './flow.ts';
import { writeFrame } from './frames.ts';
import type { Timer } from './transport.ts';

/** Messages that are answered by `ref`; hello, ping and request have ways of their own. */
export type AskName = {
  [N in ClientMessageName]: ClientMessages[N] extends { reply: ServerMessageName } ? N : never;
}[Exclude<ClientMessageName, 'hello' | 'ping' | 'request'>];

export type AskBody<N extends AskName> = Omit<ClientBody<N>, 'ref'>;
export type AnswerOf<N extends AskName> = ServerBody<ClientMessages[N]['reply']>;

/** Asked twice, these do and answer the same, so they are asked again on the next socket. */
const REPEATABLE: ReadonlySet<ClientMessageName> = new Set([
  'join',
  'leave',
  'presence',
  'watch',
  'unwatch',
  'forfeit',
]);

const ASKS_MAX = 256;

interface Asked {
  readonly name: AskName;
  readonly frame: Uint8Array;
  readonly timer: Timer;
  sent: boolean;
  answer(body: unknown): void;
  fail(error: MusterError): void;
}

/** Messages whose reply somebody waits for. */
export class Asks {
  private readonly asked = new Map<number, Asked>();
  private wake: Timer | undefined;

  constructor(
    private readonly send: (frame: Uint8Array) => boolean,
    private readonly nextRef: () => number,
    private readonly timeoutMs: number,
  ) {}

  /** Waits for a connection, if there is none, within the same time limit as for the answer. */
  async ask<N extends AskName>(name: N, body: AskBody<N>): Promise<AnswerOf<N>> {
    if (this.asked.size >= ASKS_MAX) throw new MusterError('queue_full');
    const ref = this.nextRef();
    const frame = writeFrame(name, { ...body, ref } as ClientBody<N>);
    return (await new Promise<unknown>((answer, fail) => {
      const timer = setTimeout(() => {
        this.asked.delete(ref);
        fail(new MusterError('timeout'));
      }, this.timeoutMs);
      this.asked.set(ref, { name, frame, timer, sent: this.send(frame), answer, fail });
    })) as AnswerOf<N>;
  }

  /** @returns whether somebody waited for this. */
  answered(name: ServerMessageName, body: object): boolean {
    const asked = this.claim('ref' in body ? body.ref : undefined);
    if (asked === undefined) return false;
    if (clientMessages[asked.name].reply === name) asked.answer(body);
    else
      asked.fail(
        new MusterError('bad_reply', `${name} where ${clientMessages[asked.name].reply} belongs`),
      );
    return true;
  }

  /** @returns whether somebody waited for this. */
  refused(error: ServerBody<'error'>): boolean {
    const asked = this.claim(error.ref);
    asked?.fail(MusterError.of(error));
    if (error.code === 'rate_limited') this.limited(error);
    return asked !== undefined;
  }

  /** A frame was refused before it was read, so its ref is not known, and others may have been dropped with it. */
  private limited(error: ServerBody<'error'>): void {
    let again = false;
    for (const [ref, { name, sent }] of this.asked) {
      if (!sent) continue;
      if (REPEATABLE.has(name)) again = true;
      else if (clientMessages[name].type === error.type)
        this.claim(ref)?.fail(MusterError.of(error));
    }
    if (!again) return;
    clearTimeout(this.wake);
    const pauseMs = Math.max(error.retryAfterMs ?? 0, LIMITED_SILENCE_MS);
    this.wake = setTimeout(() => {
      for (const asked of this.asked.values()) {
        if (REPEATABLE.has(asked.name)) asked.sent = this.send(asked.frame);
      }
    }, pauseMs);
  }

  /** The socket is open again. */
  resume(): void {
    for (const asked of this.asked.values()) if (!asked.sent) asked.sent = this.send(asked.frame);
  }

  /** The socket is gone. */
  down(): void {
    clearTimeout(this.wake);
    for (const [ref, asked] of this.asked) {
      if (asked.sent && !REPEATABLE.has(asked.name))
        this.claim(ref)?.fail(new MusterError('disconnected'));
      asked.sent = false;
    }
  }

  close(): void {
    for (const ref of this.asked.keys()) this.claim(ref)?.fail(new MusterError('closed'));
  }

  private claim(ref: unknown): Asked | undefined {
    if (typeof ref !== 'number') return undefined;
    const asked = this.asked.get(ref);
    this.asked.delete(ref);
    if (asked !== undefined) clearTimeout(asked.timer);
    return asked;
  }
}

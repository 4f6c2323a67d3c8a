import { clientMessages, decoder, matchHandle, type ClientBody } from '../../../protocol/index.ts';
import { Bot, type Ending } from '../bots/bot.ts';
import type { Tally } from '../bots/tally.ts';
import { tapped } from './wire.ts';

const readSteer = decoder(clientMessages.steer);

/** An input as it went over the wire. */
export interface SentInput {
  readonly x: number;
  readonly y: number;
  readonly buttons: number;
  /** When it left first, ms, of performance.now. */
  readonly at: number;
}

/** A bot of which it is known what it sent. */
export class ChaosPlayer {
  readonly bot: Bot;
  readonly faults: string[] = [];
  player = '';
  /** By match handle, then by seq. */
  private readonly inputs = new Map<number, Map<number, SentInput>>();

  constructor(url: string, tally: Tally) {
    const sent = (bytes: Uint8Array): void => this.note(bytes);
    this.bot = new Bot({ url, tally, WebSocket: tapped({ sent }) });
  }

  async connect(): Promise<void> {
    this.player = await this.bot.connect();
  }

  /** All that was ever sent to a match, by seq. */
  sent(match: string): ReadonlyMap<number, SentInput> {
    return this.inputs.get(matchHandle(match)) ?? new Map<number, SentInput>();
  }

  async play(match: string, stop: AbortSignal): Promise<Ending> {
    return await this.bot.play(match, stop);
  }

  private note(bytes: Uint8Array): void {
    if (bytes[0] !== clientMessages.steer.type) return;
    const { handle, seq, x, y, buttons } = readSteer(bytes) as ClientBody<'steer'>;
    let inputs = this.inputs.get(handle);
    if (inputs === undefined) {
      inputs = new Map<number, SentInput>();
      this.inputs.set(handle, inputs);
    }
    const known = inputs.get(seq);
    if (known === undefined) inputs.set(seq, { x, y, buttons, at: performance.now() });
    else if (known.x !== x || known.y !== y || known.buttons !== buttons) {
      this.faults.push(`${this.player} sent two inputs under seq ${seq}`);
    }
  }
}

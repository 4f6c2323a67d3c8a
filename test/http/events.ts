import { until } from '../support/until.ts';

export interface StreamEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A reader of Server-Sent Events that keeps all that came. */
export class EventReader {
  readonly events: StreamEvent[] = [];
  /** Resolves when the stream ends, in order or not. */
  readonly ended: Promise<void>;
  over = false;
  private rest = '';

  private constructor(
    body: ReadableStream<Uint8Array>,
    private readonly abort: AbortController,
  ) {
    this.ended = this.read(body).then(
      () => void (this.over = true),
      () => void (this.over = true),
    );
  }

  static async open(url: string, jwt: string): Promise<EventReader> {
    const abort = new AbortController();
    const headers = { authorization: `Bearer ${jwt}` };
    const response = await fetch(url, { headers, signal: abort.signal });
    const type = response.headers.get('content-type');
    if (response.status !== 200 || type !== 'text/event-stream' || response.body === null) {
      throw new Error(`no stream: ${response.status} ${type} ${await response.text()}`);
    }
    return new EventReader(response.body, abort);
  }

  /** Names of the events that came, in order. */
  names(): string[] {
    return this.events.map(({ event }) => event);
  }

  /** The first event of that name, come or still to come. */
  async next(event: string): Promise<StreamEvent> {
    const find = (): StreamEvent | undefined => this.events.find((one) => one.event === event);
    await until(() => find() !== undefined || this.over);
    const found = find();
    if (found === undefined) throw new Error(`no ${event} in ${JSON.stringify(this.events)}`);
    return found;
  }

  /** Goes away without a word. */
  leave(): void {
    this.abort.abort();
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      this.rest += decoder.decode(bytes, { stream: true });
      const blocks = this.rest.split('\n\n');
      this.rest = blocks.pop() ?? '';
      for (const block of blocks) this.keep(block);
    }
  }

  private keep(block: string): void {
    const lines = block.split('\n').filter((line) => line !== '');
    const field = (name: string): string =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
    this.events.push({
      event: field('event'),
      data: JSON.parse(field('data')) as Record<string, unknown>,
    });
  }
}

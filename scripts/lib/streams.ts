import WebSocket from 'ws';
import * as z from 'zod';
import { connect, type Client } from '../../protocol/client/index.ts';
import type { RequestInput } from '../../protocol/index.ts';
import { eventsOf, wordsReport } from './events.ts';
import { httpOf, type Place } from './game.ts';
import { Screen } from './screen.ts';

const WORD_MS = 90;
const NAMES = ['Ada', 'Bo', 'Cy', 'Dee', 'Eli', 'Fay', 'Gus', 'Ida', 'Jo', 'Kim'] as const;
/** Room in front of the words: who, and by which way. */
const HEAD = 24;

const ranShape = z.object({ pid: z.int(), core: z.int().optional(), waitedMs: z.number() });
const endShape = z.object({
  state: z.string(),
  result: z.object({ text: z.string(), words: z.int() }).optional(),
  ran: ranShape.optional(),
});

/** One commentary as its listener heard it. */
export interface Heard {
  readonly by: 'WebSocket' | 'SSE';
  /** What came word by word; over SSE without what was said before the stream was open. */
  readonly words: string;
  /** When the first and the last of it came, ms of performance.now(). */
  readonly from: number;
  readonly to: number;
  readonly end: z.infer<typeof endShape>;
}

/** Five commentaries side by side, each growing on a line of its own; the last one over Server-Sent Events. */
export async function listenToFive(place: Place, clients: readonly Client[]): Promise<Heard[]> {
  const screen = new Screen(clients.length);
  const overHttp = await HttpListener.join(place);
  const last = clients.length - 1;
  return await Promise.all(
    clients.map(async (client, i) => {
      const row = new Row(screen, i, i === last ? 'SSE' : 'WebSocket');
      return await (i === last
        ? overHttp.listen(inputOf(i), row)
        : listen(client, inputOf(i), row));
    }),
  );
}

async function listen(client: Client, input: RequestInput<'narrate'>, row: Row): Promise<Heard> {
  const { end, result } = await client.request('narrate', input, {
    onProgress: ({ words }) => row.add(words),
  });
  return row.done(endShape.parse({ ...end, result }));
}

/** A guest who works over HTTP alone, once a socket has told who it is. */
class HttpListener {
  private constructor(
    private readonly base: string,
    private readonly token: string,
  ) {}

  static async join(place: Place): Promise<HttpListener> {
    let token = '';
    const store = {
      load: () => undefined,
      save: (stored: { token?: string | undefined } | undefined) => {
        token = stored?.token ?? token;
      },
    };
    const client = connect({ url: place.socket, WebSocket, store });
    await client.ready;
    await client.ping();
    client.close();
    const base = httpOf(place);
    // The first fetch of a process takes longer than a batch waits for its last member.
    await fetch(`${base}/healthz`);
    if (token === '') throw new Error('this gateway gives guests no token');
    return new HttpListener(base, token);
  }

  async listen(input: RequestInput<'narrate'>, row: Row): Promise<Heard> {
    const id = `story-${Date.now()}`;
    const headers = { authorization: `Bearer ${this.token}`, 'idempotency-key': id };
    const body = JSON.stringify(input);
    const taken = await fetch(`${this.base}/v1/jobs/narrate`, { method: 'POST', headers, body });
    if (!taken.ok) throw new Error(`narrate: ${taken.status} ${await taken.text()}`);
    const stream = await fetch(`${this.base}/v1/jobs/${id}/stream`, { headers });
    if (!stream.ok || stream.body === null) throw new Error(`no stream: ${stream.status}`);
    for await (const { name, data } of eventsOf(stream.body)) {
      if (name === 'progress') row.add(wordsReport.parse(data).value.words);
      if (name === 'ended') return row.done(endShape.parse(data));
    }
    throw new Error('the stream ended before its request');
  }
}

/** A line that grows by words; of a long one its newest part is shown. */
class Row {
  private words = '';
  private from = 0;

  constructor(
    private readonly screen: Screen,
    private readonly row: number,
    private readonly by: Heard['by'],
  ) {
    screen.set(row, `${this.head()}waits for its batch`, false);
  }

  add(words: string): void {
    if (this.from === 0) this.from = performance.now();
    this.words += words;
    const width = (process.stdout.columns || 120) - HEAD - 2;
    const shown = this.words.length > width ? `…${this.words.slice(1 - width)}` : this.words;
    this.screen.set(this.row, `${this.head()}${shown}`, false);
  }

  done(end: Heard['end']): Heard {
    const { words, from, by } = this;
    const count = end.result?.words ?? 0;
    this.screen.set(
      this.row,
      `${this.head()}${count} words: ${end.result?.text ?? end.state}`,
      true,
    );
    return { by, words: words.trim(), from, to: performance.now(), end };
  }

  private head(): string {
    return `player ${this.row + 1}  ${this.by}`.padEnd(HEAD);
  }
}

/** A match of five whose last one stands. */
function inputOf(i: number): RequestInput<'narrate'> {
  const players = Array.from({ length: 5 }, (_, n) => NAMES[(i * 2 + n) % NAMES.length] ?? '');
  const falls = [
    { at: 12 + i, player: 1, by: 0 },
    { at: 25 + i, player: 3, by: 4 },
    { at: 31 + i, player: 2 },
    { at: 44 + i, player: 4, by: 0 },
  ];
  return { players, falls, seed: i + 1, wordMs: WORD_MS };
}

/** What can be said of who shared a job: a child does one at a time, so what it told side by side was one job. */
export function storiesOfFive(heard: readonly Heard[]): string[] {
  const done = heard.filter(({ end }) => end.state === 'done');
  const children = new Set(done.flatMap(({ end }) => end.ran?.pid ?? []));
  const cores = new Set(done.map(({ end }) => end.ran?.core ?? 'any'));
  const together = done.map(
    (one) =>
      done.filter(
        ({ from, to, end }) =>
          end.ran?.pid === one.end.ran?.pid && from <= one.from && one.from <= to,
      ).length,
  );
  const ways = (by: Heard['by']) => done.filter((one) => one.by === by).length;
  return [
    `streams told          ${done.length} of ${heard.length}, ${ways('WebSocket')} over WebSocket, ${ways('SSE')} over SSE`,
    `told by               ${children.size === 1 ? 'one child' : `${children.size} children`} on core ${[...cores].join(', ')}`,
    `from one job          ${Math.max(0, ...together)} told side by side by a child, which does one job at a time`,
  ];
}

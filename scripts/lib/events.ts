import * as z from 'zod';

export interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

/** @returns the events of a stream of Server-Sent Events, as they come, until it ends */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? '';
      if (field('data') !== '') yield { name: field('event'), data: JSON.parse(field('data')) };
    }
  }
}

/** What the jobs API sends of a request that reports words. */
export const wordsReport = z.object({ value: z.object({ words: z.string() }) });

import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** An array of bulk strings, as the Redis protocol sends commands. */
function frame(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w}\r\n`).join('')}`;
}

/** Lines of complete replies in `text`; undefined while less than `count` replies have arrived. */
function replies(text: string, count: number): string[][] | undefined {
  const lines = text.split('\r\n');
  // What follows the last line end is a line that is still arriving.
  lines.pop();
  const found: string[][] = [];
  let at = 0;
  const take = (): string[] | undefined => {
    const line = lines[at++];
    if (line === undefined) return undefined;
    if (line[0] === '$') {
      if (line === '$-1') return [''];
      // A bulk string may hold line ends itself (INFO does): its length counts, not its lines.
      const length = Number(line.slice(1));
      let value = lines[at++];
      if (value === undefined) return undefined;
      while (Buffer.byteLength(value) < length) {
        const more = lines[at++];
        if (more === undefined) return undefined;
        value += `\r\n${more}`;
      }
      return [value];
    }
    if (line[0] !== '*') return [line];
    const parts: string[] = [];
    for (let left = Number(line.slice(1)); left > 0; left--) {
      const part = take();
      if (part === undefined) return undefined;
      parts.push(...part);
    }
    return parts;
  };
  while (found.length < count) {
    const reply = take();
    if (reply === undefined) return undefined;
    found.push(reply);
  }
  return found;
}

/**
 * Asks a Redis one thing over a connection of its own and returns the reply's parts.
 *
 * Written out here, because this runs before anything is known of the server, wants one attempt
 * with a clear reason instead of a client that reconnects, and must not cost `npm start` the load
 * of a library. Knows redis: and rediss: URLs with user, password and database.
 *
 * @throws Error with the reason when the server is not reached within `timeoutMs` or says no.
 */
export async function askRedis(
  url: string,
  words: readonly string[],
  timeoutMs = 3000,
): Promise<string[]> {
  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new Error(`a Redis URL begins with redis:// or rediss://, not ${protocol}//`);
  }
  const host = hostname.replace(/^\[|\]$/g, '') || '127.0.0.1';
  const at = { host, port: Number(port || 6379) };
  const socket = protocol === 'rediss:' ? connectTls({ ...at, servername: host }) : connectTcp(at);
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
  try {
    await once(socket, protocol === 'rediss:' ? 'secureConnect' : 'connect');
    const login = ['AUTH', ...(username ? [decodeURIComponent(username)] : [])];
    const commands = password ? [[...login, decodeURIComponent(password)], words] : [words];
    socket.write(commands.map(frame).join(''));
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      text += String(chunk);
      const answer = replies(text, commands.length);
      if (answer === undefined) continue;
      const refusal = answer.find((parts) => parts[0]?.startsWith('-'));
      if (refusal) throw new Error(refusal[0]?.slice(1));
      const last = answer.at(-1) ?? [];
      return last.map((part) => part.replace(/^\+/, ''));
    }
    throw new Error('the connection was closed without an answer');
  } finally {
    socket.destroy();
  }
}

/** @throws Error with the reason when no Redis answers at `url`. */
export async function pingRedis(url: string, timeoutMs?: number): Promise<void> {
  const [answer] = await askRedis(url, ['PING'], timeoutMs);
  if (answer !== 'PONG') throw new Error(`PING was answered with ${answer}`);
}

/**
 * A WebSocket client for measuring (RFC 6455): frames are masked once and sent as often as wanted, replies are read in
 * place from one buffer that all sockets share. It costs a fraction of what a server does per message, which a
 * general client does not.
 */
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** Size of one read; longer ones come in several. */
const READ_BYTES = 65_536;
const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;
const CONNECT_LIMIT_MS = 20_000;

const shared = Buffer.allocUnsafe(READ_BYTES);

/**
 * @param message as a server's code sees it, at most 65,535 bytes
 * @returns a whole client frame: header, mask and masked bytes. One mask for all: nobody on the way needs deceiving
 */
export function clientFrame(message: Uint8Array, head = BINARY): Buffer {
  const mask = [0x5a, 0xc3, 0x17, 0x8e] as const;
  const { length } = message;
  const header =
    length < 126 ? [head, 0x80 | length] : [head, 0x80 | 126, length >>> 8, length & 0xff];
  const frame = Buffer.allocUnsafe(header.length + mask.length + length);
  frame.set(header);
  frame.set(mask, header.length);
  const at = header.length + mask.length;
  for (let i = 0; i < length; i++) {
    frame[at + i] = (message[i] as number) ^ (mask[i & 3] as number);
  }
  return frame;
}

export interface SocketEvents {
  /** One message, `bytes[at]` to `bytes[at + length - 1]`; the bytes are another's when this returns. */
  message(bytes: Buffer, at: number, length: number): void;
  /** After the last whole message of a read. */
  drained?(): void;
  /** The socket is gone; `why` names the close code where there was one. */
  closed(why: string): void;
}

export interface Target {
  /** Absent: this machine. */
  readonly host?: string;
  readonly port: number;
  readonly path: string;
  readonly subprotocols: readonly string[];
}

export class BenchSocket {
  private readonly socket: Socket;
  private carry: Buffer | undefined;
  private open = false;
  private why = 'cut';
  private events: SocketEvents;

  /** Resolves when the upgrade is done. */
  static async connect(target: Target, events: SocketEvents): Promise<BenchSocket> {
    return await new Promise((resolve, reject) => {
      const socket: BenchSocket = new BenchSocket(
        target,
        events,
        () => {
          clearTimeout(limit);
          resolve(socket);
        },
        reject,
      );
      const limit = setTimeout(() => {
        socket.destroy();
        reject(new Error(`no upgrade in ${CONNECT_LIMIT_MS} ms`));
      }, CONNECT_LIMIT_MS);
    });
  }

  private constructor(
    target: Target,
    events: SocketEvents,
    opened: () => void,
    failed: (error: Error) => void,
  ) {
    this.events = events;
    const key = randomBytes(16).toString('base64');
    this.socket = connect({
      host: target.host ?? '127.0.0.1',
      port: target.port,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length, bytes) => {
          const read = bytes as Buffer;
          if (this.open) this.read(read, length);
          else this.upgrade(Buffer.from(read.subarray(0, length)), key, opened, failed);
          return true;
        },
      },
    });
    this.socket.on('error', (error) => {
      this.why = error.message;
      failed(error);
    });
    this.socket.once('close', () => {
      if (this.open) this.events.closed(this.why);
      else failed(new Error('closed before the upgrade'));
    });
    const { path, subprotocols } = target;
    const offered =
      subprotocols.length > 0 ? `Sec-WebSocket-Protocol: ${subprotocols.join(', ')}\r\n` : '';
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${offered}\r\n`,
    );
  }

  /** @param frames whole frames of `clientFrame`, one or several one after the other */
  write(frames: Buffer): void {
    this.socket.write(frames);
  }

  /** From now on others are told. */
  listen(events: SocketEvents): void {
    this.events = events;
  }

  destroy(): void {
    this.socket.destroy();
  }

  private upgrade(
    bytes: Buffer,
    key: string,
    opened: () => void,
    failed: (error: Error) => void,
  ): void {
    const all = this.carry === undefined ? bytes : Buffer.concat([this.carry, bytes]);
    const end = all.indexOf('\r\n\r\n');
    this.carry = all;
    if (end < 0) return;
    const head = all.toString('latin1', 0, end);
    const proof = createHash('sha1').update(`${key}${GUID}`).digest('base64');
    if (!head.startsWith('HTTP/1.1 101') || !head.includes(proof)) {
      failed(new Error(`no upgrade: ${head.split('\r\n')[0]}`));
      this.destroy();
      return;
    }
    this.carry = undefined;
    this.open = true;
    opened();
    const rest = all.subarray(end + 4);
    if (rest.length > 0) this.read(rest, rest.length);
  }

  private read(bytes: Buffer, length: number): void {
    if (this.carry !== undefined) {
      bytes = Buffer.concat([this.carry, bytes.subarray(0, length)]);
      length = bytes.length;
      this.carry = undefined;
    }
    let at = 0;
    while (at + 2 <= length) {
      let size = (bytes[at + 1] as number) & 0x7f;
      let body = at + 2;
      if (size === 126) {
        if (at + 4 > length) break;
        size = bytes.readUInt16BE(at + 2);
        body = at + 4;
      } else if (size === 127)
        throw new Error('a frame beyond 64 KiB: no message here is that long');
      if (body + size > length) break;
      if (bytes[at] === BINARY) this.events.message(bytes, body, size);
      else this.control(bytes, at, body, size);
      at = body + size;
    }
    // A copy: the buffer is another socket's after this.
    if (at < length) this.carry = Buffer.from(bytes.subarray(at, length));
    this.events.drained?.();
  }

  private control(bytes: Buffer, at: number, body: number, size: number): void {
    const head = bytes[at];
    if (head === PING) this.write(clientFrame(bytes.subarray(body, body + size), PONG));
    else if (head === CLOSE) {
      const code = size >= 2 ? bytes.readUInt16BE(body) : 1005;
      this.why = `${code} ${bytes.toString('utf8', body + 2, body + size)}`;
      this.socket.end();
    } else if (head !== PONG) throw new Error(`frame of head ${head} where binary ones belong`);
  }
}

/** What a server appends to the key before it hashes it, see RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

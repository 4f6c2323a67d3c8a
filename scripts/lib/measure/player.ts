import {
  clientMessages,
  decoder,
  encodeFrame,
  SUBPROTOCOL,
  serverMessages,
  type ServerBody,
} from '../../../protocol/index.ts';
import { BenchSocket, clientFrame, type SocketEvents, type Target } from './socket.ts';

const readWelcome = decoder(serverMessages.welcome);
const readError = decoder(serverMessages.error);

/**
 * A guest's socket behind its welcome.
 * @param where a port of this machine, or of another
 * @param events of everything after the welcome
 */
export async function joinAsGuest(
  where: number | Pick<Target, 'host' | 'port'>,
  events: SocketEvents,
): Promise<{ readonly socket: BenchSocket; readonly welcome: ServerBody<'welcome'> }> {
  const target = typeof where === 'number' ? { port: where } : where;
  const { socket, first } = await new Promise<{ socket: BenchSocket; first: Buffer }>(
    (resolve, reject) => {
      const opening = BenchSocket.connect(
        { ...target, path: '/v1/socket', subprotocols: [SUBPROTOCOL] },
        {
          message: (bytes, at, length) => {
            const message = Buffer.from(bytes.subarray(at, at + length));
            opening.then((one) => resolve({ socket: one, first: message }), reject);
          },
          closed: (why) => reject(new Error(`closed before the welcome: ${why}`)),
        },
      );
      opening.then((one) => one.write(clientFrame(encodeFrame(clientMessages.hello, {}))), reject);
    },
  );
  if (first[0] !== serverMessages.welcome.type) throw refusal(first);
  socket.listen(events);
  return { socket, welcome: readWelcome(first) as ServerBody<'welcome'> };
}

/** @returns what an error frame says, or that the frame was not awaited at all */
export function refusal(frame: Uint8Array): Error {
  if (frame[0] !== serverMessages.error.type) return new Error(`frame of type ${frame[0]}`);
  const { code, message } = readError(frame) as ServerBody<'error'>;
  return new Error(`${code}: ${message}`);
}

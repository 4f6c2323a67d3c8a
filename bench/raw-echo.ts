/**
 * What our gateway is measured against: uWebSockets.js alone, sending every binary message back. The options are the
 * gateway's, so that the native side does the same for both.
 */
import uws, { type us_listen_socket } from 'uWebSockets.js';
import { obey } from '../scripts/lib/measure/orders.ts';

obey({
  /** @returns the port */
  listen: async () => {
    const app = uws.App();
    app.ws('/*', {
      maxPayloadLength: 65_536,
      maxBackpressure: 524_288,
      idleTimeout: 76,
      sendPingsAutomatically: true,
      compression: uws.DISABLED,
      message: (ws, bytes, isBinary) => {
        ws.send(bytes, isBinary);
      },
    });
    const listening = await new Promise<us_listen_socket | false>((resolve) => {
      app.listen('127.0.0.1', 0, resolve);
    });
    if (listening === false) throw new Error('cannot listen');
    return uws.us_socket_local_port(listening);
  },
});

/** Offered by the client and chosen by the gateway in `Sec-WebSocket-Protocol`. A new number means old clients cannot speak to us. */
export const SUBPROTOCOL = 'muster.v1';

/** A second subprotocol entry that carries the token, because a browser can set no other header: `bearer.<jwt>`. */
export const TOKEN_SUBPROTOCOL_PREFIX = 'bearer.';

import { BODY_BOUNDS, Refusal } from '../../../protocol/index.ts';

/** Without `fatal` bytes that are no UTF-8 would become other letters in silence. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\[]{}');

/** @throws Refusal malformed_body */
export function parseJson(body: Buffer): unknown {
  // What walks the value later goes down by the stack; a frame's body has the same bound.
  if (levels(body) > BODY_BOUNDS.depth) throw new Refusal('malformed_body', 'nested too deep');
  try {
    return JSON.parse(utf8.decode(body)) as unknown;
  } catch (error) {
    throw new Refusal('malformed_body', error instanceof Error ? error.message : undefined);
  }
}

/** @returns how deep the lists and objects of a JSON text are nested; of other bytes any number */
function levels(json: Buffer): number {
  let [depth, deepest, inText] = [0, 0, false];
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) inText = !inText;
    else if (inText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) deepest = Math.max(deepest, ++depth);
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
  }
  return deepest;
}

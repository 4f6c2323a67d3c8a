import { serverMessages, type ServerBody } from './messages/server.ts';
import { encodeDelta, encodeKeyframe } from './snapshot.ts';

const { type, body } = serverMessages.snapshot;
const HEADER_BYTES = 1 + body.size;

/**
 * A whole `snapshot` message in one piece of memory.
 * @param vector of the view, with the inputs taken by slot behind it
 * @param key the keyframe that it is a difference to; absent: it is one itself
 * @throws RangeError as encodeFrame and encodeKeyframe do
 */
export function snapshotFrame(
  { handle, term, tick }: Omit<ServerBody<'snapshot'>, 'key'>,
  vector: Int32Array,
  key?: { readonly tick: number; readonly vector: Int32Array },
): Uint8Array {
  const frame =
    key === undefined
      ? encodeKeyframe(vector, HEADER_BYTES)
      : encodeDelta(vector, key.vector, HEADER_BYTES);
  frame[0] = type;
  body.encode(new DataView(frame.buffer), 1, { handle, term, tick, key: key?.tick ?? tick });
  return frame;
}

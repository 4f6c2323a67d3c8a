/** Integers only. */
export interface DrillView {
  readonly tick: number;
  /** By slot. */
  readonly slots: readonly DrillSlotView[];
}

export interface DrillSlotView {
  readonly x: number;
  readonly y: number;
  /** Inputs taken since the start. */
  readonly inputs: number;
  /** Checksum of all that ever happened to the slot, 32 bits, signed. */
  readonly trail: number;
}

/** Elements before the first slot: tick. */
const HEAD = 1;
/** Elements of a slot: x, y, inputs, trail. */
const SLOT = 4;

export function toVector({ tick, slots }: DrillView): Int32Array {
  return Int32Array.of(tick, ...slots.flatMap(({ x, y, inputs, trail }) => [x, y, inputs, trail]));
}

/**
 * @param vector the game's part alone
 * @throws RangeError when it has no length that toVector makes
 */
export function fromVector(vector: Int32Array): DrillView {
  const count = (vector.length - HEAD) / SLOT;
  if (!Number.isInteger(count) || count < 0) {
    throw new RangeError(`${vector.length} elements are no view of a drill`);
  }
  const slots = Array.from({ length: count }, (_, slot) => {
    const [x = 0, y = 0, inputs = 0, trail = 0] = vector.subarray(HEAD + SLOT * slot);
    return { x, y, inputs, trail };
  });
  return { tick: vector[0] as number, slots };
}

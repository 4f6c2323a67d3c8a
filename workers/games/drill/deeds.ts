import { type Deed, deedBits, deedNames } from './rules.ts';

/** Neither the language's own types nor those of Node 20 have it. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

/**
 * The one place of all games that is not pure: to kill a process, to keep it busy for a time and to remember what it
 * has stumbled over are what this game is for.
 */

/** (module (func (export "turn") (param i32) (result i32) (loop (br_if 0 (local.get 0))) (local.get 0))) */
const WASM = Uint8Array.from(
  [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    [0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f],
    [0x03, 0x02, 0x01, 0x00],
    [0x07, 0x08, 0x01, 0x04, 0x74, 0x75, 0x72, 0x6e, 0x00, 0x00],
    [0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x03, 0x40, 0x20, 0x00, 0x0d, 0x00, 0x0b, 0x20, 0x00, 0x0b],
  ].flat(),
);

/** Of all matches of this process, as a physics engine is: whoever is cut off in it leaves it as it was just then. */
let turn: ((forEver: number) => number) | undefined;
let isInside = false;

export async function prepareDeeds(): Promise<void> {
  const { instance } = await WebAssembly.instantiate(WASM);
  turn = instance.exports['turn'] as (forEver: number) => number;
}

/** Whether a call into the shared instance was cut off. */
export function isInstanceDamaged(): boolean {
  return isInside;
}

/** Where this process has stumbled. */
const stumbled = new Set<string>();

export interface Occasion {
  readonly seed: number;
  readonly tick: number;
  readonly ms: number;
}

/** @param deeds sum of deedBits */
export function misbehave(deeds: number, occasion: Occasion): void {
  for (const deed of deedNames) if ((deeds & deedBits[deed]) !== 0) acts[deed](occasion);
}

const acts: Readonly<Record<Deed, (occasion: Occasion) => void>> = {
  throw: ({ tick }) => {
    throw new Error(`drill: thrown in the step to tick ${tick}`);
  },
  spin,
  spinInWasm: () => {
    isInside = true;
    turn?.(1);
    isInside = false;
  },
  die: () => process.kill(process.pid, 'SIGKILL'),
  slow: ({ ms }) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  },
  // These two are the simulation's own doing: its state has to say so.
  rot: () => {},
  end: () => {},
  stumble: ({ seed, tick }) => {
    const where = `${seed}/${tick}`;
    if (stumbled.has(where)) return;
    stumbled.add(where);
    spin();
  },
};

function spin(): never {
  for (;;);
}

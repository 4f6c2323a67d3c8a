import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Inputs, type Input } from './match-inputs.ts';

const TICK_MS = 40;
const CENTRE = { x: 0, y: 0, buttons: 0 };

let sent: Input[] = [];
let connected = true;
const make = (): Inputs =>
  new Inputs(({ seq, x, y, buttons }) => {
    if (connected) sent.push({ seq, x, y, buttons });
    return connected;
  }, TICK_MS);
const seqs = (): number[] => sent.map(({ seq }) => seq);
const pass = (ms: number): void => void vi.advanceTimersByTime(ms);

/** Inputs of a slot whose last number is 0. */
function ready(): Inputs {
  const inputs = make();
  inputs.open();
  inputs.echoed(0);
  return inputs;
}

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  connected = true;
});
afterEach(() => vi.useRealTimers());

describe('inputs', () => {
  it('M8 leave at once, under numbers that count changes', () => {
    const inputs = ready();
    inputs.steer({ x: 5, y: -5, buttons: 0 });
    expect(sent).toEqual([{ seq: 1, x: 5, y: -5, buttons: 0 }]);
    pass(100);
    inputs.steer({ x: 5, y: -5, buttons: 0 });
    expect(sent).toHaveLength(1);
    inputs.steer({ x: 6, y: -5, buttons: 0 });
    expect(sent.at(-1)).toEqual({ seq: 2, x: 6, y: -5, buttons: 0 });
  });

  it('M8 wait until a snapshot told where the numbers of this slot stand', () => {
    const inputs = make();
    inputs.steer({ x: 1, y: 0, buttons: 1 });
    inputs.steer({ x: 2, y: 0, buttons: 0 });
    inputs.open();
    expect(sent).toEqual([]);
    inputs.echoed(41);
    // The button was let go while nothing could leave.
    expect(sent).toEqual([{ seq: 42, x: 2, y: 0, buttons: 0 }]);
  });

  it('M8 leave once a tick at most, the newest of what changed', () => {
    const inputs = ready();
    for (let x = 1; x <= 100; x++) {
      inputs.steer({ ...CENTRE, x });
      pass(1);
    }
    pass(TICK_MS);
    expect(sent.length).toBeLessThanOrEqual(4);
    expect(sent.at(-1)).toMatchObject({ x: 100 });
    expect(seqs()).toEqual(sent.map((_, i) => i + 1));
  });

  it('M8 count a button that was down for less than a tick as pressed once', () => {
    const inputs = ready();
    inputs.steer({ ...CENTRE, x: 9 });
    inputs.steer({ x: 9, y: 0, buttons: 1 });
    inputs.steer({ x: 9, y: 0, buttons: 0 });
    pass(200);
    expect(sent.map(({ buttons }) => buttons)).toEqual([0, 1, 0]);
  });

  it('M8 are sent again, the newest of them, until a snapshot echoes them', () => {
    const inputs = ready();
    for (let x = 1; x <= 6; x++) {
      inputs.steer({ ...CENTRE, x });
      pass(TICK_MS);
    }
    inputs.echoed(1);
    pass(300 - TICK_MS);
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 3, 4, 5, 6]);
    inputs.echoed(5);
    pass(300);
    expect(seqs().slice(10)).toEqual([6]);
    inputs.echoed(6);
    pass(10_000);
    expect(sent).toHaveLength(11);
  });

  it('M8 unanswered ones load a gateway with no more than a dozen frames a second', () => {
    const inputs = ready();
    for (let x = 1; x <= 50; x++) {
      inputs.steer({ ...CENTRE, x });
      pass(TICK_MS);
    }
    sent = [];
    pass(10_000);
    expect(sent.length).toBeLessThanOrEqual(140);
    expect(Math.min(...seqs())).toBe(47);
  });

  it('M8 are sent again to the next gateway', () => {
    const inputs = ready();
    inputs.steer({ ...CENTRE, x: 1 });
    inputs.close();
    connected = false;
    pass(1_000);
    inputs.steer({ ...CENTRE, x: 2 });
    expect(sent).toHaveLength(1);
    connected = true;
    inputs.open();
    expect(sent.at(-1)).toMatchObject({ seq: 1, x: 1 });
    pass(TICK_MS);
    expect(sent.at(-1)).toMatchObject({ seq: 2, x: 2 });
  });

  it('M8 the newest comes again when the match lost its last ticks', () => {
    const inputs = ready();
    inputs.steer({ ...CENTRE, x: 1 });
    inputs.echoed(1);
    pass(2_000);
    inputs.echoed(0);
    expect(sent.at(-1)).toMatchObject({ seq: 1, x: 1 });
    expect(sent).toHaveLength(2);
  });

  it('M8 go on above the numbers of another device that steers the same slot', () => {
    const inputs = ready();
    inputs.steer({ ...CENTRE, x: 1 });
    inputs.echoed(17);
    pass(1_000);
    inputs.steer({ ...CENTRE, x: 2 });
    expect(seqs()).toEqual([1, 18]);
  });

  it('tell how long an input takes to be seen', () => {
    const inputs = ready();
    expect(inputs.echoMs).toBeUndefined();
    inputs.steer({ ...CENTRE, x: 1 });
    pass(45);
    inputs.echoed(1);
    expect(inputs.echoMs).toBeCloseTo(45, 5);
  });

  it('let go of their timers', () => {
    const inputs = ready();
    inputs.steer({ ...CENTRE, x: 1 });
    inputs.close();
    expect(vi.getTimerCount()).toBe(0);
    pass(10_000);
    expect(sent).toHaveLength(1);
  });
});

import type { Steering } from './steering.ts';

/** By `code`, the place of a key, not its letter: WASD is where it is on every layout. */
const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  KeyW: [0, -1],
  KeyS: [0, 1],
  KeyA: [-1, 0],
  KeyD: [1, 0],
};

/**
 * Steers while `isPlaying` says so. Keys that belong to a control that has the focus are left to it: the
 * space bar presses buttons, arrows move sliders.
 */
export function listenToKeys(steering: Steering, isPlaying: () => boolean): void {
  const down = new Set<string>();
  const steer = (): void => {
    let x = 0;
    let y = 0;
    for (const code of down) {
      const [dx, dy] = DIRECTIONS[code] ?? [0, 0];
      x += dx;
      y += dy;
    }
    steering.press({ x: Math.sign(x), y: Math.sign(y) });
  };
  addEventListener('keydown', (event) => {
    if (!isPlaying() || event.ctrlKey || event.metaKey || event.altKey) return;
    const isDash = event.code === 'Space';
    if (!isDash && !(event.code in DIRECTIONS)) return;
    if (takesKey(event.target, isDash)) return;
    event.preventDefault();
    if (isDash) {
      if (!event.repeat) steering.dash(performance.now());
      return;
    }
    down.add(event.code);
    steer();
  });
  addEventListener('keyup', (event) => {
    if (down.delete(event.code)) steer();
  });
  // A key let go while another window has the focus is never told.
  addEventListener('blur', () => {
    down.clear();
    steer();
  });
}

/** Whether a key is left to the control that has the focus. */
export function takesKey(target: EventTarget | null, isSpace: boolean): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches('input, select, textarea')) return true;
  return isSpace && target.matches('button, a, summary');
}

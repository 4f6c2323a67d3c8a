import type { Steering } from './steering.ts';

/** From the middle to full throw, CSS px. */
const THROW = 56;
/** A thumb that rests is not quite still, as a share of the throw. */
const DEAD = 0.12;

export interface StickParts {
  /** Where a finger or a mouse may press to steer. */
  readonly field: HTMLElement;
  /** Is moved to the press; its first child is the knob. */
  readonly stick: HTMLElement;
  readonly dash: HTMLButtonElement;
}

/** A stick that appears under the finger, and a dash button for the other hand. */
export function listenToTouch(
  { field, stick, dash }: StickParts,
  steering: Steering,
  isPlaying: () => boolean,
): void {
  const knob = stick.firstElementChild as HTMLElement;
  let held: { readonly id: number; readonly x: number; readonly y: number } | undefined;

  field.addEventListener('pointerdown', (event) => {
    if (held || !isPlaying() || event.button !== 0) return;
    if (event.target !== field && event.target !== stick) return;
    const box = field.getBoundingClientRect();
    held = { id: event.pointerId, x: event.clientX, y: event.clientY };
    field.setPointerCapture(event.pointerId);
    stick.style.left = `${event.clientX - box.left}px`;
    stick.style.top = `${event.clientY - box.top}px`;
    stick.classList.add('held');
    move(event);
  });
  field.addEventListener('pointermove', (event) => {
    if (event.pointerId === held?.id) move(event);
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const) {
    field.addEventListener(end, (event) => {
      if (event.pointerId !== held?.id) return;
      held = undefined;
      stick.classList.remove('held');
      stick.style.left = stick.style.top = knob.style.transform = '';
      steering.hold(undefined);
    });
  }

  function move(event: PointerEvent): void {
    if (!held) return;
    const dx = (event.clientX - held.x) / THROW;
    const dy = (event.clientY - held.y) / THROW;
    const size = Math.sqrt(dx * dx + dy * dy);
    const scale = size > 1 ? 1 / size : 1;
    knob.style.transform = `translate(${dx * scale * THROW}px, ${dy * scale * THROW}px)`;
    steering.hold(size < DEAD ? { x: 0, y: 0 } : { x: dx * scale, y: dy * scale });
  }

  // At the press, not at the click that follows it: a dash is a matter of moments.
  dash.addEventListener('pointerdown', (event) => {
    if (event.button === 0) steering.dash(performance.now());
  });
  dash.addEventListener('click', (event) => {
    // From a keyboard or a screen reader, which press no pointer.
    if (event.detail === 0) steering.dash(performance.now());
  });
}

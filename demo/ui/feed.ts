import type { Happening } from '../stage/happenings.ts';
import type { SeatInfo } from '../source/source.ts';
import { make } from './dom.ts';
import { emblem } from './emblem.ts';

const LINES = 3;
const LINE_MS = 4_500;

/** The last falls, for a few seconds each. A live region: screen readers say them. */
export class Feed {
  constructor(private readonly list: HTMLElement) {}

  tell(one: Happening, seats: readonly SeatInfo[]): void {
    if (one.is !== 'fall') return;
    const nameOf = (slot: number): string => seats[slot]?.name ?? '';
    const line = make('li', '', emblem(one.slot), make('b', '', nameOf(one.slot)), ' fell');
    if (one.by >= 0) line.append(', pushed by ', emblem(one.by), make('b', '', nameOf(one.by)));
    this.list.append(line);
    while (this.list.children.length > LINES) this.list.firstElementChild?.remove();
    setTimeout(() => line.remove(), LINE_MS);
  }

  clear(): void {
    this.list.replaceChildren();
  }
}

import type { SeatInfo } from '../source/source.ts';
import { liveryOf } from '../stage/palette.ts';
import { make, setText } from './dom.ts';
import { emblem } from './emblem.ts';

/** Narrower than this a part shows neither emblem nor number, as a share. */
const EMBLEM_FROM = 0.045;
const NUMBER_FROM = 0.15;

/** Chances to win as a stacked bar: it says the same to a screen reader in words. */
export class OddsBar {
  private parts: { part: HTMLElement; number: HTMLElement }[] = [];
  private seats: readonly SeatInfo[] | undefined;

  constructor(
    private readonly bar: HTMLElement,
    private readonly note: HTMLElement,
  ) {}

  /** @param chances by slot; undefined: nothing is known yet */
  show(
    seats: readonly SeatInfo[],
    mySlot: number,
    chances: readonly number[] | undefined,
    note: string,
  ): void {
    if (seats !== this.seats) this.seat(seats);
    setText(this.note, note);
    this.bar.classList.toggle('unknown', chances === undefined);
    this.parts.forEach(({ part, number }, slot) => {
      const share = chances?.[slot] ?? (chances ? 0 : 1 / seats.length);
      part.style.flexGrow = String(Math.round(share * 1_000));
      part.classList.toggle('narrow', share < EMBLEM_FROM);
      part.classList.toggle('own', slot === mySlot);
      const wide = chances !== undefined && share >= NUMBER_FROM;
      setText(number, wide ? `${Math.round(share * 100)}%` : '');
    });
    const label = chances ? describe(seats, chances) : 'Chances to win: not known yet';
    if (this.bar.ariaLabel !== label) this.bar.ariaLabel = label;
  }

  private seat(seats: readonly SeatInfo[]): void {
    this.seats = seats;
    this.parts = seats.map((_, slot) => {
      const { fill, mark } = liveryOf(slot);
      const number = make('span');
      const part = make('div', 'part', emblem(slot, true), number);
      part.style.background = fill;
      part.style.color = mark;
      return { part, number };
    });
    this.bar.replaceChildren(...this.parts.map(({ part }) => part));
  }
}

function describe(seats: readonly SeatInfo[], chances: readonly number[]): string {
  const parts = seats
    .map(({ name }, slot) => ({ name, chance: chances[slot] ?? 0 }))
    .filter(({ chance }) => chance >= 0.005)
    .toSorted((a, b) => b.chance - a.chance)
    .map(({ name, chance }) => `${name} ${Math.round(chance * 100)} percent`);
  return `Chances to win: ${parts.join(', ')}`;
}

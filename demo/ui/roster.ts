import { ordinal } from '../names.ts';
import { type SeatInfo, tagOf } from '../source/source.ts';
import type { Standing } from '../standings.ts';
import { make, setText } from './dom.ts';
import { emblem } from './emblem.ts';

interface Row {
  readonly item: HTMLLIElement;
  readonly place: HTMLElement;
  readonly knockouts: HTMLElement;
}

/** Everybody in the match: those who stand, then the fallen. Rows move, the list keeps its height. */
export class Roster {
  private rows: Row[] = [];
  private seats: readonly SeatInfo[] | undefined;

  constructor(private readonly list: HTMLElement) {}

  show(seats: readonly SeatInfo[], mySlot: number, standings: readonly Standing[]): void {
    if (seats !== this.seats) this.seat(seats, mySlot);
    standings.forEach(({ slot, standing, place, knockouts }, index) => {
      const row = this.rows[slot];
      if (!row) return;
      row.item.style.setProperty('--row', String(index));
      row.item.classList.toggle('out', !standing);
      setText(row.place, standing ? '' : place === undefined ? 'out' : ordinal(place));
      setText(row.knockouts, String(knockouts));
      row.knockouts.classList.toggle('none', knockouts === 0);
    });
  }

  clear(): void {
    this.seats = undefined;
    this.rows = [];
    this.list.replaceChildren();
  }

  private seat(seats: readonly SeatInfo[], mySlot: number): void {
    this.seats = seats;
    this.rows = seats.map((seat, slot) => {
      const place = make('span', 'place');
      const count = make('b', 'none', '0');
      const knockouts = make('span', 'knockouts', count, make('span', 'unit', ' KO'));
      const title = make('span', 'name', seat.name);
      const tag = make('span', 'tag', tagOf(seat));
      const item = make('li', '', emblem(slot), title, tag, place, knockouts);
      item.classList.toggle('own', slot === mySlot);
      item.style.setProperty('--row', String(slot));
      return { item, place, knockouts: count };
    });
    this.list.style.setProperty('--rows', String(seats.length));
    this.list.replaceChildren(...this.rows.map(({ item }) => item));
  }
}

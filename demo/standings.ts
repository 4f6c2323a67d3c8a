import type { KnockoutView } from '../workers/games/knockout/view.ts';
import { countStanding, isStanding } from './standing.ts';

export interface Standing {
  readonly slot: number;
  readonly standing: boolean;
  /** Known once it has fallen, or the match is over; undefined for who fell before we looked. */
  readonly place: number | undefined;
  readonly knockouts: number;
}

/** Who stands and who fell in which order, worked out from views as they come. */
export class Standings {
  private readonly fallenAs = new Map<number, number>();
  private before: KnockoutView | undefined;

  /**
   * Those who stand first, in the order of slots, then the fallen, the last to fall first.
   * @param placements where they are known from elsewhere, such as in a replay: seeking skips falls
   */
  read(view: KnockoutView, placements?: readonly number[]): Standing[] {
    this.note(view);
    const rows = view.discs.map(({ knockouts }, slot): Standing => {
      const standing = isStanding(view, slot);
      const place = standing ? undefined : (placements?.[slot] ?? this.fallenAs.get(slot));
      return { slot, standing, place, knockouts };
    });
    return rows.toSorted(
      (a, b) =>
        Number(b.standing) - Number(a.standing) ||
        (a.place ?? 99) - (b.place ?? 99) ||
        a.slot - b.slot,
    );
  }

  private note(view: KnockoutView): void {
    const { before } = this;
    this.before = view;
    view.discs.forEach((_, slot) => {
      if (isStanding(view, slot)) this.fallenAs.delete(slot);
      else if (before && isStanding(before, slot)) {
        // Of those who fall in one tick the result says who was first; until then they are equal.
        this.fallenAs.set(slot, countStanding(view) + 1);
      }
    });
  }
}

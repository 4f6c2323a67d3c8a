import type { MatchResult } from '../../workers/games/contract.ts';
import { ordinal } from '../names.ts';
import { type SeatInfo, tagOf } from '../source/source.ts';
import { make, need, setText } from './dom.ts';
import { emblem } from './emblem.ts';

/** From the last fall to the card, so that the fall is seen, ms. */
const AFTER_MS = 1_300;

/** Who came where, and what to do next. */
export class ResultCard {
  private readonly card = need('result', HTMLElement);
  private readonly title = need('result-title', HTMLHeadingElement);
  private readonly watchReplay = need('watch-replay', HTMLButtonElement);
  private readonly list = need('result-list', HTMLOListElement);
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param hasReplay whether it can be watched again */
  show(result: MatchResult, seats: readonly SeatInfo[], mySlot: number, hasReplay: boolean): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      setText(this.title, titleOf(result, seats, mySlot));
      this.watchReplay.hidden = !hasReplay;
      this.list.replaceChildren(...rows(result, seats, mySlot));
      this.card.hidden = false;
      this.title.focus({ preventScroll: true });
    }, AFTER_MS);
  }

  hide(): void {
    clearTimeout(this.timer);
    this.card.hidden = true;
  }
}

function titleOf({ placements }: MatchResult, seats: readonly SeatInfo[], mySlot: number): string {
  const place = placements[mySlot];
  if (place === 1) return 'Last one standing!';
  if (place !== undefined) return `You came ${ordinal(place)} of ${seats.length}`;
  const winner = seats[placements.indexOf(1)];
  return winner ? `${winner.name} wins` : 'The match is over';
}

function rows(
  { placements, scores }: MatchResult,
  seats: readonly SeatInfo[],
  mySlot: number,
): HTMLLIElement[] {
  return seats
    .map((seat, slot) => ({ seat, slot, place: placements[slot] ?? 0 }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ seat, slot, place }) => {
      const item = make(
        'li',
        slot === mySlot ? 'own' : '',
        make('span', '', ordinal(place)),
        emblem(slot),
        make('span', '', seat.name),
        make('span', 'note', tagOf(seat)),
        make('span', '', `${scores[slot] ?? 0} pts`),
      );
      return item;
    });
}

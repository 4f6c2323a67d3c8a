import type { LiveMatch } from '../net/matches.ts';
import { writeRoute } from '../route.ts';
import { playerName } from '../names.ts';
import { make, need, setText } from './dom.ts';

const SHOWN = 6;

/** The matches that can be watched. */
export class LiveList {
  private readonly list = need('live-list', HTMLUListElement);
  private readonly none = need('live-none', HTMLParagraphElement);
  private readonly links = new Map<string, Row>();

  /** @param found undefined: the backend cannot be asked */
  show(found: readonly LiveMatch[] | undefined): void {
    const shown = (found ?? []).slice(0, SHOWN);
    this.none.hidden = shown.length > 0;
    const now = new Set(shown.map(({ match }) => match));
    for (const [match, { item }] of this.links) {
      if (now.has(match)) continue;
      item.remove();
      this.links.delete(match);
    }
    for (const one of shown) this.row(one.match).update(one);
  }

  /** Kept from one list to the next: a link that was replaced would lose the focus, and clicks. */
  private row(match: string): Row {
    let row = this.links.get(match);
    if (!row) {
      this.links.set(match, (row = new Row(match)));
      this.list.append(row.item);
    }
    return row;
  }
}

class Row {
  readonly item: HTMLLIElement;
  private readonly who = make('b');
  private readonly state = make('span');
  private readonly link = make('a', '', this.who, this.state, make('span', '', 'Watch'));

  constructor(match: string) {
    this.link.href = writeRoute({ screen: 'match', id: match });
    this.item = make('li', '', this.link);
  }

  update({ seats, state }: LiveMatch): void {
    const names = seats.flatMap(({ player }) => (player === undefined ? [] : [playerName(player)]));
    const who = names.length === 0 ? 'Bots' : listOf(names);
    const bots = seats.length - names.length;
    const others = names.length === 0 || bots === 0 ? '' : bots === 1 ? '1 bot' : `${bots} bots`;
    setText(this.who, who);
    setText(this.state, state === 'waiting' ? 'about to start' : others);
    this.link.ariaLabel = `Watch the match of ${who}`;
  }
}

/** Two of them, and how many more. */
function listOf(names: readonly string[]): string {
  const [first = '', second] = names;
  if (second === undefined) return first;
  return names.length === 2 ? `${first}, ${second}` : `${first}, ${second} +${names.length - 2}`;
}

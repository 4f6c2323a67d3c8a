import type { LiveMatch } from '../net/matches.ts';
import { writeRoute } from '../route.ts';
import { make, need } from './dom.ts';

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

  update({ players, state }: LiveMatch): void {
    const who = players === 0 ? 'Bots' : players === 1 ? '1 player' : `${players} players`;
    this.who.textContent = who;
    this.state.textContent = state === 'waiting' ? 'about to start' : 'playing';
    this.link.ariaLabel = `Watch the match of ${who.toLowerCase()}`;
  }
}

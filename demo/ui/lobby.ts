import type { Backend } from '../net/backend.ts';
import { LiveMatches, type LiveMatch } from '../net/matches.ts';
import { Ticket } from '../net/ticket.ts';
import { clockOf } from '../names.ts';
import { make, need, setText } from './dom.ts';

const MATCHES_SHOWN = 6;

/** Finds a match, and lists those that can be watched. */
export class Lobby {
  private readonly quick = need('quick', HTMLButtonElement);
  private readonly waiting = need('waiting', HTMLDivElement);
  private readonly waitingNote = need('waiting-note', HTMLSpanElement);
  private readonly waitingTime = need('waiting-time', HTMLTimeElement);
  private readonly note = need('find-note', HTMLParagraphElement);
  private readonly list = need('live-list', HTMLUListElement);
  private readonly none = need('live-none', HTMLParagraphElement);
  private readonly ticket: Ticket;
  private readonly matches = new LiveMatches((found) => this.show(found));
  private clock: ReturnType<typeof setInterval> | undefined;

  /** @param onMatch called with the id of a match that was found */
  constructor(
    backend: Backend,
    private readonly onMatch: (id: string) => void,
  ) {
    this.ticket = new Ticket(backend);
    this.quick.addEventListener('click', () => void this.find());
    need('cancel', HTMLButtonElement).addEventListener('click', () => {
      this.ticket.cancel();
      this.stopWaiting();
      this.quick.focus();
    });
    const enable = (): void => {
      this.quick.disabled = !backend.isOpen;
    };
    backend.onChange(enable);
    enable();
    // A reload in the middle of a wait goes on waiting.
    if (this.ticket.since !== undefined) void this.find();
  }

  enter(): void {
    this.matches.start();
  }

  leave(): void {
    this.matches.stop();
  }

  /** Waits for a match; a wait that runs already goes on. */
  async find(): Promise<void> {
    if (!this.waiting.hidden) return;
    setText(this.note, '');
    setText(this.waitingNote, '');
    this.quick.hidden = true;
    this.waiting.hidden = false;
    const wait = this.ticket.wait((waiting) =>
      setText(this.waitingNote, waiting === 1 ? 'You are the first' : `${waiting} waiting`),
    );
    const tell = (): void => {
      const seconds = (Date.now() - (this.ticket.since ?? Date.now())) / 1_000;
      setText(this.waitingTime, clockOf(seconds, 1));
    };
    tell();
    this.clock = setInterval(tell, 500);
    const found = await wait;
    this.stopWaiting();
    if (found.match !== undefined) this.onMatch(found.match);
    else setText(this.note, found.why ?? '');
  }

  private stopWaiting(): void {
    clearInterval(this.clock);
    this.waiting.hidden = true;
    this.quick.hidden = false;
  }

  private show(found: readonly LiveMatch[] | undefined): void {
    const shown = (found ?? []).slice(0, MATCHES_SHOWN);
    this.none.hidden = shown.length > 0;
    const key = JSON.stringify(shown);
    if (this.list.dataset['key'] === key) return;
    this.list.dataset['key'] = key;
    this.list.replaceChildren(
      ...shown.map(({ match, players, state }) => {
        const who = players === 1 ? '1 player' : `${players} players`;
        const link = make(
          'a',
          '',
          make('b', '', who),
          make('span', '', state),
          make('span', '', 'Watch'),
        );
        link.href = `#match=${match}`;
        link.ariaLabel = `Watch the match of ${who}`;
        return make('li', '', link);
      }),
    );
  }
}

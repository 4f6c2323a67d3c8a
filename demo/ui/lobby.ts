import type { Backend } from '../net/backend.ts';
import { isOver } from '../net/match-record.ts';
import { LiveMatches } from '../net/matches.ts';
import { Ticket } from '../net/ticket.ts';
import { clockOf } from '../names.ts';
import { writeRoute } from '../route.ts';
import { need, setText } from './dom.ts';
import { LiveList } from './live-list.ts';

/** Finds opponents, leads back to a match that is left running, and lists those that can be watched. */
export class Lobby {
  private readonly quick = need('quick', HTMLButtonElement);
  private readonly waiting = need('waiting', HTMLDivElement);
  private readonly waitingNote = need('waiting-note', HTMLSpanElement);
  private readonly waitingTime = need('waiting-time', HTMLTimeElement);
  private readonly note = need('find-note', HTMLParagraphElement);
  private readonly running = need('running', HTMLDivElement);
  private readonly back = need('return', HTMLAnchorElement);
  private readonly ticket: Ticket;
  private readonly matches: LiveMatches;
  private clock: ReturnType<typeof setInterval> | undefined;

  /** @param onMatch called with the id of a match that was found */
  constructor(
    private readonly backend: Backend,
    private readonly onMatch: (id: string) => void,
  ) {
    this.ticket = new Ticket(backend);
    const list = new LiveList();
    this.matches = new LiveMatches((found) => {
      list.show(found);
      if (found) void this.look(new Set(found.map(({ match }) => match)));
    });
    this.quick.addEventListener('click', () => void this.find());
    need('cancel', HTMLButtonElement).addEventListener('click', () => {
      this.ticket.cancel();
      this.stopWaiting();
      this.quick.focus();
    });
    backend.onChange(() => this.update());
    this.update();
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
    const wait = this.ticket.wait((text) => setText(this.waitingNote, text));
    const tell = (): void => {
      const seconds = (Date.now() - (this.ticket.since ?? Date.now())) / 1_000;
      setText(this.waitingTime, clockOf(seconds, 1));
    };
    tell();
    this.clock = setInterval(tell, 500);
    const found = await wait;
    this.stopWaiting();
    if (found.match === undefined) setText(this.note, found.why ?? '');
    else this.onMatch(found.match);
  }

  /** Nobody tells a page of the end of a match that it does not watch. */
  private async look(live: ReadonlySet<string>): Promise<void> {
    for (const id of this.backend.running) {
      if (!live.has(id) && (await isOver(id))) this.backend.forget(id);
    }
  }

  private update(): void {
    const [id] = this.backend.running;
    // It would be refused: nobody is in two matches.
    this.quick.disabled = !this.backend.isOpen || id !== undefined;
    this.running.hidden = id === undefined;
    if (id !== undefined) this.back.href = writeRoute({ screen: 'match', id });
  }

  private stopWaiting(): void {
    clearInterval(this.clock);
    this.waiting.hidden = true;
    this.quick.hidden = false;
  }
}

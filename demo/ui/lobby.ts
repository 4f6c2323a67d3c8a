import type { Backend } from '../net/backend.ts';
import { Ticket } from '../net/ticket.ts';
import { clockOf } from '../names.ts';
import { need, setText } from './dom.ts';

/** What this version of the backend can say truthfully: matches are formed, not yet run by it. */
const FOUND =
  'A match was formed, and everybody in it was told. It is not run by the backend yet: practice is.';

/** Asks the backend for opponents of one's skill. */
export class Lobby {
  private readonly quick = need('quick', HTMLButtonElement);
  private readonly waiting = need('waiting', HTMLDivElement);
  private readonly waitingNote = need('waiting-note', HTMLSpanElement);
  private readonly waitingTime = need('waiting-time', HTMLTimeElement);
  private readonly note = need('find-note', HTMLParagraphElement);
  private readonly ticket: Ticket;
  private clock: ReturnType<typeof setInterval> | undefined;

  constructor(backend: Backend) {
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
    setText(this.note, found.match === undefined ? (found.why ?? '') : FOUND);
  }

  private stopWaiting(): void {
    clearInterval(this.clock);
    this.waiting.hidden = true;
    this.quick.hidden = false;
  }
}

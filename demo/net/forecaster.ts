import type { RequestInput } from '../../protocol/index.ts';
import type { Backend } from './backend.ts';
import { OddsRoom } from './odds-room.ts';
import type { Odds } from './odds.ts';

type Position = RequestInput<'forecast'>['position'];

/** Between the beginnings of two forecasts, ms. None begins while one runs. */
const EVERY_MS = 2_000;
/** A refusal is followed by a longer wait, ms. */
const REFUSED_MS = 6_000;
/** Before the next look at a match that gives nothing to ask about just now, ms. */
const LOOK_MS = 250;
/** Rest of a match to play: a share comes out within 6 percent, and a core is busy for a second or two. */
const ROLLOUTS = 60;

/** Said while there is no connection. */
const AWAY = 'no backend';

/** Asks for the odds of a match again and again, as long as somebody looks at it. */
export class Forecaster {
  odds: Odds | undefined;
  note = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;
  private room: OddsRoom | undefined;

  constructor(
    private readonly backend: Backend,
    private readonly onChange: () => void,
  ) {}

  /**
   * @param position of this moment; undefined when there is nothing to ask about just now
   * @param match that others may look at too: then one forecast serves all of them
   */
  start(position: () => Position | undefined, match?: string): void {
    this.stop();
    const running = (this.running = new AbortController());
    if (match !== undefined) {
      this.room = new OddsRoom(this.backend.client, match, EVERY_MS, (odds) => this.heard(odds));
    }
    const round = async (): Promise<void> => {
      const startedAt = performance.now();
      const asked = this.mayAsk(startedAt) ? position() : undefined;
      let wait = LOOK_MS;
      if (asked) wait = (await this.ask(asked, running.signal)) ? EVERY_MS : REFUSED_MS;
      if (running.signal.aborted) return;
      const left = wait - (performance.now() - startedAt);
      this.timer = setTimeout(() => void round(), Math.max(0, left));
    };
    void round();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = undefined;
    this.room?.leave();
    this.room = undefined;
    this.odds = undefined;
    this.note = '';
  }

  private mayAsk(now: number): boolean {
    if (!this.backend.isOpen) this.say(AWAY);
    else if (this.note === AWAY) this.say('');
    return this.backend.isOpen && !document.hidden && this.room?.isFree(now) !== false;
  }

  /** @returns false when it was refused */
  private async ask(position: Position, signal: AbortSignal): Promise<boolean> {
    const { tick } = position;
    // Odds of the last moment are better than none, until these have settled a little.
    const enough = this.odds ? ROLLOUTS / 4 : 1;
    if (!this.odds) this.say('asking a worker');
    this.room?.asks();
    try {
      const { result, end } = await this.backend.request(
        'forecast',
        { position, rollouts: ROLLOUTS, seed: tick },
        {
          signal,
          deadlineMs: 15_000,
          retryRefused: false,
          onProgress: ({ win, rollouts }) => {
            if (!signal.aborted && rollouts >= enough) this.take({ tick, win, rollouts });
          },
        },
      );
      if (signal.aborted) return true;
      const { win, rollouts } = result;
      const odds = { tick, win, rollouts, core: end.ran?.core };
      this.take(odds);
      this.room?.tell(odds);
      this.say(where(odds));
      return true;
    } catch (error) {
      if (!signal.aborted) this.say(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  private heard(odds: Odds): void {
    this.take(odds);
    this.say(`${where(odds)}, shared`);
  }

  private take(odds: Odds): void {
    this.odds = odds;
    this.onChange();
  }

  private say(note: string): void {
    if (note === this.note) return;
    this.note = note;
    this.onChange();
  }
}

function where({ rollouts, core }: Odds): string {
  return `${rollouts} rollouts${core === undefined ? '' : ` on core ${core}`}`;
}

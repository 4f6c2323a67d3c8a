import type { RequestInput, ResultOf } from '../../protocol/index.ts';
import type { Backend } from './backend.ts';

type Position = RequestInput<'forecast'>['position'];
type Odds = Pick<ResultOf<'forecast'>, 'win' | 'rollouts'>;

/** Between the beginnings of two forecasts, ms. None begins while one runs. */
const EVERY_MS = 2_000;
/** A refusal is followed by a longer wait, ms. */
const REFUSED_MS = 6_000;
/** Rest of a match to play: a share comes out within 6 percent, and a core is busy for a second or two. */
const ROLLOUTS = 60;

/** Asks for the odds of a match again and again, as long as somebody looks at it. */
export class Forecaster {
  odds: Odds | undefined;
  note = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;

  constructor(
    private readonly backend: Backend,
    private readonly onChange: () => void,
  ) {}

  /** @param position of this moment; undefined when there is nothing to ask about just now */
  start(position: () => Position | undefined): void {
    this.stop();
    const running = (this.running = new AbortController());
    const round = async (): Promise<void> => {
      const startedAt = performance.now();
      let wait = EVERY_MS;
      const asked = document.hidden ? undefined : position();
      if (!this.backend.isOpen) this.say('no backend');
      else if (asked) wait = (await this.ask(asked, running.signal)) ? EVERY_MS : REFUSED_MS;
      if (running.signal.aborted) return;
      const left = wait - (performance.now() - startedAt);
      this.timer = setTimeout(() => void round(), Math.max(asked ? 0 : 250, left));
    };
    void round();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = undefined;
    this.odds = undefined;
    this.note = '';
  }

  /** @returns false when it was refused */
  private async ask(position: Position, signal: AbortSignal): Promise<boolean> {
    // Odds of the last moment are better than none, until these have settled a little.
    const enough = this.odds ? ROLLOUTS / 4 : 1;
    if (!this.odds) this.say('asking a worker');
    try {
      const { result, end } = await this.backend.request(
        'forecast',
        { position, rollouts: ROLLOUTS, seed: position.tick },
        {
          signal,
          deadlineMs: 15_000,
          retryRefused: false,
          onProgress: (odds) => {
            if (!signal.aborted && odds.rollouts >= enough) this.take(odds);
          },
        },
      );
      if (signal.aborted) return true;
      this.take(result);
      const core = end.ran?.core === undefined ? '' : ` on core ${end.ran.core}`;
      this.say(`${result.rollouts} rollouts${core}`);
      return true;
    } catch (error) {
      if (!signal.aborted) this.say(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  private take(odds: Odds): void {
    this.odds = odds;
    this.onChange();
  }

  private say(note: string): void {
    this.note = note;
    this.onChange();
  }
}

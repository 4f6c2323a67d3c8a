import type { End } from '../../protocol/index.ts';
import { make, setText } from '../ui/dom.ts';

/** One request in the table, from its sending to its end. */
export class JobRow {
  readonly row: HTMLTableRowElement;
  private readonly bar = make('i');
  private readonly state = make('span');
  private readonly waited = make('td', '', '–');
  private readonly ran = make('td', '', '–');
  private readonly core = make('td', '', '–');
  private readonly attempt = make('td', '', '–');

  constructor(number: number) {
    const title = make('th', '', `#${number}`);
    title.scope = 'row';
    const state = make('td', 'state', make('div', 'bar', this.bar), this.state);
    this.row = make('tr', '', title, state, this.waited, this.ran, this.core, this.attempt);
    this.say('waits its turn');
  }

  say(text: string): void {
    setText(this.state, text);
  }

  /** @param share 0 to 1 */
  progress(share: number, attempt: number): void {
    this.bar.style.width = `${Math.round(share * 100)}%`;
    this.say('running');
    setText(this.attempt, String(attempt));
  }

  ended({ state, ran, attempt }: End): void {
    this.say(state);
    this.row.classList.add(state);
    if (state === 'done') this.bar.style.width = '100%';
    setText(this.attempt, String(attempt));
    if (!ran) return;
    setText(this.waited, `${ran.waitedMs.toFixed(1)} ms`);
    setText(this.ran, `${ran.ms.toFixed(0)} ms`);
    setText(this.core, ran.core === undefined ? '–' : String(ran.core));
  }
}

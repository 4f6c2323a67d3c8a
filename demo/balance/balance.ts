import { TABLE_REPORTED_MAX } from '../../protocol/index.ts';
import type { Backend } from '../net/backend.ts';
import { Sweep, type Stand } from '../net/sweep.ts';
import { need, setText } from '../ui/dom.ts';
import { Chart } from './chart.ts';
import { csvOf, jsonOf, nameOf, saveFile } from './files.ts';
import { SweepForm } from './form.ts';
import { SweepTable } from './table.ts';

/** What options do to the game: a sweep is asked for, runs on all cores, and comes as a chart and a table. */
export class Balance {
  private readonly sweep: Sweep;
  private readonly form: SweepForm;
  private readonly chart = new Chart();
  private readonly table = new SweepTable();
  private readonly start = need('sweep-start', HTMLButtonElement);
  private readonly cancel = need('sweep-cancel', HTMLButtonElement);
  private readonly run = need('sweep-run', HTMLElement);
  private readonly bar = need('sweep-bar', HTMLProgressElement);
  private readonly none = need('sweep-none', HTMLParagraphElement);
  private readonly result = need('sweep-result', HTMLElement);

  constructor(private readonly backend: Backend) {
    this.sweep = new Sweep(backend, () => this.update());
    this.form = new SweepForm((input) => {
      this.sweep.start(input);
      // On a phone it is below the form; beside a long one, above the button.
      const { top } = this.run.getBoundingClientRect();
      if (top < 0 || top > innerHeight / 2) this.run.scrollIntoView();
    });
    this.cancel.addEventListener('click', () => this.sweep.cancel());
    need('sweep-csv', HTMLButtonElement).addEventListener('click', () => this.save('csv'));
    need('sweep-json', HTMLButtonElement).addEventListener('click', () => this.save('json'));
    backend.onChange(() => this.enable());
    this.enable();
  }

  /** Goes on with what this tab asked for before a reload. */
  resume(): void {
    this.sweep.resume();
    if (this.sweep.stand) this.form.show(this.sweep.stand.input);
  }

  private enable(): void {
    const { isRunning } = this.sweep;
    this.start.disabled = isRunning || !this.backend.isOpen;
    this.cancel.disabled = !isRunning;
    this.form.lock(isRunning);
  }

  private update(): void {
    this.enable();
    const { stand } = this.sweep;
    if (!stand) return;
    const { done, failed, total } = stand.tally;
    this.run.hidden = false;
    this.bar.value = (done + failed) / total;
    setText(need('sweep-state', HTMLParagraphElement), sentence(stand));
    for (const [id, text] of figures(stand)) setText(need(id, HTMLElement), text);
    const isKnown = stand.points.some(({ matches }) => matches > 0);
    this.result.hidden = !isKnown;
    this.none.hidden = isKnown;
    setText(this.none, absent(stand));
    if (!isKnown) return;
    this.chart.show(stand.input.axes, stand.points);
    this.table.show(stand.input.axes, stand.points);
  }

  private save(as: 'csv' | 'json'): void {
    const { stand } = this.sweep;
    if (!stand) return;
    const { input, points, tally, seconds } = stand;
    const name = `${nameOf(input)}.${as}`;
    if (as === 'csv') return saveFile(name, 'text/csv', csvOf(input, points));
    const counts = { matches: tally.done, failed: tally.failed, seconds };
    saveFile(name, 'application/json', jsonOf(input, points, counts));
  }
}

function figures({ tally, pace, seconds, state }: Stand): [id: string, text: string][] {
  const { done, failed, total } = tally;
  const isDone = state === 'done';
  const known = seconds === undefined ? '–' : `${seconds.toFixed(1)} s`;
  const left = pace === undefined ? '–' : `${Math.ceil(pace.secondsLeft)} s`;
  const perSecond = isDone && seconds ? total / seconds : pace?.perSecond;
  return [
    ['sweep-done', `${done.toLocaleString('en')} / ${total.toLocaleString('en')}`],
    ['sweep-failed', failed.toLocaleString('en')],
    ['sweep-pace', perSecond === undefined ? '–' : perSecond.toFixed(1)],
    ['sweep-time', isDone ? known : left],
    ['sweep-time-of', isDone ? 'Took' : 'Time left'],
  ];
}

/** Said to a screen reader, too: it changes a few times in a sweep, and not with every report. */
function sentence({ state, tally, why }: Stand): string {
  switch (state) {
    case 'asked':
      return 'Waits for a core';
    case 'running':
      return 'Running';
    case 'done':
      return tally.failed > 0 ? `Done; ${tally.failed} matches failed and are left out` : 'Done';
    case 'cancelled':
      return 'Cancelled: this is how far it came';
    case 'failed':
      return `Stopped: ${why}`;
  }
}

/** Why there is no chart. */
function absent({ state, tally, input }: Stand): string {
  if (state !== 'running' || tally.done === 0) return 'Nothing is known yet.';
  const points = input.axes.reduce((product, { values }) => product * values.length, 1);
  if (points > TABLE_REPORTED_MAX) return `A table of ${points} points comes with the end.`;
  return 'The first matches are being counted.';
}

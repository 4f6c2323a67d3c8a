import { kinds, sweepable, type Sweepable } from '../../protocol/index.ts';
import { misfit } from '../../workers/balance/points.ts';
import { readNumbers } from '../../workers/balance/values.ts';
import type { SweepInput } from '../net/sweep.ts';
import { need, setText } from '../ui/dom.ts';
import { AxisFields } from './axis-fields.ts';

/** As many as the kind takes. */
const AXES_MAX = 3;
/** Of the first option, and of each further one. */
const VALUES = 7;
const VALUES_MORE = 3;
/** What one core plays of the game as it is, matches a second, about. */
const A_SECOND = 20;
/** Options that are worth a look, in the order in which they are offered. */
const OFFERED: readonly Sweepable[] = ['dashSpeed', 'restitution', 'startRadius', 'damping'];

/** What a sweep is asked for, checked with every change by the kind's own schema. */
export class SweepForm {
  private readonly box = need('sweep-axes', HTMLDivElement);
  private readonly add = need('sweep-add', HTMLButtonElement);
  private readonly matches = need('sweep-matches', HTMLInputElement);
  private readonly levels = need('sweep-levels', HTMLInputElement);
  private readonly seed = need('sweep-seed', HTMLInputElement);
  private readonly size = need('sweep-size', HTMLParagraphElement);
  private readonly wrong = need('sweep-wrong', HTMLParagraphElement);
  private readonly fields = need('sweep-fields', HTMLFieldSetElement);
  private axes: AxisFields[] = [];

  /** @param onStart called with a sweep that may be asked for */
  constructor(onStart: (input: SweepInput) => void) {
    this.add.addEventListener('click', () => this.append().list.focus());
    for (const field of [this.matches, this.levels, this.seed])
      field.addEventListener('input', () => this.check());
    need('sweep', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const input = this.check();
      if (input) onStart(input);
      else this.box.closest('form')?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    });
    this.append();
  }

  /** Fills in a sweep that was asked for before. */
  show({ axes, matches, levels, seed }: SweepInput): void {
    while (this.axes.length > axes.length) this.remove(this.axes.at(-1));
    while (this.axes.length < axes.length) this.append();
    for (const [i, axis] of axes.entries()) this.axes[i]?.show(axis);
    this.matches.value = String(matches);
    this.levels.value = levels.join(', ');
    this.seed.value = String(seed);
    this.check();
  }

  /** While a sweep runs there is nothing to fill in. */
  lock(locked: boolean): void {
    this.fields.disabled = locked;
  }

  private append(): AxisFields {
    const taken = new Set(this.axes.map(({ axis }) => axis.option));
    const names = [...OFFERED, ...(Object.keys(sweepable) as Sweepable[])];
    const option = names.find((name) => !taken.has(name)) ?? 'dashSpeed';
    const count = this.axes.length === 0 ? VALUES : VALUES_MORE;
    const fields: AxisFields = new AxisFields(
      option,
      count,
      () => this.check(),
      () => {
        this.remove(fields);
        this.add.focus();
      },
    );
    this.axes.push(fields);
    this.box.append(fields.node);
    this.renumber();
    return fields;
  }

  private remove(fields: AxisFields | undefined): void {
    fields?.node.remove();
    this.axes = this.axes.filter((one) => one !== fields);
    this.renumber();
  }

  private renumber(): void {
    for (const [i, fields] of this.axes.entries()) fields.name(i + 1, this.axes.length > 1);
    this.add.hidden = this.axes.length >= AXES_MAX;
    this.check();
  }

  /** Says what is wrong beside each field. @returns the input when nothing is */
  private check(): SweepInput | undefined {
    const axes = this.axes.map(({ axis }) => axis);
    const read = kinds.balance.input.safeParse({
      axes,
      matches: this.matches.valueAsNumber,
      levels: readNumbers(this.levels.value),
      seed: this.seed.valueAsNumber,
    });
    const issues = read.error?.issues ?? [];
    const about = (...path: (string | number)[]): string =>
      issues.find((issue) => path.every((step, i) => issue.path[i] === step))?.message ?? '';
    this.axes.forEach((fields, i) => fields.say(about('axes', i)));
    for (const [name, field] of [
      ['matches', this.matches],
      ['levels', this.levels],
      ['seed', this.seed],
    ] as const) {
      const why = about(name);
      field.ariaInvalid = String(why !== '');
      setText(need(`sweep-${name}-wrong`, HTMLSpanElement), why);
    }
    const ofAll = issues.find(({ path }) => path[0] === 'axes' && path.length === 1)?.message;
    const why = ofAll === undefined ? read.data && misfit(read.data) : `Options ${ofAll}`;
    setText(this.wrong, why ?? '');
    const points = axes.reduce((product, { values }) => product * values.length, 1);
    setText(this.size, sizeOf(points, this.matches.valueAsNumber));
    return why === undefined ? read.data : undefined;
  }
}

function sizeOf(points: number, matches: number): string {
  const all = points * matches;
  if (!Number.isInteger(all) || all <= 0) return '';
  const seconds = Math.ceil(all / A_SECOND);
  const time = seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
  const of = points === 1 ? '1 point' : `${points} points`;
  return `${of} × ${matches} = ${all.toLocaleString('en')} matches, about ${time} on one core.`;
}

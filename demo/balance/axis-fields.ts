import { sweepable, type Sweepable } from '../../protocol/index.ts';
import { optionTexts } from '../../workers/balance/measures.ts';
import { readValues, spread } from '../../workers/balance/values.ts';
import { defaultOptions } from '../../workers/games/knockout/rules.ts';
import { make, setText } from '../ui/dom.ts';
import type { Axis } from './picture.ts';

/** Where the game is still one, and something happens to it. */
const WORTH: Readonly<Record<Sweepable, readonly [from: number, to: number]>> = {
  startRadius: [6, 18],
  holdTicks: [0, 600],
  endTicks: [900, 2_700],
  acceleration: [4, 16],
  damping: [0, 2],
  restitution: [0, 1],
  dashSpeed: [0, 12],
  dashCooldownTicks: [15, 120],
};

let made = 0;

/** One option of a sweep: which one, and its values. Their list counts; from, to and how many make another list. */
export class AxisFields {
  readonly node: HTMLFieldSetElement;
  readonly list = make('input');
  private readonly option = make('select');
  private readonly from = make('input');
  private readonly to = make('input');
  private readonly count = make('input');
  private readonly fact = make('p', 'note');
  private readonly wrong = make('p', 'wrong');
  private readonly legend = make('legend', 'hidden');
  private readonly away = make('button', 'plain away', '×');

  constructor(
    option: Sweepable,
    count: number,
    private readonly changed: () => void,
    onAway: () => void,
  ) {
    for (const name of Object.keys(sweepable)) {
      const choice = make('option', '', optionTexts[name as Sweepable].says);
      choice.value = name;
      this.option.append(choice);
    }
    this.option.ariaLabel = 'Option';
    for (const field of [this.from, this.to, this.count]) {
      field.type = 'number';
      field.step = 'any';
    }
    this.count.min = '1';
    this.count.step = '1';
    this.count.value = String(count);
    this.list.autocomplete = 'off';
    this.list.spellcheck = false;
    this.away.type = 'button';
    this.away.ariaLabel = 'Leave this option out';
    this.wrong.id = `sweep-wrong-${++made}`;
    this.list.setAttribute('aria-describedby', this.wrong.id);
    this.away.addEventListener('click', onAway);
    this.option.addEventListener('change', () => this.choose(this.option.value as Sweepable));
    for (const field of [this.from, this.to, this.count])
      field.addEventListener('input', () => this.spread());
    this.list.addEventListener('input', () => {
      this.measure();
      changed();
    });
    const fields = make(
      'div',
      'range',
      make('label', '', 'From', this.from),
      make('label', '', 'To', this.to),
      make('label', '', 'How many', this.count),
    );
    this.node = make(
      'fieldset',
      'axis',
      this.legend,
      make('div', 'which', this.option, this.away),
      fields,
      make('label', '', 'Its values', this.list),
      this.wrong,
      this.fact,
    );
    this.set(option);
  }

  /** As the input of a sweep has it, checked or not. */
  get axis(): Axis {
    return { option: this.option.value as Sweepable, values: readValues(this.list.value) };
  }

  show({ option, values }: Axis): void {
    this.option.value = option;
    this.list.value = values.join(', ');
    this.measure();
    this.tell(option);
  }

  /** @param text what is wrong with it; empty: nothing */
  say(text: string): void {
    setText(this.wrong, text);
    this.list.ariaInvalid = String(text !== '');
  }

  /** @param canGo whether there are others */
  name(number: number, canGo: boolean): void {
    setText(this.legend, `Option ${number}`);
    this.away.hidden = !canGo;
  }

  private choose(option: Sweepable): void {
    this.set(option);
    this.changed();
  }

  private set(option: Sweepable): void {
    const [from, to] = WORTH[option];
    this.option.value = option;
    this.from.value = String(from);
    this.to.value = String(to);
    this.list.value = spread(option, from, to, Number(this.count.value)).join(', ');
    this.tell(option);
  }

  private tell(option: Sweepable): void {
    const [min, max] = sweepable[option];
    const { unit } = optionTexts[option];
    const now = `${defaultOptions[option]} ${unit}`.trim();
    setText(this.fact, `${option}: ${min} to ${max}; in the game now ${now}.`);
  }

  private spread(): void {
    const [from, to, count] = [this.from, this.to, this.count].map((field) => field.valueAsNumber);
    const { option } = this.axis;
    this.list.value = spread(option, from ?? 0, to ?? 0, count ?? 1).join(', ');
    this.changed();
  }

  private measure(): void {
    const { values } = this.axis;
    this.count.value = String(values.length);
    if (values.length === 0 || values.some((value) => Number.isNaN(value))) return;
    this.from.value = String(Math.min(...values));
    this.to.value = String(Math.max(...values));
  }
}

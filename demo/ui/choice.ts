import { make } from './dom.ts';

/** One of several, as radio buttons in a row. */
export class Choice<T extends string> {
  private readonly inputs = new Map<T, HTMLInputElement>();

  /**
   * @param box that they are put into, a radiogroup
   * @param texts by value, in the order of the row; the first is chosen
   */
  constructor(
    private readonly box: HTMLElement,
    texts: Readonly<Record<T, string>>,
    onChange: () => void,
  ) {
    for (const [value, text] of Object.entries(texts) as [T, string][]) {
      const input = make('input');
      input.type = 'radio';
      input.name = box.id;
      input.checked = this.inputs.size === 0;
      input.addEventListener('change', onChange);
      this.inputs.set(value, input);
      box.append(make('label', '', input, text));
    }
  }

  get value(): T {
    const [[first] = []] = this.inputs;
    const [chosen] = [...this.inputs].find(([, { checked }]) => checked) ?? [];
    return (chosen ?? first) as T;
  }

  set value(value: T) {
    const input = this.inputs.get(value);
    if (input) input.checked = true;
  }

  set hidden(hidden: boolean) {
    this.box.hidden = hidden;
  }
}

import type { BalancePoint } from '../../protocol/index.ts';
import { make, need, setText } from '../ui/dom.ts';
import type { Axis } from './picture.ts';
import { columnsOf, inOrder, nextOrder, type Column, type Order } from './sorting.ts';

/** Every point of a sweep in a row, sorted by whichever column's title was pressed. */
export class SweepTable {
  private readonly head = need('sweep-head', HTMLTableRowElement);
  private readonly body = need('sweep-rows', HTMLTableSectionElement);
  private axes: readonly Axis[] = [];
  private points: readonly BalancePoint[] = [];
  private columns: readonly Column[] = [];
  private titles = new Map<string, HTMLTableCellElement>();
  private order: Order | undefined;

  show(axes: readonly Axis[], points: readonly BalancePoint[]): void {
    this.axes = axes;
    this.points = points;
    this.update();
  }

  private update(): void {
    this.columns = columnsOf(this.axes, this.points);
    const keys = this.columns.map(({ key }) => key);
    // Kept while they stay the same: a title that was replaced would lose the focus.
    if (keys.join() !== [...this.titles.keys()].join()) this.entitle();
    for (const [key, title] of this.titles) {
      const isSorted = this.order?.key === key;
      title.ariaSort = isSorted ? (this.order?.descending ? 'descending' : 'ascending') : 'none';
    }
    const rows = inOrder(this.points, this.columns, this.order);
    rows.forEach((point, i) => this.fill(this.row(i), point));
    for (const row of [...this.body.rows].slice(rows.length)) row.remove();
  }

  private entitle(): void {
    if (!this.columns.some(({ key }) => key === this.order?.key)) this.order = undefined;
    this.titles = new Map(
      this.columns.map(({ key, title }) => {
        const button = make('button', '', title);
        button.type = 'button';
        button.addEventListener('click', () => {
          this.order = nextOrder(this.order, key);
          this.update();
        });
        const cell = make('th', '', button);
        cell.scope = 'col';
        return [key, cell];
      }),
    );
    this.head.replaceChildren(...this.titles.values());
    this.body.replaceChildren();
  }

  private row(i: number): HTMLTableRowElement {
    const found = this.body.rows[i];
    if (found) return found;
    const cells = this.columns.map((_, at) => make(at < this.axes.length ? 'th' : 'td'));
    for (const cell of cells.slice(0, this.axes.length)) cell.scope = 'row';
    const row = make('tr', '', ...cells);
    this.body.append(row);
    return row;
  }

  private fill(row: HTMLTableRowElement, point: BalancePoint): void {
    this.columns.forEach(({ write }, i) => {
      const cell = row.cells[i];
      if (cell) setText(cell, write(point));
    });
  }
}

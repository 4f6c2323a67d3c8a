/** A block of lines that is drawn over itself on a terminal. Elsewhere each line is printed when its row is done. */
export class Screen {
  private readonly rows: string[];
  private drawn = false;
  private readonly live = process.stdout.isTTY;

  constructor(count: number) {
    this.rows = Array.from({ length: count }, () => '');
  }

  set(row: number, text: string, done: boolean): void {
    this.rows[row] = text;
    if (this.live) this.draw();
    else if (done) process.stdout.write(`${text}\n`);
  }

  private draw(): void {
    const width = process.stdout.columns;
    const up = this.drawn ? `\u001B[${this.rows.length}A` : '';
    process.stdout.write(
      up + this.rows.map((row) => `\u001B[2K${row.slice(0, width - 1)}\n`).join(''),
    );
    this.drawn = true;
  }
}

/** @param share 0 to 1 */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** Elsewhere than on a terminal a line this often, ms: nobody reads two a second in a log. */
const LOGGED_MS = 5_000;

/** One line that is written over itself, on stderr: stdout is for what comes of it. */
export class Live {
  private shownAt = -LOGGED_MS;

  show(text: string): void {
    const { stderr } = process;
    if (stderr.isTTY) {
      stderr.write(`\r\u001B[2K${text.slice(0, stderr.columns - 1)}`);
    } else if (performance.now() - this.shownAt >= LOGGED_MS) {
      this.shownAt = performance.now();
      stderr.write(`${text}\n`);
    }
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}

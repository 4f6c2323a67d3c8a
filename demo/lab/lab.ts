import { RequestFailed } from '../../protocol/client/index.ts';
import type { RequestInput } from '../../protocol/index.ts';
import type { Backend } from '../net/backend.ts';
import { need, setText } from '../ui/dom.ts';
import { drawTrips } from './chart.ts';
import { JobRow } from './job-row.ts';
import { RoundTrips } from './round-trips.ts';

const PING_MS = 100;
const FORECASTS = 12;
/** As many as the kind allows one player at once. */
const AT_ONCE = 4;
const ROLLOUTS = 60;

/** Light and heavy work side by side: pings all the time, forecasts on demand. */
export class Lab {
  private readonly run = need('lab-run', HTMLButtonElement);
  private readonly stop = need('lab-stop', HTMLButtonElement);
  private readonly rows = need('lab-rows', HTMLTableSectionElement);
  private readonly none = need('lab-none', HTMLParagraphElement);
  private readonly canvas = need('lab-canvas', HTMLCanvasElement);
  private readonly trips = new RoundTrips();
  private running: AbortController | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly backend: Backend) {
    this.run.addEventListener('click', () => void this.forecast());
    this.stop.addEventListener('click', () => this.running?.abort());
    backend.onChange(() => this.enable());
  }

  enter(): void {
    this.enable();
    this.timer = setInterval(() => void this.ping(), PING_MS);
  }

  leave(): void {
    clearInterval(this.timer);
    this.running?.abort();
  }

  private enable(): void {
    this.run.disabled = this.running !== undefined || !this.backend.isOpen;
    this.stop.disabled = this.running === undefined;
  }

  private async ping(): Promise<void> {
    if (document.hidden || !this.backend.isOpen) return;
    const busy = this.running !== undefined;
    const ms = await this.backend.client.ping().catch(() => undefined);
    if (ms === undefined) return;
    this.trips.add({ ms, busy });
    drawTrips(this.canvas, this.trips.all);
    for (const [id, share, sort] of FIGURES) {
      const value = this.trips.percentile(share, sort);
      setText(need(id, HTMLElement), value === undefined ? '–' : `${value.toFixed(1)} ms`);
    }
  }

  private async forecast(): Promise<void> {
    const running = (this.running = new AbortController());
    this.enable();
    this.none.hidden = true;
    const rows = Array.from({ length: FORECASTS }, (_, i) => new JobRow(i + 1));
    this.rows.replaceChildren(...rows.map(({ row }) => row));
    const waiting = rows.values();
    const lane = async (): Promise<void> => {
      for (const row of waiting) await this.one(row, running.signal);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    this.running = undefined;
    this.enable();
  }

  private async one(row: JobRow, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return row.say('cancelled');
    row.say('sent');
    try {
      const { end } = await this.backend.request('forecast', someForecast(), {
        signal,
        onAccepted: () => row.say('accepted'),
        onProgress: ({ rollouts }, { attempt }) => row.progress(rollouts / ROLLOUTS, attempt),
      });
      row.ended(end);
    } catch (error) {
      if (error instanceof RequestFailed && error.end) row.ended(error.end);
      else row.say(error instanceof Error ? error.message : String(error));
    }
  }
}

const FIGURES: readonly (readonly [id: string, share: number, busy: boolean])[] = [
  ['lab-quiet-50', 0.5, false],
  ['lab-quiet-99', 0.99, false],
  ['lab-busy-50', 0.5, true],
  ['lab-busy-99', 0.99, true],
];

/** Eight discs somewhere on a platform that has lost a third. */
function someForecast(): RequestInput<'forecast'> {
  const at = (): number => (Math.random() * 2 - 1) * 4;
  const discs = Array.from({ length: 8 }, () => ({
    x: at(),
    y: at(),
    vx: 0,
    vy: 0,
    alive: true,
    level: Math.floor(Math.random() * 4),
  }));
  const seed = Math.floor(Math.random() * 2 ** 32);
  return { position: { tick: 1_000, discs }, rollouts: ROLLOUTS, seed };
}

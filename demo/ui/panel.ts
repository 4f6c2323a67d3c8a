import type { Backend } from '../net/backend.ts';
import { Live } from '../source/live.ts';
import type { MatchSource } from '../source/source.ts';
import { need, setText } from './dom.ts';

const EVERY_MS = 500;

/** Figures of what the backend does for this page. */
export class BackendPanel {
  private readonly spark = need('spark', SVGSVGElement).querySelector('path');
  private tick: number | undefined;
  private source: MatchSource | undefined;

  constructor(private readonly backend: Backend) {
    const toggle = need('panel-toggle', HTMLButtonElement);
    const panel = need('backend', HTMLElement);
    toggle.addEventListener('click', () => {
      const open = panel.classList.toggle('open');
      toggle.ariaExpanded = String(open);
    });
    backend.onChange(() => this.update());
    setInterval(() => {
      if (!document.hidden) this.update();
    }, EVERY_MS);
    this.update();
  }

  /** What is on the stage now, and at which tick it is. */
  note(source: MatchSource | undefined, tick: number | undefined): void {
    this.source = source;
    this.tick = tick;
  }

  private update(): void {
    const { backend, source, tick } = this;
    const { state, roundTrip, lastRun } = backend;
    const { received, sent } = backend.traffic.rates(performance.now());
    const ran = lastRun?.ran;
    put('f-round-trip', roundTrip === undefined ? '–' : `${roundTrip.toFixed(1)} ms`);
    put('f-gateway', state.name);
    put('f-tick', tick === undefined ? '–' : String(tick));
    put('f-where', where(source));
    put('f-wait', ran ? `${ran.waitedMs.toFixed(1)} ms` : '–');
    const core = ran?.core === undefined ? '' : `, core ${ran.core}`;
    put('f-job', ran ? `${duration(ran.ms)}${core}` : '–');
    put('f-job-kind', lastRun ? `Last ${lastRun.kind}` : 'Last job');
    put('f-received', rate(received));
    put('f-sent', rate(sent));
    if (source instanceof Live) this.showArena(source);
    this.drawSpark();
  }

  private showArena({ figures, pulse, arena }: Live): void {
    const { matchedInMs } = this.backend;
    put('f-matched', matchedInMs === undefined ? '–' : duration(matchedInMs));
    put('f-jitter', `${figures.jitterMs.toFixed(1)} ms`);
    put('f-behind', `${figures.delayMs.toFixed(0)} ms`);
    put('f-input', figures.inputMs === undefined ? '–' : `${figures.inputMs.toFixed(0)} ms`);
    // Repeated and overtaken ones are as they should be.
    const lost = figures.droppedFor.no_key + figures.droppedFor.damaged;
    put(
      'f-keyframes',
      lost === 0 ? String(figures.keyframes) : `${figures.keyframes}, ${lost} lost`,
    );
    put('f-term', pulse.term === undefined ? '–' : String(pulse.term));
    put('f-pause', pulse.pauseMs === undefined ? 'none seen' : duration(pulse.pauseMs));
    put('f-lateness', arena ? `${arena.latenessP99Ms.toFixed(1)} ms` : '–');
  }

  /** Round trips, the last at the right; the line's height is the largest of them. */
  private drawSpark(): void {
    const { roundTrips } = this.backend;
    const most = Math.max(1, ...roundTrips);
    const points = roundTrips.map((ms, i) => {
      const x = 120 - (roundTrips.length - 1 - i) * 3;
      return `${x} ${(26 - (24 * ms) / most).toFixed(1)}`;
    });
    const path = points.length > 1 ? `M${points.join('L')}` : '';
    if (this.spark?.getAttribute('d') !== path) this.spark?.setAttribute('d', path);
  }
}

function where(source: MatchSource | undefined): string {
  if (!(source instanceof Live)) return source ? 'this page' : '–';
  const core = source.arena?.core;
  return core === undefined || core === null ? 'an arena' : `arena, core ${core}`;
}

function put(id: string, text: string): void {
  setText(need(id, HTMLElement), text);
}

function duration(ms: number): string {
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function rate(bytesPerSecond: number): string {
  return bytesPerSecond < 1_000
    ? `${bytesPerSecond.toFixed(0)} B/s`
    : `${(bytesPerSecond / 1_000).toFixed(1)} kB/s`;
}

import { setTimeout as wait } from 'node:timers/promises';
import { bar, Live } from '../screen.ts';
import type { Figures } from './orders.ts';
import { useOf, type Inside, type LoadStage, type Use } from './stage.ts';
import { count, mib } from './text.ts';
import { ask } from './verdict.ts';

const LOOK_MS = 500;

/** The line of each half second, and the highest of what it shows. */
export class Watch {
  peakDepth: number | undefined;
  readonly peakBytes: Record<string, number> = {};
  private readonly live = new Live();
  private last: { readonly figures: Figures; readonly at: number };

  constructor(
    private readonly stage: LoadStage,
    private readonly before: Figures,
    private readonly total: number,
  ) {
    this.last = { figures: before, at: performance.now() };
  }

  async until(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await wait(LOOK_MS, undefined, { signal: over }).catch(() => undefined);
      const [now, inside] = await Promise.all([ask(this.stage), this.stage.look()]);
      this.show(now, inside, useOf(this.stage.pids));
    }
    this.live.end();
  }

  private show(now: Figures, inside: Inside | undefined, use: Readonly<Record<string, Use>>): void {
    const at = performance.now();
    const seconds = (at - this.last.at) / 1_000;
    const rate = (of: 'accepted' | 'ended') =>
      Math.round((now[of] - this.last.figures[of]) / seconds);
    const ended = now.ended - this.before.ended;
    for (const [name, { bytes }] of Object.entries(use))
      this.peakBytes[name] = Math.max(this.peakBytes[name] ?? 0, bytes);
    if (inside !== undefined) this.peakDepth = Math.max(this.peakDepth ?? 0, inside.depth);
    const refused = Object.values(now.refused).reduce((sum, times) => sum + times, 0);
    const parts = [
      `${bar(ended / this.total, 20)} ${((ended / this.total) * 100).toFixed(1).padStart(5)} %`,
      `${count(ended)} of ${count(this.total)}`,
      `accepted ${count(rate('accepted'))}/s`,
      `ended ${count(rate('ended'))}/s`,
      `unended ${count(now.unended)}`,
      ...(inside === undefined ? [] : [`waiting ${count(inside.waiting)} jobs`]),
      `refused ${count(refused)}${retryText(now)}`,
      `twice ${now.doubled}`,
      Object.entries(use)
        .map(([name, { bytes }]) => `${name} ${mib(bytes)}`)
        .join(' '),
    ];
    this.live.show(parts.join('  '));
    this.last = { figures: now, at };
  }
}

function retryText({ retryMs, retryAfterS }: Figures): string {
  if (retryMs === undefined) return '';
  const http = retryAfterS === undefined ? '' : `, HTTP 503 Retry-After: ${retryAfterS}`;
  return ` (again in ${retryMs.min} to ${retryMs.max} ms${http})`;
}

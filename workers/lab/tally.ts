import * as z from 'zod';
import { addChecksums } from './item.ts';

/** What became of one item, or of one request. */
export type Outcome = { readonly ms: number } & (
  | { readonly checksum: number }
  | { readonly error: string }
);

/** Outcomes of many items, summed so far that they can be sent. */
export const part = z.strictObject({
  done: z.int().min(0),
  failed: z.int().min(0),
  checksum: z.uint32(),
  latencies: z.array(z.number().min(0)),
  errors: z.array(z.tuple([z.string(), z.int().min(1)])),
  reports: z.int().min(0),
});
export type Part = z.infer<typeof part>;

/** Different messages that are kept apart; further ones are counted together. */
const ERRORS_MAX = 20;
const ERROR_CHARACTERS = 160;
export const OTHER_ERRORS = 'others';

export class Tally {
  done = 0;
  failed = 0;
  checksum = 0;
  reports = 0;
  private latencies: number[] = [];
  private errors = new Map<string, number>();

  add(outcome: Outcome): void {
    this.done++;
    this.latencies.push(outcome.ms);
    if ('checksum' in outcome) this.checksum = addChecksums(this.checksum, outcome.checksum);
    else this.fail(outcome.error, 1);
  }

  /** Items that nobody can say more about, such as those of a process that died. */
  lose(count: number, error: string): void {
    if (count === 0) return;
    this.done += count;
    this.fail(error, count);
  }

  merge(other: Part): void {
    this.done += other.done;
    this.checksum = addChecksums(this.checksum, other.checksum);
    this.reports += other.reports;
    for (const ms of other.latencies) this.latencies.push(ms);
    for (const [error, count] of other.errors) this.fail(error, count);
  }

  /** @returns what has come together since it was last taken */
  take(): Part {
    const { done, failed, checksum, latencies, reports } = this;
    const taken = { done, failed, checksum, latencies, reports, errors: this.topErrors() };
    this.done = this.failed = this.checksum = this.reports = 0;
    this.latencies = [];
    this.errors = new Map();
    return taken;
  }

  /** @returns [message, how often], the most frequent first */
  topErrors(): [string, number][] {
    return [...this.errors].toSorted(([, a], [, b]) => b - a);
  }

  /** @param share 0 to 1 @returns ms; 0 of none */
  latency(share: number): number {
    const sorted = this.latencies.toSorted((a, b) => a - b);
    return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
  }

  private fail(message: string, count: number): void {
    this.failed += count;
    const text = message.slice(0, ERROR_CHARACTERS);
    const kept = this.errors.has(text) || this.errors.size < ERRORS_MAX ? text : OTHER_ERRORS;
    this.errors.set(kept, (this.errors.get(kept) ?? 0) + count);
  }
}

import type { MatchResult } from '../../workers/games/contract.ts';

/** The end of a match, told once to whoever asked before or after it came. */
export class Over {
  private readonly listeners: ((result: MatchResult) => void)[] = [];
  private known: MatchResult | undefined;

  get result(): MatchResult | undefined {
    return this.known;
  }

  listen(listener: (result: MatchResult) => void): void {
    if (this.known) listener(this.known);
    else this.listeners.push(listener);
  }

  tell(result: MatchResult): void {
    if (this.known) return;
    this.known = result;
    for (const listener of this.listeners.splice(0)) listener(result);
  }
}

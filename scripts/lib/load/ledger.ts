const ACCEPTED = 1;
const ENDED = 2;

/**
 * What became of one player's requests, numbered from 1: a byte for each, so that a million of them cost a megabyte and
 * no objects. Every request that was accepted must end, once.
 */
export class Ledger {
  private states = new Uint8Array(256);
  asked = 0;
  accepted = 0;
  ended = 0;
  /** Ends beyond the first of a request. */
  doubled = 0;
  /** Ends and acceptances of what was never asked for. */
  strange = 0;

  /** @returns the number of a new request */
  next(): number {
    this.asked++;
    if (this.asked >= this.states.length) {
      const longer = new Uint8Array(this.states.length * 2);
      longer.set(this.states);
      this.states = longer;
    }
    return this.asked;
  }

  /** Repeating it changes nothing: a request that is sent again is accepted again. */
  accept(number: number): void {
    const state = this.stateOf(number);
    if (state === undefined || (state & ACCEPTED) !== 0) return;
    this.states[number] = state | ACCEPTED;
    this.accepted++;
  }

  /** @returns whether it is the first end. One that comes before its acceptance says that it was accepted, too */
  end(number: number): boolean {
    const state = this.stateOf(number);
    if (state === undefined) return false;
    if ((state & ENDED) !== 0) {
      this.doubled++;
      return false;
    }
    this.accept(number);
    this.states[number] = ACCEPTED | ENDED;
    this.ended++;
    return true;
  }

  /** Accepted, and not ended. */
  get lost(): number {
    return this.accepted - this.ended;
  }

  private stateOf(number: number): number | undefined {
    if (Number.isInteger(number) && number >= 1 && number <= this.asked) return this.states[number];
    this.strange++;
    return undefined;
  }
}

import type { Input } from '../../src/match/ops.ts';
import type { LoggedOp } from './entry.ts';
import type { Hosting } from './hosting.ts';
import type { ReadEntry } from './positions.ts';

/** What a group's next tick will consume. */
export class Pending {
  private ops: LoggedOp[] = [];
  private readonly inputs = new Map<Hosting, (Input | undefined)[]>();
  private held: ReadEntry[] = [];

  get hasOps(): boolean {
    return this.ops.length > 0;
  }

  /** @param from where it was read; absent: nobody sent it */
  addOp(op: LoggedOp, from?: ReadEntry): void {
    this.ops.push(op);
    if (from !== undefined) this.hold(from);
  }

  /**
   * One input for each slot and tick: the newest wins, with every button that was pressed in those it replaces.
   * @param taken the slot's last seq that a tick was given
   * @returns false when it was taken before, or a newer one was
   */
  addInput(hosting: Hosting, input: Input, taken: number, from: ReadEntry): boolean {
    if (input.seq <= taken) return false;
    let slots = this.inputs.get(hosting);
    if (slots === undefined) {
      slots = [];
      this.inputs.set(hosting, slots);
    }
    const before = slots[input.slot];
    if (before !== undefined && input.seq <= before.seq) return false;
    slots[input.slot] =
      before === undefined || (before.buttons | input.buttons) === input.buttons
        ? input
        : { ...input, buttons: before.buttons | input.buttons };
    this.hold(from);
    return true;
  }

  /** Everything, once. The stream entries that it came from count as consumed. */
  take(): { readonly ops: LoggedOp[]; readonly inputs: Input[] } {
    const { ops, held } = this;
    const inputs: Input[] = [];
    for (const slots of this.inputs.values()) {
      for (const input of slots) if (input !== undefined) inputs.push(input);
    }
    for (const entry of held) entry.waiting--;
    this.ops = [];
    this.held = [];
    this.inputs.clear();
    return { ops, inputs };
  }

  private hold(from: ReadEntry): void {
    if (this.held.at(-1) === from) return;
    from.waiting++;
    this.held.push(from);
  }
}

import type { Counters } from '../../src/lib/counters.ts';
import type { Log } from '../../src/lib/log.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { INPUT_BYTES, INPUTS_FIELD, decodeOp, readInput, type Op } from '../../src/match/ops.ts';
import type { Group } from './group.ts';
import type { Hosting } from './hosting.ts';
import { matchOf } from './logged.ts';
import { Positions, type ReadEntry } from './positions.ts';

/** Entries of the input stream that are read at a time. */
const READ_MAX = 1_024;
/** Until an idle reader asks again, ms. */
export const BLOCK_MS = 5_000;
/** Reads come no faster than this, ms, where more is there each time: a tick takes what has come, whole. */
const PACE_MS = 2;

export interface InboxParts {
  /** A connection of its own: it waits there for what comes. */
  readonly reader: Redis;
  readonly key: string;
  /** Id from which it reads on. */
  readonly pos: string;
  /** Creations up to this id count only for matches that have a place: the others have come and gone before. */
  readonly newest: string;
  readonly places: ReadonlySet<string>;
  readonly groups: readonly Group[];
  readonly byMatch: (match: string) => Hosting | undefined;
  readonly byHandle: (handle: number) => Hosting | undefined;
  readonly counters: Counters;
  readonly log: Log;
  readonly onError: (error: unknown) => void;
  /** Told once, when all is read that was there at the beginning. */
  readonly onCaughtUp: () => void;
}

/** Reads what the arena is told, and hands it to the groups. */
export class Inbox {
  readonly positions: Positions;
  /** Matches that are about to be made, and their groups. */
  readonly creating = new Map<string, Group>();
  private isStopped = false;
  private isCaughtUp = false;

  constructor(private readonly parts: InboxParts) {
    this.positions = new Positions(parts.pos);
  }

  start(): void {
    this.read().catch((error: unknown) => {
      if (!this.isStopped) this.parts.onError(error);
    });
  }

  stop(): void {
    this.isStopped = true;
    this.parts.reader.disconnect();
  }

  private async read(): Promise<void> {
    const { reader, key } = this.parts;
    while (!this.isStopped) {
      const began = performance.now();
      this.catchUp();
      const reply = await reader.xreadBuffer(
        'COUNT',
        READ_MAX,
        'BLOCK',
        BLOCK_MS,
        'STREAMS',
        key,
        this.positions.read,
      );
      for (const [id, fields] of reply?.[0]?.[1] ?? []) this.take(id.toString(), fields);
      if (performance.now() - began < PACE_MS) {
        await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      }
    }
  }

  private catchUp(): void {
    if (this.isCaughtUp || isAfter(this.parts.newest, this.positions.read)) return;
    this.isCaughtUp = true;
    this.parts.onCaughtUp();
  }

  private take(id: string, [name, value]: readonly Buffer[]): void {
    const { counters, log } = this.parts;
    const from = this.positions.add(id);
    if (name === undefined || value === undefined) return counters.add('ops_dropped', 'unreadable');
    if (name.toString() === INPUTS_FIELD) return this.takeInputs(value, from);
    let op: Op;
    try {
      op = decodeOp(value);
    } catch (error) {
      counters.add('ops_dropped', 'unreadable');
      return log.warn('op not read', { id, error });
    }
    this.takeOp(op, from);
  }

  private takeInputs(bytes: Buffer, from: ReadEntry): void {
    const { counters, byHandle, groups } = this.parts;
    for (let at = 0; at + INPUT_BYTES <= bytes.length; at += INPUT_BYTES) {
      const input = readInput(bytes, at);
      const hosting = byHandle(input.handle);
      const taken = hosting?.taken[input.slot];
      if (hosting === undefined) counters.add('inputs_dropped', 'unknown_match');
      else if (taken === undefined || input.x < -127 || input.y < -127) {
        counters.add('inputs_dropped', 'invalid');
      } else if (hosting.hosted.state === 'over') counters.add('inputs_dropped', 'over');
      else {
        const group = groups[hosting.hosted.group] as Group;
        const isNew = group.pending.addInput(hosting, input, taken, from);
        if (!isNew) counters.add('inputs_dropped', 'old');
      }
    }
  }

  private takeOp(op: Op, from: ReadEntry): void {
    const { counters, byMatch, groups } = this.parts;
    const match = matchOf(op);
    const hosting = byMatch(match);
    if (op.is === 'create') return this.takeCreation(op, hosting, from);
    const group = hosting === undefined ? this.creating.get(match) : groups[hosting.hosted.group];
    if (group === undefined) return counters.add('ops_dropped', 'unknown_match');
    if (hosting !== undefined && op.is === 'watch') hosting.isKeyframeDue = true;
    if (hosting !== undefined && group.isAtRest && saysNothing(hosting, op)) return;
    group.pending.addOp(op, from);
  }

  private takeCreation(
    op: Op & { is: 'create' },
    hosting: Hosting | undefined,
    from: ReadEntry,
  ): void {
    const { match } = op.order;
    const { groups, newest, places, counters } = this.parts;
    if (hosting !== undefined || this.creating.has(match)) return;
    if (!isAfter(from.id, newest) && !places.has(match)) {
      return counters.add('ops_dropped', 'dropped_match');
    }
    const load = (group: Group): number =>
      group.hostings.length + [...this.creating.values()].filter((one) => one === group).length;
    const [first, ...others] = groups as [Group, ...Group[]];
    const group = others.reduce((least, one) => (load(one) < load(least) ? one : least), first);
    this.creating.set(match, group);
    group.pending.addOp(op, from);
  }
}

/** Gateways repeat themselves; what is so already needs no entry. */
function saysNothing({ hosted }: Hosting, op: Op): boolean {
  switch (op.is) {
    case 'watch':
      return hosted.watchers.has(op.gateway);
    case 'unwatch':
      return !hosted.watchers.has(op.gateway);
    case 'come': {
      const seat = hosted.seats[op.slot];
      const isHere = hosted.here[op.slot]?.has(op.gateway) === true && seat?.bot === undefined;
      return isHere || seat?.player !== op.player;
    }
    case 'go':
      return hosted.here[op.slot]?.has(op.gateway) !== true;
    case 'create':
    case 'seat':
      return false;
  }
}

/** Whether a stream id is higher than another. */
function isAfter(one: string, other: string): boolean {
  const [a = 0, b = 0] = one.split('-').map(Number);
  const [c = 0, d = 0] = other.split('-').map(Number);
  return a > c || (a === c && b > d);
}

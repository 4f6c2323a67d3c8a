import { describe, expect, test } from 'vitest';
import type { Input } from '../../src/match/ops.ts';
import { drill } from '../games/drill/index.ts';
import { decodeEntry, encodeEntry, type Entry } from './entry.ts';
import { guarded } from './guard.ts';
import { HostedMatch } from './hosted.ts';
import { Hosting } from './hosting.ts';
import { Lateness } from './lateness.ts';
import { Pending } from './pending.ts';
import { Positions } from './positions.ts';

const order = {
  match: 'AbC-_0123456789z',
  game: drill.name,
  version: drill.version,
  seed: 1,
  options: {},
  seats: [{ player: 'ada' }, { player: 'bo' }],
  rated: false,
  joinMs: 0,
  graceMs: 0,
  botLevel: -1,
  openTicks: 0,
  createdAt: 0,
};

describe('entries', () => {
  test('come back as they were', () => {
    const entry: Entry = {
      group: 3,
      stepped: 2 ** 40,
      ops: [
        { is: 'create', order },
        { is: 'start', match: order.match, at: 5 },
        { is: 'fail', match: order.match, code: 'quarantined', message: 'é', at: 6 },
      ],
      inputs: [{ handle: 4_000_000_000, slot: 7, seq: 9, x: -127, y: 127, buttons: 255 }],
    };
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
    const empty = { ...entry, ops: [], inputs: [] };
    expect(decodeEntry(encodeEntry(empty))).toEqual(empty);
  });

  test('that are cut are refused', () => {
    const bytes = encodeEntry({
      group: 0,
      stepped: 0,
      ops: [],
      inputs: [{ handle: 1, slot: 0, seq: 1, x: 0, y: 0, buttons: 0 }],
    });
    expect(() => decodeEntry(bytes.subarray(0, bytes.length - 1))).toThrow(RangeError);
  });
});

describe('positions', () => {
  test('move only past what every group has consumed', () => {
    const positions = new Positions('0-0');
    const [one, two, three] = [positions.add('1-0'), positions.add('2-0'), positions.add('3-0')];
    one.waiting = 1;
    two.waiting = 2;
    three.waiting = 0;
    expect(positions.read).toBe('3-0');
    expect(positions.consumed).toBe('0-0');
    two.waiting = 1;
    one.waiting = 0;
    expect(positions.consumed).toBe('1-0');
    two.waiting = 0;
    expect(positions.consumed).toBe('3-0');
    expect(positions.countUnlogged()).toBe(3);
  });

  test('stay right over many entries', () => {
    const positions = new Positions('0-0');
    for (let i = 1; i <= 5_000; i += 7) {
      for (let j = i; j < i + 7; j++) positions.add(`${j}-0`).waiting = 0;
      expect(positions.consumed).toBe(`${i + 6}-0`);
    }
  });
});

describe('inputs that wait for a tick', () => {
  const hosting = new Hosting(HostedMatch.broken(order, drill, 0), 0, 0);
  const from = { id: '1-0', waiting: 0 };
  const input = (seq: number, x = 0, buttons = 0): Input => ({
    handle: hosting.hosted.handle,
    slot: 0,
    seq,
    x,
    y: 0,
    buttons,
  });

  test('the newest wins, with every button of those it replaces', () => {
    const pending = new Pending();
    expect(pending.addInput(hosting, input(4, 10, 1), 3, from)).toBe(true);
    expect(pending.addInput(hosting, input(5, 20, 2), 3, from)).toBe(true);
    expect(pending.addInput(hosting, input(7, 30, 0), 3, from)).toBe(true);
    expect(pending.take().inputs).toEqual([input(7, 30, 3)]);
  });

  test('one that comes twice, or late, adds nothing', () => {
    const pending = new Pending();
    expect(pending.addInput(hosting, input(3, 10, 1), 3, from)).toBe(false);
    expect(pending.addInput(hosting, input(5, 20), 3, from)).toBe(true);
    expect(pending.addInput(hosting, input(5, 99, 4), 3, from)).toBe(false);
    expect(pending.addInput(hosting, input(4, 99, 4), 3, from)).toBe(false);
    expect(pending.take().inputs).toEqual([input(5, 20)]);
    expect(pending.take().inputs).toEqual([]);
  });

  test('hold the stream entry that they came from until they are taken', () => {
    const pending = new Pending();
    const [one, two] = [
      { id: '1-0', waiting: 0 },
      { id: '2-0', waiting: 0 },
    ];
    pending.addInput(hosting, input(1), 0, one);
    pending.addInput(hosting, input(2), 0, one);
    pending.addOp({ is: 'unwatch', match: order.match, gateway: 'g' }, two);
    expect([one.waiting, two.waiting]).toEqual([1, 1]);
    pending.take();
    expect([one.waiting, two.waiting]).toEqual([0, 0]);
  });
});

test('lateness forgets what is two windows old', () => {
  const lateness = new Lateness();
  for (let i = 0; i < 99; i++) lateness.add(0.3);
  lateness.add(7);
  expect(lateness.quantile(0.5)).toBeCloseTo(0.3);
  expect(lateness.quantile(0.999)).toBeCloseTo(7);
  lateness.turn();
  expect(lateness.count).toBe(100);
  lateness.turn();
  expect(lateness.count).toBe(0);
  expect(lateness.quantile(0.99)).toBe(0);
});

describe('guarded work', () => {
  test('comes to its end, throws, or is cut off', () => {
    let done = 0;
    expect(guarded(() => void done++, 1_000)).toBeUndefined();
    expect(done).toBe(1);
    const thrown = guarded(() => {
      throw new Error('as told');
    }, 1_000);
    expect(thrown).toMatchObject({ isTimeout: false, error: { message: 'as told' } });
    const cut = guarded(() => {
      for (;;);
    }, 5);
    expect(cut?.isTimeout).toBe(true);
  });
});

describe('a match', () => {
  test('goes on from its checkpoint as if nothing had been, with what was held for its first step', async () => {
    await drill.prepare();
    const make = (): HostedMatch => HostedMatch.create(order, drill, 2);
    const finish = (hosted: HostedMatch): number | undefined => {
      hosted.apply({ is: 'start', match: order.match, at: 1 });
      hosted.step();
      hosted.step();
      return hosted.sim?.hash();
    };
    const early = (hosted: HostedMatch): HostedMatch => {
      hosted.apply({ is: 'watch', match: order.match, gateway: 'g' });
      hosted.apply({ is: 'come', match: order.match, slot: 0, player: 'ada', gateway: 'g' });
      hosted.take({ handle: hosted.handle, slot: 0, seq: 3, x: 50, y: 0, buttons: 0 });
      return hosted;
    };
    const whole = early(make());
    const { hosted, n } = HostedMatch.restore(early(make()).checkpoint(17), drill);
    expect(n).toBe(17);
    expect(hosted.group).toBe(2);
    expect([...hosted.watchers]).toEqual(['g']);
    expect(hosted.here.map((gateways) => gateways.size)).toEqual([1, 0]);
    expect(finish(hosted)).toBe(finish(whole));
    expect(hosted.seqs).toEqual([3, 0]);
    expect(hosted.cutTape()).toEqual(whole.cutTape());
  });

  test('takes no input for a seat that a bot has', () => {
    const hosted = HostedMatch.create(order, drill, 0);
    hosted.apply({ is: 'seat', match: order.match, slot: 0, seat: { player: 'ada', bot: 0 } });
    hosted.take({ handle: hosted.handle, slot: 0, seq: 3, x: 50, y: 0, buttons: 0 });
    expect(hosted.seqs).toEqual([0, 0]);
    hosted.apply({ is: 'come', match: order.match, slot: 0, player: 'ada', gateway: 'g' });
    expect(hosted.seats[0]).toEqual({ player: 'ada' });
    hosted.take({ handle: hosted.handle, slot: 0, seq: 3, x: 50, y: 0, buttons: 0 });
    expect(hosted.seqs).toEqual([3, 0]);
  });
});

import { beforeAll, describe, expect, test } from 'vitest';
import { knockout } from '../games/knockout/index.ts';
import { gameNamed } from '../games/index.ts';
import type { AnyGame } from '../games/contract.ts';
import { DamagedReplay, readReplay, writeReplay, type Replay } from './file.ts';
import { playedMatch } from './made.fixture.ts';
import { OtherVersion, Playback } from './play.ts';
import { verifyReplay } from './verify.ts';

const game = gameNamed('knockout') as AnyGame;
let played: Omit<Replay, 'link'>;
let file: Uint8Array;

beforeAll(async () => {
  played = await playedMatch();
  file = writeReplay(played);
});

describe('the replay file', () => {
  test('comes back as it was written, and equal ones have equal bytes', () => {
    const { link, ...rest } = readReplay(file);
    expect(rest).toEqual(played);
    expect(link).toMatch(/^[0-9a-f]{64}$/);
    expect(writeReplay(rest)).toEqual(file);
  });

  test('is small', () => {
    // 64 kB for the longest match: fewer than 30 bytes for each of its ticks.
    expect(file.length).toBeLessThan(played.end.ticks * 30);
  });

  test('any changed byte is found', () => {
    const changed = file.slice();
    for (let at = 0; at < file.length; at++) {
      // Every bit pattern of a change comes up over the file.
      changed[at] = (file[at] as number) ^ ((at % 255) + 1);
      expect(() => readReplay(changed)).toThrow(DamagedReplay);
      changed[at] = file[at] as number;
    }
    expect(() => readReplay(changed)).not.toThrow();
  });

  test('one that is cut anywhere, or goes on after its end, is found', () => {
    for (let length = 0; length < file.length; length += 7) {
      expect(() => readReplay(file.subarray(0, length))).toThrow(DamagedReplay);
    }
    expect(() => readReplay(Uint8Array.of(...file, 0))).toThrow(/bytes follow it/);
  });

  test('says where it is damaged', () => {
    const changed = file.slice();
    const middle = Math.floor(file.length / 2);
    changed[middle] = (changed[middle] as number) ^ 1;
    let found: unknown;
    try {
      readReplay(changed);
    } catch (error) {
      found = error;
    }
    const { where, atTick } = found as DamagedReplay;
    expect(where).toMatch(/^chunk \d+$/);
    expect(atTick).toBeGreaterThan(0);
    expect(atTick).toBeLessThan(played.end.ticks);
  });

  test('is not written with a gap in its tape, or with another end', () => {
    const [first, , ...others] = played.chunks;
    if (first === undefined) throw new Error('no chunks');
    expect(() => writeReplay({ ...played, chunks: [first, ...others] })).toThrow(RangeError);
    const end = { ...played.end, ticks: played.end.ticks + 1 };
    expect(() => writeReplay({ ...played, end })).toThrow(RangeError);
  });
});

describe('playing it again', () => {
  test('ends in the same state, and any tick can be gone to', async () => {
    await knockout.prepare();
    const playback = new Playback(game, readReplay(file));
    const hashes = Array.from(playback, (state) => state.hash());
    expect(hashes).toHaveLength(played.end.ticks + 1);
    expect(hashes.at(-1)).toBe(played.end.hash);
    expect(playback.state.result()).toEqual(played.end.result);
    for (const tick of [0, 299, 300, 301, 1, 160, 100, 700, 650, played.end.ticks, 0, 9_999]) {
      playback.seek(tick);
      const reached = Math.min(tick, played.end.ticks);
      expect(playback.tick).toBe(reached);
      expect(playback.state.hash()).toBe(hashes[reached]);
    }
    playback.free();
    playback.free();
  });

  test('is refused by another version and another game', () => {
    const replay = readReplay(file);
    expect(() => new Playback({ ...game, version: 'x' }, replay)).toThrow(OtherVersion);
    expect(() => new Playback({ ...game, name: 'x' }, replay)).toThrow(OtherVersion);
  });
});

describe('verification', () => {
  const verify = async (change: Partial<Omit<Replay, 'link'>>) =>
    await verifyReplay(gameNamed, readReplay(writeReplay({ ...played, ...change })));

  test('a match that was played holds', async () => {
    expect(await verify({})).toEqual({ valid: true, ticks: played.end.ticks });
  });

  test('an input that was put in or taken out does not', async () => {
    const at = played.chunks.findIndex(({ inputs }) => inputs.length > 0);
    const chunks = played.chunks.map((chunk, i) =>
      i === at ? { ...chunk, inputs: chunk.inputs.slice(1) } : chunk,
    );
    expect(await verify({ chunks })).toMatchObject({ valid: false });
  });

  test('nor does another result, hash, seed or seat', async () => {
    const { end, header } = played;
    const { result } = end;
    if (result === undefined) throw new Error('it has no result');
    const placements = result.placements.toReversed();
    expect(await verify({ end: { ...end, result: { ...result, placements } } })).toMatchObject({
      why: 'result_differs',
    });
    expect(await verify({ end: { ...end, hash: 1 } })).toMatchObject({
      why: 'hash_differs',
      atTick: end.ticks,
    });
    expect(await verify({ header: { ...header, seed: 8 } })).toMatchObject({ valid: false });
    const seats = header.seats.with(1, { bot: 0 });
    expect(await verify({ header: { ...header, seats } })).toMatchObject({ valid: false });
    const bad = header.seats.with(1, { bot: 9 });
    expect(await verify({ header: { ...header, seats: bad } })).toMatchObject({
      why: 'unplayable',
      atTick: 0,
    });
  });

  test('a step that throws is named', async () => {
    const chunks = played.chunks.with(0, {
      ...(played.chunks[0] as Replay['chunks'][number]),
      seats: [[3, 200, { bot: 0 }]],
    });
    expect(await verify({ chunks })).toMatchObject({ why: 'unplayable', atTick: 3 });
  });

  test('one of another version, or without a result, is named', async () => {
    const { header, end } = played;
    expect(await verify({ header: { ...header, version: 'x' } })).toMatchObject({
      why: 'other_version',
    });
    expect(await verify({ header: { ...header, game: 'chess' } })).toMatchObject({
      why: 'other_version',
    });
    const failure = { code: 'quarantined', message: 'it spun' } as const;
    expect(await verify({ end: { ticks: end.ticks, failure } })).toEqual({
      valid: false,
      why: 'not_finished',
      detail: 'it spun',
    });
  });

  test('stops when it is told to', async () => {
    const ticks: number[] = [];
    const verdict = await verifyReplay(
      gameNamed,
      readReplay(file),
      (tick) => ticks.push(tick) === 2,
    );
    expect(verdict).toBeUndefined();
    expect(ticks).toEqual([64, 128]);
  });
});

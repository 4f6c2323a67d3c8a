import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { decoder, serverMessages, type End } from '../../protocol/index.ts';
import { Records, VERDICT } from '../jobs/records.ts';
import { randomId } from '../lib/ids.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { gatewayChannel, jobId, playerKeys } from './keys.ts';
import { Sessions } from './sessions.ts';
import {
  eachWake,
  readEntry,
  readWake,
  writeMatchChanged,
  writeSnapshots,
  type Wake,
} from './wake.ts';

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const session = fc.stringMatching(/^[A-Za-z0-9_-]{16}$/);
const id = fc.stringMatching(/^[A-Za-z0-9_-]{0,64}$/);
const frame = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));

function u32(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, i) => bytes.writeUInt32BE(number, 4 * i));
  return bytes;
}

describe('a wake-up is read as it was laid out', () => {
  test('a reliable message, with the request that it ends', () => {
    fc.assert(
      fc.property(
        session,
        fc.tuple(uint32, uint32, uint32, uint32),
        id,
        frame,
        (s, four, ends, f) => {
          const head = Buffer.concat([
            Buffer.from(`R${s}`),
            u32(...four),
            Buffer.from([ends.length]),
          ]);
          const [epoch, offset, nonce, previous] = four;
          const wake = {
            is: 'reliable',
            session: s,
            epoch,
            offset,
            nonce,
            previous,
            ends,
            frame: f,
          };
          expect(readWake(Buffer.concat([head, Buffer.from(ends), f]))).toEqual(wake);
        },
      ),
    );
  });

  test('an ephemeral one, a new epoch, a session that was taken', () => {
    fc.assert(
      fc.property(session, uint32, frame, (s, gen, f) => {
        const bytesOf = (tag: string, rest: Buffer) => Buffer.concat([Buffer.from(tag + s), rest]);
        expect(readWake(bytesOf('E', f))).toEqual({ is: 'ephemeral', session: s, frame: f });
        expect(readWake(bytesOf('N', u32()))).toEqual({ is: 'new_epoch', session: s });
        expect(readWake(bytesOf('K', u32(gen)))).toEqual({ is: 'taken', session: s, gen });
      }),
    );
  });

  test('a watched request, however long its job id', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 700, unit: 'grapheme' }),
        frame,
        (job, f) => {
          const name = Buffer.from(job);
          const length = Buffer.from([name.length >> 8, name.length & 255]);
          const bytes = Buffer.concat([Buffer.from('W'), length, name, f]);
          expect(readWake(bytes)).toEqual({ is: 'watched', jobId: job, frame: f });
        },
      ),
    );
  });

  test('an entry of an outbox', () => {
    fc.assert(
      fc.property(uint32, id, frame, (nonce, ends, f) => {
        const bytes = Buffer.concat([u32(nonce), Buffer.from([ends.length]), Buffer.from(ends), f]);
        expect(readEntry(bytes)).toEqual({ nonce, ends, frame: f });
      }),
    );
  });
});

describe('bytes that are none', () => {
  test('never throw', () => {
    const tagged = fc.tuple(
      fc.constantFrom('W', 'R', 'E', 'N', 'K', 'x'),
      fc.uint8Array({ maxLength: 60 }),
    );
    fc.assert(
      fc.property(tagged, ([tag, rest]) => {
        const wake = readWake(Buffer.concat([Buffer.from(tag), rest]));
        expect(wake === undefined || tag !== 'x').toBe(true);
      }),
    );
    expect(readWake(Buffer.alloc(0))).toBeUndefined();
  });

  test('snapshots, as they are, and the name of a match', () => {
    fc.assert(
      fc.property(fc.array(frame), session, (frames, match) => {
        const packed = frames.flatMap((f) => [Buffer.from([f.length >> 8, f.length & 255]), f]);
        const wake = { is: 'snapshots', packed: Buffer.concat(packed) };
        expect(readWake(writeSnapshots(frames))).toEqual(wake);
        expect(readWake(writeMatchChanged(match))).toEqual({ is: 'match', match });
      }),
    );
    expect(() => writeSnapshots([new Uint8Array(65_536)])).toThrow(RangeError);
    expect(readWake(Buffer.from('Mshort'))).toBeUndefined();
  });

  test('are no wake-up when the header is cut short', () => {
    const whole = Buffer.concat([
      Buffer.from('Rabcdefghijklmnop'),
      u32(1, 2, 3, 4),
      Buffer.from([0, 9]),
    ]);
    expect(readWake(whole)).toMatchObject({ is: 'reliable' });
    for (let length = 0; length < whole.length; length++) {
      expect(readWake(whole.subarray(0, length))).toBeUndefined();
    }
  });
});

describe('wake-ups in one payload', () => {
  const taken = (gen: number) => Buffer.concat([Buffer.from('Kabcdefghijklmnop'), u32(gen)]);
  const packed = (...wakes: Buffer[]) =>
    Buffer.concat([Buffer.from('P'), ...wakes.flatMap((wake) => [u32(wake.length), wake])]);
  const told = (payload: Buffer): (Wake | undefined)[] => {
    const wakes: (Wake | undefined)[] = [];
    eachWake(payload, (bytes) => wakes.push(readWake(bytes)));
    return wakes;
  };

  test('are told one after the other', () => {
    const wakes = told(packed(taken(1), taken(2)));
    expect(wakes).toMatchObject([{ gen: 1 }, { gen: 2 }]);
    expect(told(taken(3))).toMatchObject([{ gen: 3 }]);
  });

  test('of which the last is cut short are told with what cannot be read', () => {
    const whole = packed(taken(1), taken(2));
    for (let length = 26 + 1; length < whole.length; length++) {
      const [first, cut, ...more] = told(whole.subarray(0, length));
      expect([first, cut, more]).toMatchObject([{ gen: 1 }, undefined, []]);
    }
  });
});

describe('what the scripts publish', () => {
  const limits = {
    SESSION_TTL_MS: 60_000,
    SESSIONS_PER_PLAYER: 2,
    OUTBOX_MAX: 2,
    REQUEST_TTL_MS: 60_000,
  };
  const gateway = randomId(12).slice(0, 15);
  // Nine bytes for each letter in the job's id.
  const player = '玩'.repeat(64);
  let server: TestRedis;
  let redis: Redis;
  let subscriber: Redis;
  let sessions: Sessions;
  let records: Records;
  let heard: (Wake | undefined)[] = [];
  let payloads = 0;

  beforeAll(async () => {
    server = await startTestRedis();
    redis = connectRedis(server.url, 'test', () => undefined);
    subscriber = connectRedis(server.url, 'test-relay', () => undefined);
    sessions = new Sessions(redis, gateway, limits);
    records = new Records(redis, limits);
    subscriber.on('messageBuffer', (_channel: Buffer, payload: Buffer) => {
      payloads++;
      eachWake(payload, (bytes) => heard.push(readWake(bytes)));
    });
    await subscriber.subscribe(gatewayChannel(gateway));
  });

  beforeEach(async () => {
    await redis.flushall();
    heard = [];
    payloads = 0;
  });

  afterAll(async () => {
    redis.disconnect();
    subscriber.disconnect();
    await server.stop();
  });

  /** Everything published before this was heard when its reply arrives. */
  const listen = async (): Promise<(Wake | undefined)[]> => {
    await redis.ping();
    await subscriber.ping();
    return heard;
  };
  const accept = async (request: string, who: string): Promise<void> => {
    const deadline = Date.now() + 60_000;
    const what = { hash: 'h', kind: 'drill', perPlayer: 9, deadline };
    expect(await records.accept({ player, id: request }, what, who)).toEqual({ is: 'new' });
  };
  const end = async (request: string): Promise<void> => {
    const cancelled: End = { id: request, kind: 'drill', state: 'cancelled', attempt: 0 };
    expect(await records.settle({ player, id: request }, VERDICT, cancelled)).toMatchObject({
      is: 'ok',
    });
  };

  test('ends follow each other by offset and nonce, and equal the entries of the outbox', async () => {
    const one = randomId(12);
    const { epoch, gen } = await sessions.claim(player, one, undefined);
    await accept('first', one);
    await accept('second', one);
    await end('first');
    await end('second');
    const wakes = (await listen()).filter((wake) => wake?.is === 'reliable');
    expect(wakes).toMatchObject([
      { session: one, epoch, offset: 1, previous: 0, ends: 'first' },
      { session: one, epoch, offset: 2, previous: wakes[0]?.nonce, ends: 'second' },
    ]);
    const held = { player, id: one, gen, epoch, offset: 0, nonce: 0 };
    const entries = wakes.map(({ nonce, ends, frame: f }) => ({ nonce, ends, frame: f }));
    expect(await sessions.read(held)).toEqual({ is: 'entries', entries });
    const read = decoder(serverMessages.ended);
    expect(wakes.map((wake) => read(wake.frame))).toMatchObject([
      { id: 'first' },
      { id: 'second' },
    ]);
  });

  test('requests of one turn are asked for and ended together, each once and in order', async () => {
    const one = randomId(12);
    await sessions.claim(player, one, undefined);
    await Promise.all([accept('first', one), accept('second', one)]);
    const third = { hash: 'h', kind: 'drill', perPlayer: 9, deadline: Date.now() + 60_000 };
    expect(await records.accept({ player, id: 'third' }, third, one)).toEqual({ is: 'unacked' });
    const verdict = async (r: string) => {
      const state = 'cancelled' as const;
      const whole: End = { id: r, kind: 'drill', state, attempt: 0 };
      return await records.settle({ player, id: r }, VERDICT, whole);
    };
    // Behind one that is on its way: what comes while nothing is waits for nobody.
    const settled = await Promise.all(['nobody', 'first', 'second', 'first'].map(verdict));
    expect(settled.map(({ is }) => is)).toEqual(['gone', 'ok', 'ok', 'ended']);
    const wakes = (await listen()).filter((wake) => wake?.is === 'reliable');
    expect(wakes).toMatchObject([
      { session: one, offset: 1, ends: 'first' },
      { session: one, offset: 2, ends: 'second', previous: wakes[0]?.nonce },
    ]);
    expect(payloads).toBe(1);
    const { open, unacked, inflight } = playerKeys(player);
    expect(await redis.exists(open, inflight)).toBe(0);
    expect(await redis.zcard(unacked)).toBe(2);
  });

  test('a player who asks for too much in one turn is refused what is too much', async () => {
    const few = { hash: 'h', kind: 'drill', perPlayer: 1, deadline: Date.now() + 60_000 };
    const asked = ['first', 'second', 'first'].map(
      async (r) => await records.accept({ player, id: r }, few, ''),
    );
    expect((await Promise.all(asked)).map(({ is }) => is)).toEqual(['new', 'in_flight', 'known']);
    expect(await redis.hget(playerKeys(player).inflight, 'drill')).toBe('1');
  });

  test('progress that may be skipped comes bare', async () => {
    const one = randomId(12);
    await sessions.claim(player, one, undefined);
    await accept('r', one);
    const name = { player, id: 'r' };
    expect(await records.begin(name, 'token', 1, 'job')).toBe('ok');
    expect(await records.progress(name, 'token', 1, 'job', Buffer.from([7, 8, 9]), false)).toBe(
      'ok',
    );
    expect(await listen()).toEqual([
      { is: 'ephemeral', session: one, frame: Buffer.from([7, 8, 9]) },
    ]);
  });

  test('whoever watches over HTTP is woken under the job id', async () => {
    await accept('r', '');
    expect(await records.watch({ player, id: 'r' }, gateway)).toBe(true);
    await end('r');
    expect(await listen()).toMatchObject([{ is: 'watched', jobId: jobId(player, 'r') }]);
  });

  test('a session that is claimed again tells the one that held it', async () => {
    const one = randomId(12);
    await sessions.claim(player, one, undefined);
    const { gen } = await sessions.claim(player, one, undefined);
    expect(await listen()).toEqual([{ is: 'taken', session: one, gen }]);
  });

  test('one session more than a player may have ends the oldest', async () => {
    const [oldest, ...others] = [randomId(12), randomId(12), randomId(12)] as const;
    await sessions.claim(player, oldest, undefined);
    await redis.zadd(playerKeys(player).sessions, Date.now() - 1_000, oldest);
    for (const other of others) await sessions.claim(player, other, undefined);
    expect(await listen()).toEqual([{ is: 'taken', session: oldest, gen: 0xffff_ffff }]);
  });

  test('an outbox that overflows begins a new epoch', async () => {
    const one = randomId(12);
    await sessions.claim(player, one, undefined);
    await accept('r', one);
    const name = { player, id: 'r' };
    await records.begin(name, 'token', 1, 'job');
    for (let i = 0; i < 3; i++)
      await records.progress(name, 'token', 1, 'job', Buffer.from([7]), true);
    expect((await listen()).map((wake) => wake?.is)).toEqual(['reliable', 'reliable', 'new_epoch']);
  });
});

import { script, type Redis } from '../../src/lib/redis.ts';
import { asBytes, asList, asNumber, asText } from '../../src/lib/reply.ts';
import { randomId } from '../../src/lib/ids.ts';
import { ARENAS_KEY, arenaKeys, type ArenaKeys } from '../../src/relay/keys.ts';
import * as lua from './journal.lua.ts';

/** A successor writes now: nothing of this arena may be written or shown any more. */
export class Fenced extends Error {
  override name = 'Fenced';
}

/** The store has forgotten the arena: nothing of it can be restored, or made to last. */
export class Gone extends Error {
  override name = 'Gone';
}

/** How long it is remembered that an arena has closed, ms: longer than any call that looks for it waits. */
const CLOSED_MS = 60_000;

/** What a successor finds. */
export interface Takeover {
  readonly term: number;
  /** Number of the newest log entry. */
  readonly n: number;
  /** Up to where the input was consumed. */
  readonly pos: string;
  /** Of the newest entry of the input. What is placed from now on has a higher one. */
  readonly newestInput: string;
  /** Matches that have a place. */
  readonly places: ReadonlySet<string>;
  /** Matches that are not simulated again. */
  readonly bad: ReadonlySet<string>;
}

export interface StoredCheckpoint {
  readonly match: string;
  readonly bytes: Buffer;
  /** Empty: none. */
  readonly chunk: Uint8Array;
}

export interface WholeMatch {
  readonly handle: number;
  readonly match: string;
  readonly checkpoint: Buffer;
  readonly chunks: readonly Uint8Array[];
}

type Answer = 'logged' | 'behind';
const NONE = Buffer.alloc(0);

/** What an arena makes last. Everything is fenced by its term. */
export class Journal {
  readonly keys: ArenaKeys;
  private readonly owner = randomId(9);
  private readonly run;
  private readonly tapes: string;
  private current = 0;

  constructor(
    private readonly redis: Redis,
    readonly arena: string,
  ) {
    this.keys = arenaKeys(arena);
    this.tapes = this.keys.tape('');
    this.run = {
      takeOver: script(redis, lua.takeOver),
      log: script(redis, lua.log),
      reset: script(redis, lua.reset),
      note: script(redis, lua.note),
      drop: script(redis, lua.drop),
      close: script(redis, lua.close),
      beat: script(redis, lua.beat),
    };
  }

  /** 0 before takeOver. */
  get term(): number {
    return this.current;
  }

  /** @returns undefined when the arena has closed */
  async takeOver(): Promise<Takeover | undefined> {
    const { meta, input, places } = this.keys;
    const reply = await this.run.takeOver(meta, input, places, this.owner);
    if (!Array.isArray(reply)) return undefined;
    const [term, fields, newest, taken] = asList(reply);
    this.current = asNumber(term);
    const about = pairs(fields);
    return {
      term: this.current,
      n: Number(about.get('n') ?? 0),
      pos: about.get('pos') ?? '0-0',
      newestInput: asText(newest),
      places: new Set(pairs(taken).values()),
      bad: new Set(
        [...about.keys()].filter((name) => name.startsWith('bad:')).map((name) => name.slice(4)),
      ),
    };
  }

  /** What the log and the checkpoints hold. Entries in their order. */
  async load(): Promise<{
    readonly entries: readonly { readonly n: number; readonly bytes: Buffer }[];
    readonly checkpoints: ReadonlyMap<string, Buffer>;
  }> {
    const { log, checkpoints } = this.keys;
    const [entries, saved] = await Promise.all([
      this.redis.xrangeBuffer(log, '-', '+'),
      this.redis.hgetallBuffer(checkpoints),
    ]);
    return {
      entries: entries.map(([id, fields]) => ({
        n: Number.parseInt(id.toString(), 10),
        bytes: asBytes(fields[1]),
      })),
      checkpoints: new Map(Object.entries(saved)),
    };
  }

  /** @param oldest number of the oldest entry that is still needed. @throws Fenced, Gone */
  async log(
    n: number,
    entry: Buffer,
    pos: string,
    oldest: number,
    checkpoints: readonly StoredCheckpoint[],
  ): Promise<Answer> {
    const { meta, log, input, checkpoints: saved } = this.keys;
    const rest: (string | Buffer)[] = [];
    for (const { match, bytes, chunk } of checkpoints) rest.push(match, bytes, toBuffer(chunk));
    const reply = this.run.log(
      meta,
      log,
      input,
      saved,
      this.current,
      this.owner,
      n,
      entry,
      pos,
      oldest,
      this.tapes,
      ...rest,
    );
    return this.answer(await reply);
  }

  /** @throws Fenced, Gone */
  async reset(n: number, pos: string, matches: readonly WholeMatch[]): Promise<void> {
    const { meta, log, checkpoints, places } = this.keys;
    const rest = matches.flatMap(({ handle, match, checkpoint, chunks }) => [
      handle,
      match,
      checkpoint,
      packed(chunks),
    ]);
    const { current: term, owner, tapes } = this;
    this.answer(
      await this.run.reset(meta, log, checkpoints, places, term, owner, n, pos, tapes, ...rest),
    );
  }

  /**
   * Leaves the name of a match that may end this process, and takes it away again (undefined). The command has left this
   * process when the call returns, so that it holds even if the process ends at once.
   * @throws Fenced, Gone
   */
  async crumb(match: string | undefined): Promise<void> {
    const { current: term, owner, keys } = this;
    this.answer(await this.run.note(keys.meta, term, owner, 'crumb', match ?? ''));
  }

  /** No successor simulates the match again. @throws Fenced, Gone */
  async condemn(match: string): Promise<void> {
    const { current: term, owner, keys } = this;
    this.answer(await this.run.note(keys.meta, term, owner, `bad:${match}`, '1'));
  }

  /** @returns false where the store has forgotten: a reset comes first. @throws Fenced, Gone */
  async drop(handle: number, match: string): Promise<boolean> {
    const { meta, places, checkpoints } = this.keys;
    const tape = this.keys.tape(match);
    const { current: term, owner } = this;
    const reply = await this.run.drop(meta, places, checkpoints, tape, term, owner, handle, match);
    return this.answer(reply) !== 'behind';
  }

  /** @returns false where a match has been placed. @throws Fenced, Gone */
  async close(): Promise<boolean> {
    const { meta, input, places, log, checkpoints } = this.keys;
    const { current: term, owner } = this;
    const reply = asText(
      await this.run.close(meta, input, places, log, checkpoints, term, owner, CLOSED_MS),
    );
    if (reply === 'busy') return false;
    if (this.answer(reply) === 'behind') return false;
    await this.redis.hdel(ARENAS_KEY, this.arena);
    return true;
  }

  /** @param json of an ArenaBeat */
  async beat(json: string): Promise<void> {
    await this.run.beat(ARENAS_KEY, this.arena, this.current, json);
  }

  /** The tape of a match as far as it was logged. */
  async tape(match: string): Promise<Buffer[]> {
    return await this.redis.lrangeBuffer(this.keys.tape(match), 0, -1);
  }

  private answer(reply: unknown): Answer {
    const text = asText(reply);
    if (text === 'fenced') throw new Fenced(`arena ${this.arena} has a successor`);
    if (text === 'gone') throw new Gone(`the store has forgotten arena ${this.arena}`);
    return text === 'behind' ? 'behind' : 'logged';
  }
}

function pairs(reply: unknown): Map<string, string> {
  const list = asList(reply);
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < list.length; i += 2) map.set(asText(list[i]), asText(list[i + 1]));
  return map;
}

/** As one argument: a call takes about a hundred thousand, and tapes of an arena may have more chunks. */
function packed(chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    chunks.flatMap((chunk) => {
      const size = Buffer.alloc(4);
      size.writeUInt32BE(chunk.length);
      return [size, chunk];
    }),
  );
}

function toBuffer(bytes: Uint8Array): Buffer {
  if (bytes.length === 0) return NONE;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

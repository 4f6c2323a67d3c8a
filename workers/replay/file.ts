import * as z from 'zod';
import {
  decodeBody,
  encodeBody,
  matchFailure,
  matchId,
  matchResult,
  seat,
} from '../../protocol/index.ts';
import { ByteReader, ByteWriter } from '../games/bytes.ts';
import { sha256 } from './sha256.ts';
import { CHUNK_BYTES_MAX, decodeChunk, encodeChunk, type Chunk } from './tape.ts';

/**
 * The replay file: `MUSTER`, `R`, the format's number; then blocks of a type byte, a length (u32, little endian), a body and
 * a link, which is the SHA-256 of the link before (of the first eight bytes, for the first) and of the block up to there.
 * First the header, then the tape's chunks in order, then the end. So a change of any byte shows in the link of its
 * block, and the last link names the whole file.
 */
const MAGIC = Uint8Array.of(0x4d, 0x55, 0x53, 0x54, 0x45, 0x52, 0x52, 1);

/** A file at most, bytes. Ninety seconds in which eight players never hold still take about 130 000. */
const REPLAY_BYTES_MAX = 4_194_304;

const BLOCK = { header: 1, chunk: 2, end: 3 } as const;
const HEAD_BYTES = 5;
const LINK_BYTES = 32;
const HEADER_BYTES_MAX = 262_144;
const BOUNDS = { depth: 16, items: 65_536, stringBytes: 65_536 } as const;

/** What a match was made of. */
const replayHeader = z.strictObject({
  match: matchId,
  game: z.string(),
  version: z.string(),
  /** Steps per second. */
  tickRate: z.number().positive(),
  seed: z.int().min(0),
  /** As the match was ordered; the game's own schema reads them. */
  options: z.unknown(),
  /** By slot, before tick 0; the chunks say what changed. */
  seats: z.array(seat).min(1),
  teams: z.array(z.array(z.int().min(0))).optional(),
  queue: z.string().optional(),
  region: z.string().optional(),
  /** ms since 1970; absent: it never began. */
  startedAt: z.number().optional(),
});
export type ReplayHeader = z.infer<typeof replayHeader>;

/** How a match ended. */
const replayEnd = z.strictObject({
  /** Steps made. */
  ticks: z.int().min(0),
  /** 53-bit checksum of the last state; absent where the match failed and nobody could ask for it. */
  hash: z.int().min(0).optional(),
  result: matchResult.optional(),
  /** In place of a result. */
  failure: matchFailure.optional(),
});
export type ReplayEnd = z.infer<typeof replayEnd>;

export interface Replay {
  readonly header: ReplayHeader;
  /** They follow each other without a gap, from tick 0 to the end's ticks. */
  readonly chunks: readonly Chunk[];
  readonly end: ReplayEnd;
  /** The last link, in hex: two replays that have the same are the same. */
  readonly link: string;
}

/** The file is not what was written. */
export class DamagedReplay extends Error {
  override name = 'DamagedReplay';
  /** @param atTick of the first step that is lost with it, where that is known */
  constructor(
    readonly where: string,
    reason: string,
    readonly atTick?: number,
  ) {
    super(`the replay is damaged in its ${where}: ${reason}`);
  }
}

/**
 * @throws RangeError when the chunks do not follow each other from tick 0 to the end, or the file would be too long
 * @throws ZodError when header or end are none
 */
export function writeReplay({ header, chunks, end }: Omit<Replay, 'link'>): Uint8Array {
  let tick = 0;
  for (const chunk of chunks) {
    if (chunk.fromTick !== tick) {
      throw new RangeError(`the tape goes on at tick ${chunk.fromTick}, not at ${tick}`);
    }
    tick += chunk.ticks;
  }
  if (tick !== end.ticks) throw new RangeError(`the tape ends at tick ${tick}, not ${end.ticks}`);

  const out = new ByteWriter(16_384);
  out.raw(MAGIC);
  let link: Uint8Array = MAGIC;
  const block = (type: number, body: Uint8Array): void => {
    const head = headOf(type, body.length);
    link = sha256(link, head, body);
    for (const bytes of [head, body, link]) out.raw(bytes);
  };
  block(BLOCK.header, encodeBody(replayHeader.parse(header)));
  for (const chunk of chunks) block(BLOCK.chunk, encodeChunk(chunk));
  block(BLOCK.end, encodeBody(replayEnd.parse(end)));
  const file = out.finish();
  if (file.length > REPLAY_BYTES_MAX) throw new RangeError(`a replay of ${file.length} bytes`);
  return file;
}

/** @throws DamagedReplay */
export function readReplay(bytes: Uint8Array): Replay {
  if (bytes.length > REPLAY_BYTES_MAX) throw new DamagedReplay('length', `${bytes.length} bytes`);
  const input = new ByteReader(bytes);
  const first = input.take(Math.min(MAGIC.length, input.left));
  if (!equal(first, MAGIC)) throw new DamagedReplay('first bytes', 'no replay of this format');
  const blocks = new Blocks(input);
  const headerBody = blocks.next('header', BLOCK.header, HEADER_BYTES_MAX);
  const header = part('header', undefined, () =>
    replayHeader.parse(decodeBody(headerBody, BOUNDS)),
  );

  const chunks: Chunk[] = [];
  let tick = 0;
  while (blocks.peek() === BLOCK.chunk) {
    const where = `chunk ${chunks.length + 1}`;
    const body = blocks.next(where, BLOCK.chunk, CHUNK_BYTES_MAX, tick);
    const chunk = part(where, tick, () => decodeChunk(body));
    if (chunk.fromTick !== tick) throw new DamagedReplay(where, 'a gap before it', tick);
    tick += chunk.ticks;
    chunks.push(chunk);
  }

  const endBody = blocks.next('end', BLOCK.end, HEADER_BYTES_MAX, tick);
  const end = part('end', tick, () => replayEnd.parse(decodeBody(endBody, BOUNDS)));
  if (end.ticks !== tick) throw new DamagedReplay('end', `it comes at tick ${tick}`, tick);
  if (input.left > 0) throw new DamagedReplay('end', 'bytes follow it');
  return { header, chunks, end, link: hex(blocks.link) };
}

/** Reads block after block and holds each to its link. */
class Blocks {
  link: Uint8Array = MAGIC;
  private head: { type: number; length: number } | undefined;

  constructor(private readonly input: ByteReader) {}

  /** @returns the type of the next block, undefined where there is none */
  peek(): number | undefined {
    if (this.head === undefined && this.input.left >= HEAD_BYTES) {
      this.head = { type: this.input.u8(), length: this.input.u32() };
    }
    return this.head?.type;
  }

  next(where: string, type: number, most: number, atTick?: number): Uint8Array {
    const is = this.peek();
    const { head, input } = this;
    if (head === undefined || is === undefined) {
      throw new DamagedReplay(where, 'the file is cut short', atTick);
    }
    if (head.type !== type) throw new DamagedReplay(where, `a block of type ${is}`, atTick);
    if (head.length > most) throw new DamagedReplay(where, `${head.length} bytes`, atTick);
    if (head.length + LINK_BYTES > input.left) {
      throw new DamagedReplay(where, 'the file is cut short', atTick);
    }
    const body = input.take(head.length);
    const link = input.take(LINK_BYTES);
    const expected = sha256(this.link, headOf(type, head.length), body);
    if (!equal(link, expected)) throw new DamagedReplay(where, 'its link does not fit', atTick);
    this.link = link;
    this.head = undefined;
    return body;
  }
}

/** A link that fits says that nothing was changed, not that whoever wrote it wrote sense. */
function part<T>(where: string, atTick: number | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new DamagedReplay(where, error instanceof Error ? error.message : 'unreadable', atTick);
  }
}

function headOf(type: number, length: number): Uint8Array {
  return Uint8Array.of(type, length, length >>> 8, length >>> 16, length >>> 24);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

import { Packr, Unpackr } from 'msgpackr';

/** Bounds that hold before any value exists, so that a hostile body costs no more than one walk over its bytes. */
export interface BodyBounds {
  readonly depth: number;
  /** Map entries and array elements in the whole body. */
  readonly items: number;
  /** Bytes of one string. */
  readonly stringBytes: number;
}

export const BODY_BOUNDS: BodyBounds = { depth: 12, items: 4_096, stringBytes: 8_192 };

/** Thrown by decodeBody: the bytes are no body. The message names the byte offset and the reason. */
export class MalformedBody extends Error {
  constructor(reason: string, at: number) {
    super(`${reason} at byte ${at}`);
    this.name = 'MalformedBody';
  }
}

const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype'];

const options = {
  useRecords: false,
  mapsAsObjects: true,
  int64AsType: 'number',
  largeBigIntToFloat: true,
  // Without it a bundled string cache may hand out strings of an earlier, refused body.
  bundleStrings: false,
} as const;
// msgpackr would send a field that is undefined as an extension, which decodeBody refuses. Its types lack the option.
const packing = { ...options, variableMapSize: true, skipValues: [undefined] };
const packr = new Packr(packing);
const unpackr = new Unpackr(options);

/**
 * @returns the bytes of a value made of null, booleans, finite numbers, strings, arrays and plain objects; fields that
 * are undefined are left out.
 */
export function encodeBody(value: unknown): Uint8Array {
  return packr.pack(value);
}

/**
 * @returns the value whose MessagePack form is exactly `bytes`. Only nil, booleans, integers within ±2^53, finite
 * floats, UTF-8 strings, arrays and maps with string keys are let in.
 * @throws MalformedBody
 */
export function decodeBody(bytes: Uint8Array, bounds: BodyBounds = BODY_BOUNDS): unknown {
  const end = new Walk(bytes, bounds).value(0, 0);
  if (end !== bytes.length) throw new MalformedBody('trailing bytes', end);
  return unpackr.unpack(bytes);
}

/** One pass over the bytes that allocates nothing but itself. Format: github.com/msgpack/msgpack/blob/master/spec.md */
class Walk {
  private readonly view: DataView;
  private items = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly bounds: BodyBounds,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @returns the offset behind the value that starts at `at`. */
  value(at: number, depth: number): number {
    const head = this.byte(at);
    if (head < 0x80 || head >= 0xe0) return at + 1;
    if (head < 0x90) return this.map(at + 1, head & 0x0f, depth);
    if (head < 0xa0) return this.array(at + 1, head & 0x0f, depth);
    if (head < 0xc0) return this.string(at + 1, head & 0x1f);
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return at + 1;
      case 0xca:
        return this.float(at, 5);
      case 0xcb:
        return this.float(at, 9);
      case 0xcc:
      case 0xd0:
        return this.skip(at, 2);
      case 0xcd:
      case 0xd1:
        return this.skip(at, 3);
      case 0xce:
      case 0xd2:
        return this.skip(at, 5);
      case 0xcf:
      case 0xd3:
        return this.wide(at, head === 0xd3);
      case 0xd9:
        return this.string(at + 2, this.byte(at + 1));
      case 0xda:
        return this.string(at + 3, this.uint16(at + 1));
      case 0xdb:
        return this.string(at + 5, this.uint32(at + 1));
      case 0xdc:
        return this.array(at + 3, this.uint16(at + 1), depth);
      case 0xdd:
        return this.array(at + 5, this.uint32(at + 1), depth);
      case 0xde:
        return this.map(at + 3, this.uint16(at + 1), depth);
      case 0xdf:
        return this.map(at + 5, this.uint32(at + 1), depth);
      case 0xc4:
      case 0xc5:
      case 0xc6:
        throw new MalformedBody('binary is not allowed', at);
      case 0xc1:
        throw new MalformedBody('the byte 0xc1 is no value', at);
      default:
        throw new MalformedBody('extension types are not allowed', at);
    }
  }

  private array(at: number, length: number, depth: number): number {
    this.enter(at, length, depth);
    for (let i = 0; i < length; i++) at = this.value(at, depth + 1);
    return at;
  }

  private map(at: number, length: number, depth: number): number {
    this.enter(at, length, depth);
    for (let i = 0; i < length; i++) at = this.value(this.key(at), depth + 1);
    return at;
  }

  private enter(at: number, length: number, depth: number): void {
    if (depth >= this.bounds.depth) throw new MalformedBody('nested too deep', at);
    this.items += length;
    if (this.items > this.bounds.items) throw new MalformedBody('too many items', at);
  }

  private key(at: number): number {
    const head = this.byte(at);
    const start = head === 0xd9 ? at + 2 : at + 1;
    if ((head < 0xa0 || head >= 0xc0) && head !== 0xd9) {
      throw new MalformedBody('keys are strings of at most 255 bytes', at);
    }
    const length = head === 0xd9 ? this.byte(at + 1) : head & 0x1f;
    const end = this.string(start, length);
    for (const key of FORBIDDEN_KEYS) {
      if (this.spells(start, length, key)) throw new MalformedBody(`forbidden key ${key}`, at);
    }
    return end;
  }

  private spells(start: number, length: number, key: string): boolean {
    if (length !== key.length) return false;
    for (let i = 0; i < length; i++) {
      if (this.bytes[start + i] !== key.charCodeAt(i)) return false;
    }
    return true;
  }

  private string(at: number, length: number): number {
    if (length > this.bounds.stringBytes) throw new MalformedBody('string too long', at);
    const end = at + length;
    if (end > this.bytes.length) throw new MalformedBody('truncated', this.bytes.length);
    // A decoder would put U+FFFD in silence where bytes are no UTF-8; two inputs must not become one value.
    let rest = 0;
    for (let i = at; i < end; i++) {
      const byte = this.bytes[i] as number;
      if (rest > 0) {
        if ((byte & 0xc0) !== 0x80) throw new MalformedBody('string is no UTF-8', i);
        rest--;
      } else if (byte >= 0x80) rest = this.sequence(byte, i);
    }
    if (rest > 0) throw new MalformedBody('string is no UTF-8', end);
    return end;
  }

  /** @returns how many continuation bytes follow; refuses overlong forms, surrogates and values above U+10FFFF. */
  private sequence(lead: number, at: number): number {
    const next = this.bytes[at + 1] ?? 0;
    if (lead >= 0xc2 && lead <= 0xdf) return 1;
    if (lead === 0xe0 ? next >= 0xa0 : lead === 0xed ? next < 0xa0 : (lead & 0xf0) === 0xe0)
      return 2;
    if (lead === 0xf0 ? next >= 0x90 : lead === 0xf4 ? next < 0x90 : lead > 0xf0 && lead < 0xf4) {
      return 3;
    }
    throw new MalformedBody('string is no UTF-8', at);
  }

  private float(at: number, size: number): number {
    const end = this.skip(at, size);
    const number = size === 5 ? this.view.getFloat32(at + 1) : this.view.getFloat64(at + 1);
    if (!Number.isFinite(number)) throw new MalformedBody('NaN and Infinity are not allowed', at);
    return end;
  }

  private wide(at: number, signed: boolean): number {
    const end = this.skip(at, 9);
    const number = Number(signed ? this.view.getBigInt64(at + 1) : this.view.getBigUint64(at + 1));
    if (!Number.isSafeInteger(number)) throw new MalformedBody('integer beyond 2^53', at);
    return end;
  }

  private skip(at: number, size: number): number {
    const end = at + size;
    if (end > this.bytes.length) throw new MalformedBody('truncated', this.bytes.length);
    return end;
  }

  private byte(at: number): number {
    const byte = this.bytes[at];
    if (byte === undefined) throw new MalformedBody('truncated', this.bytes.length);
    return byte;
  }

  private uint16(at: number): number {
    this.skip(at, 2);
    return this.view.getUint16(at);
  }

  private uint32(at: number): number {
    this.skip(at, 4);
    return this.view.getUint32(at);
  }
}

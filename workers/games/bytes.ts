/** Writes a save field by field, little endian on every machine; grows as needed. */
export class ByteWriter {
  private bytes: Uint8Array;
  private data: DataView;
  private length = 0;

  constructor(capacity = 512) {
    this.bytes = new Uint8Array(capacity);
    this.data = new DataView(this.bytes.buffer);
  }

  u8(value: number): void {
    const at = this.grow(1);
    this.data.setUint8(at, value);
  }

  i8(value: number): void {
    const at = this.grow(1);
    this.data.setInt8(at, value);
  }

  u16(value: number): void {
    const at = this.grow(2);
    this.data.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.grow(4);
    this.data.setUint32(at, value, true);
  }

  f32(value: number): void {
    const at = this.grow(4);
    this.data.setFloat32(at, value, true);
  }

  f64(value: number): void {
    const at = this.grow(8);
    this.data.setFloat64(at, value, true);
  }

  raw(value: Uint8Array): void {
    const at = this.grow(value.length);
    this.bytes.set(value, at);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** What was written, without a copy: good until the next write. */
  peek(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Starts over, keeping the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Room for so many bytes more, which may move everything: call it before touching `data`. */
  private grow(by: number): number {
    const at = this.length;
    this.length += by;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
      this.data = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Reads what ByteWriter wrote. Each call throws a RangeError past the end. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly data: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.data.getUint8(this.skip(1));
  }

  i8(): number {
    return this.data.getInt8(this.skip(1));
  }

  u16(): number {
    return this.data.getUint16(this.skip(2), true);
  }

  u32(): number {
    return this.data.getUint32(this.skip(4), true);
  }

  f32(): number {
    return this.data.getFloat32(this.skip(4), true);
  }

  f64(): number {
    return this.data.getFloat64(this.skip(8), true);
  }

  /** Bytes that are not read yet. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  /** The next bytes, without a copy. */
  take(count: number): Uint8Array {
    if (count > this.left) throw new RangeError(`${count} bytes of ${this.left}`);
    const at = this.skip(count);
    return this.bytes.subarray(at, at + count);
  }

  /** The rest, without a copy. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  private skip(by: number): number {
    const at = this.at;
    this.at += by;
    return at;
  }
}

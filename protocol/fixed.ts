/**
 * `fixed` bodies: a row of numbers at known offsets, big-endian, for hot messages. Decoding, checking and encoding
 * is one pass of code compiled from the fields; where a page forbids `new Function` the same rules are interpreted.
 */
const widths = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, f64: 8 } as const;
const accessors = {
  u8: 'Uint8',
  i8: 'Int8',
  u16: 'Uint16',
  i16: 'Int16',
  u32: 'Uint32',
  i32: 'Int32',
  f32: 'Float32',
  f64: 'Float64',
} as const;
const ranges = {
  u8: [0, 0xff],
  i8: [-0x80, 0x7f],
  u16: [0, 0xffff],
  i16: [-0x8000, 0x7fff],
  u32: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
  f32: [-3.4028234663852886e38, 3.4028234663852886e38],
  f64: [-Number.MAX_VALUE, Number.MAX_VALUE],
} as const;

export type Width = keyof typeof widths;

/** One number of a fixed body. The range includes both ends; NaN and the infinities are in no range. */
export interface Field {
  readonly width: Width;
  readonly min: number;
  readonly max: number;
}

export type FixedValue<F extends Record<string, Field>> = { -readonly [K in keyof F]: number };

export interface FixedBody<T> {
  readonly form: 'fixed';
  readonly fields: Readonly<Record<string, Field>>;
  /** Bytes of the body, without the type byte. */
  readonly size: number;
  /** @returns the value, or the reason it is refused. The caller has checked the length. */
  decode(view: DataView, at: number): T | string;
  /** @throws RangeError naming the field that is out of its range, or no integer where one belongs. */
  encode(view: DataView, at: number, value: T): void;
}

function field(width: Width): (min?: number, max?: number) => Field {
  const [low, high] = ranges[width];
  return (min = low, max = high) => {
    if (!(min >= low && max <= high && min <= max)) throw new RangeError(`${width}: bad range`);
    return { width, min, max };
  };
}

export const u8 = field('u8');
export const i8 = field('i8');
export const u16 = field('u16');
export const i16 = field('i16');
export const u32 = field('u32');
export const i32 = field('i32');
export const f32 = field('f32');
export const f64 = field('f64');

/** Names become source text of the compiled codec: nothing but an identifier may pass. */
const IDENTIFIER = /^[a-zA-Z][a-zA-Z0-9]*$/;

/** @throws Error for a field name that is no plain identifier. */
export function fixed<F extends Record<string, Field>>(fields: F): FixedBody<FixedValue<F>> {
  const names = Object.keys(fields);
  for (const name of names) if (!IDENTIFIER.test(name)) throw new Error(`bad field name ${name}`);
  const size = names.reduce((sum, name) => sum + widths[(fields[name] as Field).width], 0);
  const { decode, encode } = codec<FixedValue<F>>(fields);
  return { form: 'fixed', fields, size, decode, encode };
}

type Codec<T> = Pick<FixedBody<T>, 'decode' | 'encode'>;

function codec<T extends Record<string, number>>(fields: Record<string, Field>): Codec<T> {
  try {
    return compiled<T>(fields);
  } catch {
    return interpreted<T>(fields);
  }
}

function compiled<T>(fields: Record<string, Field>): Codec<T> {
  const read: string[] = [];
  const write: string[] = [];
  let at = 0;
  const names = Object.keys(fields);
  for (const [i, [name, { width, min, max }]] of Object.entries(fields).entries()) {
    // Not the field's own name, which may be `at`, `view` or a reserved word.
    const local = `n${i}`;
    const place = `at + ${at}`;
    // Written as a negation so that NaN, which compares false with everything, is refused too.
    const wrong = `!(${local} >= ${min} && ${local} <= ${max})`;
    const fraction = width.startsWith('f') ? '' : ` || ${local} !== Math.floor(${local})`;
    read.push(
      `const ${local} = view.get${accessors[width]}(${place});`,
      `if (${wrong}) return '${name}: must be ${min} to ${max}';`,
    );
    write.push(
      `const ${local} = value.${name};`,
      `if (${wrong}${fraction}) throw new RangeError('${name}: must be ${min} to ${max}');`,
      `view.set${accessors[width]}(${place}, ${local});`,
    );
    at += widths[width];
  }
  const value = names.map((name, i) => `${name}: n${i}`).join(', ');
  return {
    // eslint-disable-next-line no-new-func, typescript/no-implied-eval -- built from checked identifiers and numbers only
    decode: new Function(
      'view',
      'at',
      `${read.join('\n')}\nreturn { ${value} };`,
    ) as Codec<T>['decode'],
    // eslint-disable-next-line no-new-func, typescript/no-implied-eval -- as above
    encode: new Function('view', 'at', 'value', write.join('\n')) as Codec<T>['encode'],
  };
}

/** The same codec without generated code; exported so that a test can hold the two against each other. */
export function interpreted<T extends Record<string, number>>(
  fields: Record<string, Field>,
): Codec<T> {
  return {
    decode(view, at) {
      const value: Record<string, number> = {};
      for (const [name, { width, min, max }] of Object.entries(fields)) {
        const number = view[`get${accessors[width]}`](at);
        if (!(number >= min && number <= max)) return `${name}: must be ${min} to ${max}`;
        value[name] = number;
        at += widths[width];
      }
      return value as T;
    },
    encode(view, at, value) {
      for (const [name, { width, min, max }] of Object.entries(fields)) {
        const number = value[name] as number;
        const whole = width.startsWith('f') || number === Math.floor(number);
        if (!(number >= min && number <= max) || !whole) {
          throw new RangeError(`${name}: must be ${min} to ${max}`);
        }
        view[`set${accessors[width]}`](at, number);
        at += widths[width];
      }
    },
  };
}

import * as z from 'zod';

/** One environment variable: its schema reads the text, its `says` is the line in docs/configuration.md. */
export interface Variable<T> {
  readonly schema: z.ZodType<T, string | undefined>;
  readonly fallback: string | undefined;
  readonly says: string;
}

/** Made once: schemas take their time, and a gateway that starts waits for those of all variables. */
const digits = z.string().regex(/^\d+$/, 'must be a whole number').transform(Number);

/** A whole number within both bounds, written as digits. */
export function int(fallback: number, min: number, max: number, says: string): Variable<number> {
  return {
    schema: digits.pipe(z.int().min(min).max(max)),
    fallback: String(fallback),
    says: `${says} ${min} to ${max}.`,
  };
}

/** `on` or `off`. */
export function flag(fallback: boolean, says: string): Variable<boolean> {
  const schema = z.enum(['on', 'off'], 'must be on or off').transform((word) => word === 'on');
  return {
    schema,
    fallback: fallback ? 'on' : 'off',
    says: `${says} on or off.`,
  };
}

export function text(fallback: string, says: string, pattern = /^.*$/): Variable<string> {
  return { schema: z.string().regex(pattern), fallback, says };
}

/** A text that may be left out. */
export function optional(
  says: string,
  schema: z.ZodType<string, string> = z.string(),
): Variable<string | undefined> {
  return { schema: schema.optional(), fallback: undefined, says };
}

/** Comma-separated words; empty: none. */
export function list(fallback: string, says: string): Variable<readonly string[]> {
  const schema = z.string().transform((words) =>
    words
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  );
  return { schema, fallback, says };
}

export type Values<V extends Record<string, Variable<unknown>>> = {
  readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never;
};

/** Thrown by readEnv; lists every variable that is wrong, not only the first. */
export class BadEnvironment extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`bad environment:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'BadEnvironment';
    this.problems = problems;
  }
}

/** Values that must not end up in a log, whole or in part. */
const SECRET = /SECRET|PASSWORD|TOKEN|URL/;

/**
 * @param rules what holds across variables; it is given those that were read, and returns what is wrong
 * @returns the frozen values of all variables; an empty text counts as absent.
 * @throws BadEnvironment
 */
export function readEnv<V extends Record<string, Variable<unknown>>>(
  variables: V,
  env: Readonly<Record<string, string | undefined>>,
  rules: (values: Partial<Values<V>>) => readonly string[] = () => [],
): Values<V> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, fallback }] of Object.entries(variables)) {
    const given = env[name] === '' ? undefined : env[name];
    const parsed = schema.safeParse(given ?? fallback);
    if (parsed.success) values[name] = parsed.data;
    else {
      const reason = parsed.error.issues.map(({ message }) => message).join(', ');
      problems.push(`${name}=${SECRET.test(name) ? '' : (given ?? '')}: ${reason}`);
    }
  }
  problems.push(...rules(values as Partial<Values<V>>));
  if (problems.length > 0) throw new BadEnvironment(problems);
  return Object.freeze(values) as Values<V>;
}

import type { Variable } from '../../src/lib/env.ts';

export type Defaults = Readonly<Record<string, string | undefined>>;

/**
 * The table of docs/configuration.md: a test holds the page to it, `node scripts/run.mjs write-configuration` writes it.
 * Some defaults depend on NODE_ENV: both kinds are given beside the variables.
 */
export function configurationTable(
  variables: Readonly<Record<string, Variable<unknown>>>,
  development: Defaults,
  production: Defaults,
): string {
  const rows = Object.entries(variables).map(([name, { schema, says }]) => {
    const required = !schema.safeParse(development[name]).success;
    const here = shown(development[name], required);
    const there = shown(production[name], required);
    return `| \`${name}\` | ${here === there ? here : `${here}, in production ${there}`} | ${says} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** @returns the page with its table replaced, which is all of its lines that begin with a bar */
export function withTable(page: string, table: string): string {
  return page.replace(/(^\|.*\n?)+/m, () => `${table}\n`);
}

export function defaultsOf(variables: Readonly<Record<string, Variable<unknown>>>): Defaults {
  return Object.fromEntries(
    Object.entries(variables).map(([name, { fallback }]) => [name, fallback]),
  );
}

function shown(fallback: string | undefined, required: boolean): string {
  if (fallback === undefined) return required ? 'required' : 'absent';
  return fallback === '' ? 'empty' : `\`${fallback}\``;
}

import { builtinModules } from 'node:module';
import type { Import } from './imports.ts';
import type { Rules } from './rules.ts';

const TEST = '**/*.test.ts';

/** Whether `path` fits a pattern: `*` stands for anything within one folder, `**` across folders. */
function fits(path: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*\*\/|\*\*|\*/g, (star) =>
      star === '*' ? '[^/]*' : star === '**' ? '.*' : '(?:.*/)?',
    );
  return new RegExp(`^${source}$`).test(path);
}

const fitsAny = (path: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => fits(path, pattern));

/** What breaks the rules, each as one line; empty when all is well. */
export function violations(imports: readonly Import[], rules: Rules): string[] {
  return [
    ...imports.flatMap((one) => (one.local ? badLocal(one, rules) : badPackage(one, rules))),
    ...loops(
      'files',
      // A test looks at the file beside it, and type imports are gone at run time.
      imports.filter((one) => one.local && !one.typeOnly),
      (file) => file,
    ),
    ...rules.layered.flatMap((room) =>
      loops(
        'folders',
        imports.filter(({ local, from, to }) =>
          [local, !fits(from, TEST), inFolder(from, room), inFolder(to, room)].every(Boolean),
        ),
        (file) =>
          file
            .split('/')
            .slice(0, room.split('/').length + 1)
            .join('/'),
      ),
    ),
  ];
}

/** Below a subfolder of `room`, not directly in it. */
function inFolder(file: string, room: string): boolean {
  return fits(file, `${room}/*/**`);
}

function badLocal({ from, to }: Import, rules: Rules): string[] {
  const bad: string[] = [];
  const room = rules.rooms.find((one) => fits(from, one.room));
  if (!room) bad.push(`${from}: is in no room that the rules name`);
  else if (!fits(to, room.room) && !fitsAny(to, room.mayImport)) {
    const may = room.mayImport.join(', ') || 'nothing of ours outside of it';
    bad.push(`${from} imports ${to}: ${room.room} may import ${may}`);
  }
  const entry = rules.entries.find(({ file }) => fits(to, file) && !fits(to, TEST));
  if (entry && !fitsAny(from, entry.by ?? [])) {
    bad.push(`${from} imports ${to}: an entry is started, never imported`);
  }
  return bad;
}

function badPackage({ from, to }: Import, rules: Rules): string[] {
  const name = to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/');
  if (to.startsWith('node:') || builtinModules.includes(to)) {
    const forbidden = fitsAny(from, rules.noNode) && !fits(from, TEST);
    return forbidden ? [`${from} imports ${to}: it must run without Node`] : [];
  }
  const vendor = rules.vendors.find((one) => fits(name, one.name));
  if (!vendor || fitsAny(from, [...vendor.only, ...rules.vendorsFree])) return [];
  return [`${from} imports ${to}: only ${vendor.only.join(', ')} may`];
}

/** Each loop once, from where a depth-first walk closes it. */
function loops(
  what: string,
  imports: readonly Import[],
  nodeOf: (file: string) => string,
): string[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [a, b] = [nodeOf(from), nodeOf(to)];
    if (a === b && what === 'folders') continue;
    next.set(a, (next.get(a) ?? new Set()).add(b));
  }
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) found.push(`a loop of ${what}: ${[...path.slice(at), node].join(' -> ')}`);
    if (at >= 0 || done.has(node)) return;
    for (const one of next.get(node) ?? []) walk(one, [...path, node]);
    done.add(node);
  };
  for (const node of next.keys()) walk(node, []);
  return found;
}

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Nothing was written: the name cannot be a game's. */
export class BadName extends Error {
  override name = 'BadName';
}

const TEMPLATE = 'scripts/lib/new-game/template';
const GAMES = 'workers/games';
const QUEUES = 'protocol/queues';

const RESERVED = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval
  export extends false finally for function global if implements import in instanceof interface let
  module new null package private protected public require return self static super switch this
  throw true try typeof undefined var void while window with yield`.split(/\s+/),
);

/**
 * Writes a small game that works, its test, and a matchmaking queue for it, and adds both to their lists.
 * @param root of the project
 * @returns the files that were written or changed, relative to the root
 * @throws BadName
 */
export async function makeGame(root: string, name: string): Promise<string[]> {
  if (!/^[a-z][a-z0-9]{1,31}$/.test(name)) {
    throw new BadName(`"${name}" is no name: 2 to 32 of a-z and 0-9, a letter first`);
  }
  const template = join(root, TEMPLATE);
  const texts = await Promise.all(
    (await readdir(template)).map(async (file) => ({
      path: pathOf(file, name),
      text: await readFile(join(template, file), 'utf8'),
    })),
  );
  const lists = await Promise.all(
    [GAMES, QUEUES].map(async (folder) => {
      const path = `${folder}/index.ts`;
      return { path, text: await readFile(join(root, path), 'utf8') };
    }),
  );
  refuse(root, name, [...texts, ...lists].map(({ text }) => text).join('\n'));

  const written = [
    ...texts.map(({ path, text }) => ({ path, text: renamed(text, name) })),
    ...lists.map(({ path, text }) => ({ path, text: listed(path, text, name) })),
  ];
  await mkdir(join(root, GAMES, name));
  for (const { path, text } of written) await writeFile(join(root, path), text);
  return written.map(({ path }) => path);
}

function pathOf(file: string, name: string): string {
  const plain = file.replace(/\.txt$/, '');
  if (plain === 'queue.ts') return `${QUEUES}/${name}.ts`;
  return `${GAMES}/${name}/${plain === 'test.ts' ? `${name}.test.ts` : plain}`;
}

/** @param code that the name will stand in */
function refuse(root: string, name: string, code: string): void {
  for (const path of [`${GAMES}/${name}`, `${GAMES}/${name}.ts`, `${QUEUES}/${name}.ts`]) {
    if (existsSync(join(root, path))) throw new BadName(`"${name}" is taken: there is ${path}`);
  }
  if (RESERVED.has(name) || name in globalThis) {
    throw new BadName(`"${name}" means something to JavaScript`);
  }
  const words = code.replaceAll(/\/\*[^]*?\*\/|\/\/.*|'[^']*'/g, '');
  if (name !== 'tug' && new RegExp(`\\b${name}\\b`).test(words)) {
    throw new BadName(`"${name}" already means something in the code that it would stand in`);
  }
}

function renamed(text: string, name: string): string {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  return text.replaceAll('tug', name).replaceAll('Tug', type);
}

/** A list of games or queues with one more: an import, and an entry of the object that is exported. */
function listed(path: string, text: string, name: string): string {
  const from = path.startsWith(GAMES) ? `./${name}/index.ts` : `./${name}.ts`;
  const lines = text.split('\n');
  const last = lines.findLastIndex((line) => line.startsWith('import '));
  const entry = /(export const (?:games|queues) = \{)([^}]*?),?\s*\}/;
  if (last < 0 || !entry.test(text)) throw new Error(`${path} has no list to add to`);
  lines.splice(last + 1, 0, `import { ${name} } from '${from}';`);
  return lines.join('\n').replace(entry, `$1$2, ${name} }`);
}

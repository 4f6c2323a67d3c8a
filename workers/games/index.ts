import type { AnyGame } from './contract.ts';
import { knockout } from './knockout/index.ts';

/** Every game, by name. Adding one is its folder and a line here. */
export const games = { knockout } as const satisfies Readonly<Record<string, AnyGame>>;

/** The game of a name, if there is one. */
export function gameNamed(name: string): AnyGame | undefined {
  return Object.hasOwn(games, name) ? games[name as keyof typeof games] : undefined;
}

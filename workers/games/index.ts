import type { AnyGame } from './contract.ts';
import { drill } from './drill/index.ts';
import { knockout } from './knockout/index.ts';

/** Every game, by name. Adding one is its folder and a line here. */
export const games = { drill, knockout } as const satisfies Readonly<Record<string, AnyGame>>;

/** The game of a name, if there is one. */
export function gameNamed(name: string): AnyGame | undefined {
  return Object.hasOwn(games, name) ? games[name as keyof typeof games] : undefined;
}

/**
 * The game of a name, if matches of it may be played here.
 * @param drills as in DRILLS: whether what misbehaves on demand may run
 */
export function playableGame(name: string, drills: boolean): AnyGame | undefined {
  return name === drill.name && !drills ? undefined : gameNamed(name);
}

/** All of them. @param drills as in DRILLS */
export function playableGames(drills: boolean): AnyGame[] {
  return Object.keys(games).flatMap((name) => playableGame(name, drills) ?? []);
}

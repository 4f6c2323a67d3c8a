import type * as Knockout from '../../workers/games/knockout/index.ts';

let ready: Promise<typeof Knockout> | undefined;

/**
 * The game itself, with its WebAssembly: 3.5 MB that are fetched when the first match is shown, not before the
 * page is there.
 */
export function loadGame(): Promise<typeof Knockout> {
  ready ??= load();
  return ready;
}

async function load(): Promise<typeof Knockout> {
  try {
    const game = await import('../../workers/games/knockout/index.ts');
    await game.knockout.prepare();
    return game;
  } catch (error) {
    // A fetch that failed once may succeed the next time.
    ready = undefined;
    throw error;
  }
}

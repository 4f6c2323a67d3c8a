/** What the page shows; kept in the URL's hash, so that a reload goes on where it was. */
export type Route =
  | { readonly screen: 'lobby' }
  | { readonly screen: 'lab' }
  | { readonly screen: 'balance' }
  | { readonly screen: 'practice' }
  | { readonly screen: 'match'; readonly id: string }
  /** `last`: the practice match that this tab played last. */
  | { readonly screen: 'replay'; readonly id: string };

export const LAST = 'last';

const ID = /^[A-Za-z0-9_-]{16}$/;

/** What is no route of ours is the lobby. */
export function readRoute(hash: string): Route {
  const [screen = '', id = ''] = hash.replace(/^#/, '').split('=');
  if (screen === 'lab' || screen === 'balance' || screen === 'practice') return { screen };
  if (screen === 'match' && ID.test(id)) return { screen, id };
  if (screen === 'replay' && (id === LAST || ID.test(id))) return { screen, id };
  return { screen: 'lobby' };
}

export function writeRoute(route: Route): string {
  if (route.screen === 'lobby') return '#';
  return 'id' in route ? `#${route.screen}=${route.id}` : `#${route.screen}`;
}

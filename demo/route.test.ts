import { expect, test } from 'vitest';
import { readRoute, writeRoute, type Route } from './route.ts';

test('every route survives the hash', () => {
  const id = 'AbCd_efgh-ijkl01';
  const routes: Route[] = [
    { screen: 'lobby' },
    { screen: 'lab' },
    { screen: 'balance' },
    { screen: 'practice' },
    { screen: 'match', id },
    { screen: 'replay', id },
    { screen: 'replay', id: 'last' },
  ];
  for (const route of routes) expect(readRoute(writeRoute(route))).toEqual(route);
});

test('anything else is the lobby', () => {
  for (const hash of ['', '#', '#match', '#match=', '#match=../../x', '#replay=short', '#what=1']) {
    expect(readRoute(hash)).toEqual({ screen: 'lobby' });
  }
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SUBPROTOCOL } from '../../protocol/index.ts';
import { Doors } from './doors.ts';
import type { UpgradeRequest } from './uws.ts';

const config = { ORIGINS: ['https://a.example'], CONNECTIONS_PER_ADDRESS: 2 };

function asking(parts: Partial<UpgradeRequest> = {}): UpgradeRequest {
  return {
    origin: '',
    subprotocols: [SUBPROTOCOL],
    authorization: '',
    address: '192.0.2.1',
    flyClientIp: '',
    ...parts,
  };
}

const doors = (trust = false): Doors => new Doors({ ...config, TRUST_FLY_CLIENT_IP: trust });

test('H1: ours is chosen wherever it stands; else the first one offered comes back, for its close', () => {
  const enter = (...subprotocols: string[]) => doors().enter(asking({ subprotocols }));
  expect(enter('x', SUBPROTOCOL)).toMatchObject({ subprotocol: SUBPROTOCOL, refused: undefined });
  expect(enter('x', 'y')).toMatchObject({ subprotocol: 'x', refused: 'wrong_subprotocol' });
  expect(enter('bearer.t', 'y')).toMatchObject({ subprotocol: 'y', refused: 'wrong_subprotocol' });
  expect(enter()).toMatchObject({ subprotocol: undefined, refused: 'wrong_subprotocol' });
});

test('H2: the header’s token counts before the subprotocol’s, and none is empty', () => {
  const token = (parts: Partial<UpgradeRequest>) => doors().enter(asking(parts)).token;
  const subprotocols = [SUBPROTOCOL, 'bearer.inEntry'];
  expect(token({ subprotocols })).toBe('inEntry');
  expect(token({ subprotocols, authorization: 'Bearer inHeader' })).toBe('inHeader');
  expect(token({ subprotocols, authorization: 'Basic dTpw' })).toBe('inEntry');
  expect(token({})).toBe('');
});

test('H4: a foreign page is refused before anything else is', () => {
  const parts = { origin: 'https://b.example', subprotocols: ['x'] };
  expect(doors().enter(asking(parts)).refused).toBe('origin_refused');
  expect(doors().enter(asking({ origin: 'https://a.example' })).refused).toBeUndefined();
});

test('L6: whoever came and went in whatever order, only those inside count', () => {
  const address = fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3');
  const step = fc.tuple(fc.boolean(), address);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const all = doors();
      const inside = new Map<string, number>();
      const answers: [room: boolean, admitted: boolean][] = [];
      for (const [comes, from] of steps) {
        const now = inside.get(from) ?? 0;
        if (comes) {
          answers.push([now < 2, all.enter(asking({ address: from })).refused === undefined]);
          inside.set(from, now + 1);
        } else if (now > 0) {
          all.left(from);
          inside.set(from, now - 1);
        }
      }
      for (const [room, admitted] of answers) expect(admitted).toBe(room);
      // Where all have gone there is room for two again.
      for (const [from, count] of inside) for (let i = 0; i < count; i++) all.left(from);
      for (const from of inside.keys()) {
        const refused = [1, 2, 3].map(() => all.enter(asking({ address: from })).refused);
        expect(refused).toEqual([undefined, undefined, 'too_many_connections']);
      }
    }),
  );
});

test('L6: the proxy’s word for an address counts where it is trusted', () => {
  const request = asking({ flyClientIp: '203.0.113.9' });
  expect(doors(true).enter(request).address).toBe('203.0.113.9');
  expect(doors(false).enter(request).address).toBe('192.0.2.1');
  expect(doors(true).enter(asking()).address).toBe('192.0.2.1');
});

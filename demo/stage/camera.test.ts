import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aim, screenX, screenY } from './camera.ts';

const DESKTOP = { width: 960, height: 744, top: 90, bottom: 20 };
const PHONE = { width: 390, height: 700, top: 90, bottom: 180 };

test('a desktop shows the whole platform, whoever is looked at', () => {
  const camera = aim(DESKTOP, 10, 10, { x: 9, y: -9 });
  expect([camera.x, camera.y]).toEqual([0, 0]);
  expect(screenX(camera, -10)).toBeGreaterThan(0);
  expect(screenX(camera, 10)).toBeLessThan(DESKTOP.width);
  expect(screenY(camera, -10)).toBeGreaterThan(DESKTOP.top);
  expect(screenY(camera, 10)).toBeLessThan(DESKTOP.height - DESKTOP.bottom);
});

test('on a phone whoever is looked at is always in view', () => {
  const turn = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const radius = fc.double({ min: 0.5, max: 10, noNaN: true });
  fc.assert(
    fc.property(turn, share, radius, (angle, out, size) => {
      const x = Math.cos(angle) * size * out;
      const y = Math.sin(angle) * size * out;
      const camera = aim(PHONE, size, 10, { x, y });
      expect(screenX(camera, x)).toBeGreaterThan(0);
      expect(screenX(camera, x)).toBeLessThan(PHONE.width);
      expect(screenY(camera, y)).toBeGreaterThan(PHONE.top);
      expect(screenY(camera, y)).toBeLessThan(PHONE.height - PHONE.bottom);
    }),
  );
});

test('and so is the edge, for who comes near it', () => {
  for (const x of [6, 8, 9.5]) {
    expect(screenX(aim(PHONE, 10, 10, { x, y: 0 }), 10)).toBeLessThan(PHONE.width);
    expect(screenX(aim(PHONE, 10, 10, { x: -x, y: 0 }), -10)).toBeGreaterThan(0);
  }
});

test('who only watches sees the whole platform, on a phone too', () => {
  const camera = aim(PHONE, 10, 10, undefined);
  expect(screenX(camera, -10)).toBeGreaterThan(0);
  expect(screenX(camera, 10)).toBeLessThan(PHONE.width);
});

test('a smaller platform is drawn larger, but seen to be smaller', () => {
  const early = aim(DESKTOP, 10, 10, { x: 0, y: 0 });
  const late = aim(DESKTOP, 4, 10, { x: 0, y: 0 });
  expect(late.scale).toBeGreaterThan(early.scale);
  expect(late.scale * 4).toBeLessThan(early.scale * 10);
});

import { DISC_RADIUS } from '../../workers/games/knockout/rules.ts';
import { type Camera, screenX, screenY } from './camera.ts';
import { above, drawDisc, FONT } from './draw-discs.ts';
import { onFloor } from './draw-platform.ts';
import { liveryOf, type Palette } from './palette.ts';
import { FALL_MS, type Falling, FLASH_MS, type Scene, TEXT_MS, type TrailPoint } from './scene.ts';

type Pen = CanvasRenderingContext2D;

/** Slower than this a disc leaves no trail, m/s. */
const TRAIL_FROM = 1.2;

/** Behind each disc, narrower and fainter with age; a dash leaves a brighter one. */
export function drawTrails(pen: Pen, camera: Camera, { trails }: Scene): void {
  onFloor(pen, camera, () => {
    trails.forEach((trail, slot) => drawTrail(pen, trail, liveryOf(slot).fill));
    pen.globalAlpha = 1;
  });
}

function drawTrail(pen: Pen, trail: readonly TrailPoint[], colour: string): void {
  const tail = trail[0];
  const head = trail.at(-1);
  if (!tail || !head || trail.length < 3) return;
  const seconds = Math.max(0.001, (head.at - tail.at) / 1_000);
  const length = Math.sqrt((head.x - tail.x) ** 2 + (head.y - tail.y) ** 2);
  const speed = length / seconds;
  if (speed < TRAIL_FROM) return;
  const ground = pen.createLinearGradient(tail.x, tail.y, head.x, head.y);
  ground.addColorStop(0, `${colour}00`);
  ground.addColorStop(1, colour);
  pen.fillStyle = ground;
  pen.globalAlpha = head.dashing ? 0.75 : Math.min(0.4, (speed - TRAIL_FROM) * 0.08);
  // One outline, there and back: parts that overlap would show as scales.
  const sides = trail.map((point, i) => {
    const before = trail[Math.max(0, i - 1)] ?? point;
    const after = trail[Math.min(trail.length - 1, i + 1)] ?? point;
    const dx = after.x - before.x;
    const dy = after.y - before.y;
    const size = Math.sqrt(dx * dx + dy * dy) || 1;
    const half = DISC_RADIUS * (0.15 + 0.8 * (i / trail.length));
    return { point, x: (-dy / size) * half, y: (dx / size) * half };
  });
  pen.beginPath();
  for (const { point, x, y } of sides) pen.lineTo(point.x + x, point.y + y);
  for (const { point, x, y } of sides.toReversed()) pen.lineTo(point.x - x, point.y - y);
  pen.closePath();
  pen.fill();
}

/** A ring that opens where two met. */
export function drawFlashes(
  pen: Pen,
  camera: Camera,
  { flashes, calm }: Scene,
  palette: Palette,
  now: number,
): void {
  for (const flash of flashes) {
    const age = (now - flash.at) / FLASH_MS;
    const open = calm ? 0.5 : 1 - (1 - age) ** 3;
    onFloor(pen, camera, () => {
      pen.globalAlpha = (1 - age) * (0.15 + 0.8 * flash.power);
      pen.strokeStyle = palette.flash;
      pen.lineWidth = (1 - age) * (0.06 + 0.16 * flash.power);
      pen.beginPath();
      pen.arc(flash.x, flash.y, 0.25 + open * (0.5 + 1.1 * flash.power), 0, 2 * Math.PI);
      pen.stroke();
    });
  }
  pen.globalAlpha = 1;
}

export function drawSparks(
  pen: Pen,
  camera: Camera,
  { sparks }: Scene,
  palette: Palette,
  now: number,
): void {
  pen.fillStyle = palette.warning;
  for (const spark of sparks) {
    pen.globalAlpha = 1 - (now - spark.at) / spark.lifeMs;
    pen.beginPath();
    const x = screenX(camera, spark.x);
    pen.arc(x, screenY(camera, spark.y, spark.z), spark.size * camera.scale, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

/** Discs that go over the edge: those at the far side fall behind the platform. */
export function drawFalling(
  pen: Pen,
  camera: Camera,
  { falling, calm }: Scene,
  side: 'far' | 'near',
  now: number,
): void {
  for (const one of falling) {
    if (one.y < 0 !== (side === 'far')) continue;
    const age = (now - one.at) / FALL_MS;
    drawDisc(pen, camera, one.slot, calm ? one : movedOn(one, now), {
      alpha: Math.max(0, 1 - age) ** 0.8,
      height: calm ? 0 : -7 * ((now - one.at) / 1_000) ** 2,
    });
  }
}

function movedOn(one: Falling, now: number): { x: number; y: number } {
  const seconds = (now - one.at) / 1_000;
  // At least outwards by a disc's width, so that it does not fall through the rim.
  const distance = Math.sqrt(one.x * one.x + one.y * one.y) || 1;
  const out = Math.min(0.7, seconds * 2.4);
  return {
    x: one.x + one.vx * seconds * 0.8 + (one.x / distance) * out,
    y: one.y + one.vy * seconds * 0.8 + (one.y / distance) * out,
  };
}

export function drawFloating(
  pen: Pen,
  camera: Camera,
  { floating, frame, calm }: Scene,
  palette: Palette,
  now: number,
): void {
  for (const { slot, text, at } of floating) {
    const disc = frame?.discs[slot];
    if (!disc?.standing) continue;
    const age = (now - at) / TEXT_MS;
    const [x, y] = above(camera, disc);
    const size = Math.max(15, camera.scale * 0.62);
    pen.font = `800 ${size}px ${FONT}`;
    pen.textAlign = 'left';
    pen.globalAlpha = Math.min(1, (1 - age) * 2);
    pen.strokeStyle = palette.halo;
    pen.lineWidth = 4;
    pen.lineJoin = 'round';
    const height = y + size - (calm ? 0 : age * camera.scale * 0.7);
    const beside = x + camera.scale * 0.6;
    pen.strokeText(text, beside, height);
    pen.fillStyle = palette.warning;
    pen.fillText(text, beside, height);
  }
  pen.globalAlpha = 1;
}

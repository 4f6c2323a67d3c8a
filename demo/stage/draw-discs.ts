import { DISC_RADIUS } from '../../workers/games/knockout/rules.ts';
import { type Camera, RISE, screenX, screenY, TILT } from './camera.ts';
import { onFloor } from './draw-platform.ts';
import type { FrameDisc } from './frame.ts';
import { liveryOf, type Palette } from './palette.ts';

type Pen = CanvasRenderingContext2D;

/** Of a disc, m. */
const THICK = 0.34;

const emblems = new Map<number, Path2D>();

function emblemOf(slot: number): Path2D {
  let path = emblems.get(slot);
  if (!path) emblems.set(slot, (path = new Path2D(liveryOf(slot).emblem)));
  return path;
}

export interface Look {
  readonly alpha: number;
  /** Of its underside above the platform, m. */
  readonly height: number;
}

export const STANDING: Look = { alpha: 1, height: 0 };

export function drawShadow(pen: Pen, camera: Camera, disc: FrameDisc, palette: Palette): void {
  onFloor(pen, camera, () => {
    pen.fillStyle = palette.shadow;
    pen.beginPath();
    pen.arc(disc.x + 0.12, disc.y + 0.16, DISC_RADIUS * 1.08, 0, 2 * Math.PI);
    pen.fill();
  });
}

/** A disc as a thick puck with its emblem lying on top. */
export function drawDisc(
  pen: Pen,
  camera: Camera,
  slot: number,
  at: { readonly x: number; readonly y: number },
  { alpha, height }: Look,
): void {
  const livery = liveryOf(slot);
  const x = screenX(camera, at.x);
  const base = screenY(camera, at.y, height);
  const top = screenY(camera, at.y, height + THICK);
  const rx = DISC_RADIUS * camera.scale;
  const ry = rx * TILT;
  pen.globalAlpha = alpha;
  pen.fillStyle = livery.side;
  pen.beginPath();
  pen.ellipse(x, base, rx, ry, 0, 0, Math.PI);
  pen.lineTo(x - rx, top);
  pen.ellipse(x, top, rx, ry, 0, Math.PI, 0, true);
  pen.closePath();
  pen.fill();
  pen.fillStyle = livery.fill;
  pen.beginPath();
  pen.ellipse(x, top, rx, ry, 0, 0, 2 * Math.PI);
  pen.fill();
  pen.strokeStyle = livery.rim;
  pen.lineWidth = Math.max(1, rx * 0.09);
  pen.beginPath();
  pen.ellipse(x, top, rx * 0.86, ry * 0.86, 0, 0, 2 * Math.PI);
  pen.stroke();
  pen.save();
  pen.translate(x, top);
  pen.scale(rx * 0.46, ry * 0.46);
  pen.fillStyle = livery.mark;
  pen.fill(emblemOf(slot));
  pen.restore();
  pen.globalAlpha = 1;
}

/** Around the disc of this page's player: a ring that closes while the dash comes back. */
export function drawOwn(
  pen: Pen,
  camera: Camera,
  disc: FrameDisc,
  ready: number,
  palette: Palette,
): void {
  onFloor(pen, camera, () => {
    pen.lineCap = 'round';
    pen.strokeStyle = palette.own;
    const ring = (width: number, alpha: number, share: number): void => {
      pen.globalAlpha = alpha;
      pen.lineWidth = width / camera.scale;
      pen.beginPath();
      const from = -Math.PI / 2;
      pen.arc(disc.x, disc.y, DISC_RADIUS + 0.24, from, from + 2 * Math.PI * share);
      pen.stroke();
    };
    ring(2, 0.25, 1);
    ring(ready >= 1 ? 3 : 2.5, ready >= 1 ? 1 : 0.8, ready);
    pen.globalAlpha = 1;
    pen.lineCap = 'butt';
  });
}

/** Where the player at this page steers: shown at once, before the arena has heard of it. */
export function drawAim(
  pen: Pen,
  camera: Camera,
  disc: FrameDisc,
  aim: { readonly x: number; readonly y: number },
  palette: Palette,
): void {
  const size = Math.sqrt(aim.x * aim.x + aim.y * aim.y);
  if (size === 0) return;
  const x = aim.x / size;
  const y = aim.y / size;
  onFloor(pen, camera, () => {
    const tip = DISC_RADIUS + 0.46 + 0.2 * Math.min(1, size);
    const base = DISC_RADIUS + 0.36;
    pen.fillStyle = palette.own;
    pen.globalAlpha = 0.85;
    pen.beginPath();
    pen.moveTo(disc.x + x * tip, disc.y + y * tip);
    pen.lineTo(disc.x + x * base - y * 0.26, disc.y + y * base + x * 0.26);
    pen.lineTo(disc.x + x * base + y * 0.26, disc.y + y * base - x * 0.26);
    pen.closePath();
    pen.fill();
    pen.globalAlpha = 1;
  });
}

/** Over a disc. `own`: with a pointer, so that one finds oneself at a glance. */
export function drawName(
  pen: Pen,
  camera: Camera,
  at: { readonly x: number; readonly y: number },
  name: string,
  own: boolean,
  palette: Palette,
): void {
  const x = screenX(camera, at.x);
  const size = Math.max(11, Math.min(14, camera.scale * 0.4));
  const y = screenY(camera, at.y, THICK) - DISC_RADIUS * camera.scale * TILT - size * 0.55;
  pen.font = `${own ? 700 : 600} ${size}px ${FONT}`;
  pen.textAlign = 'center';
  pen.textBaseline = 'alphabetic';
  pen.lineJoin = 'round';
  const lift = own ? 7 : 0;
  pen.strokeStyle = palette.halo;
  pen.lineWidth = 3.5;
  pen.strokeText(name, x, y - lift);
  pen.fillStyle = palette.text;
  pen.fillText(name, x, y - lift);
  if (!own) return;
  pen.beginPath();
  pen.moveTo(x - 5, y - 3);
  pen.lineTo(x + 5, y - 3);
  pen.lineTo(x, y + 3);
  pen.closePath();
  pen.stroke();
  pen.fill();
}

/** The page's own, for text on the canvas. */
export const FONT =
  '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** Where text that rises from a disc stands, px. */
export function above(
  camera: Camera,
  at: { readonly x: number; readonly y: number },
): readonly [number, number] {
  return [screenX(camera, at.x), screenY(camera, at.y, THICK + RISE) - camera.scale * 0.5];
}

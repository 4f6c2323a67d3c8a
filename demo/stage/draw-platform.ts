import { type Camera, RISE, screenX, screenY, TILT } from './camera.ts';
import type { Palette } from './palette.ts';

type Pen = CanvasRenderingContext2D;

/** How deep the platform is drawn before it is lost in the dark, m. */
const DEPTH = 3.4;

/** What of the platform goes, and how soon. */
export interface Edge {
  readonly radius: number;
  /** In a few seconds, m. Equal to `radius`: nothing goes. */
  readonly next: number;
  /** 0 to 1, for a pulse; constant for who prefers less motion. */
  readonly pulse: number;
}

export function drawPlatform(pen: Pen, camera: Camera, edge: Edge, palette: Palette): void {
  if (edge.radius <= 0) return;
  drawWall(pen, camera, edge.radius, palette);
  onFloor(pen, camera, () => {
    drawTop(pen, edge.radius, palette);
    drawRings(pen, camera, edge, palette);
    if (edge.next < edge.radius) drawWarning(pen, camera, edge, palette);
    else circle(pen, edge.radius, palette.rim, 2.5 / camera.scale);
  });
}

/** Draws in metres on the floor: a circle there is an ellipse on the screen. */
export function onFloor(pen: Pen, camera: Camera, draw: () => void): void {
  pen.save();
  pen.translate(screenX(camera, 0), screenY(camera, 0));
  pen.scale(camera.scale, camera.scale * TILT);
  draw();
  pen.restore();
}

/** The side, lost in the depth. It fades along the rim, not straight across. */
function drawWall(pen: Pen, camera: Camera, radius: number, palette: Palette): void {
  onFloor(pen, camera, () => {
    const depth = (DEPTH * RISE) / TILT;
    // Between two circles of one size every line of one colour is that circle, moved.
    const fade = pen.createRadialGradient(0, depth, radius, 0, 0, radius);
    fade.addColorStop(0, palette.wall.gone);
    fade.addColorStop(0.55, palette.wall.dark);
    fade.addColorStop(1, palette.wall.light);
    pen.fillStyle = fade;
    pen.beginPath();
    pen.moveTo(-radius, 0);
    pen.lineTo(-radius, depth);
    pen.arc(0, depth, radius, Math.PI, 0, true);
    pen.lineTo(radius, 0);
    pen.arc(0, 0, radius, 0, Math.PI);
    pen.closePath();
    pen.fill();
  });
}

function drawTop(pen: Pen, radius: number, palette: Palette): void {
  const light = pen.createRadialGradient(-radius * 0.3, -radius * 0.45, 0, 0, 0, radius * 1.15);
  light.addColorStop(0, palette.platform.light);
  light.addColorStop(1, palette.platform.dark);
  pen.fillStyle = light;
  pen.beginPath();
  pen.arc(0, 0, radius, 0, 2 * Math.PI);
  pen.fill();
}

/** Every two metres a ring, so that speed and shrinking can be judged. */
function drawRings(pen: Pen, camera: Camera, { radius }: Edge, palette: Palette): void {
  const width = 1.5 / camera.scale;
  for (let ring = 2; ring < radius - 0.1; ring += 2) circle(pen, ring, palette.ring, width);
  pen.beginPath();
  for (let spoke = 0; spoke < 12; spoke++) {
    const x = Math.cos((spoke * Math.PI) / 6);
    const y = Math.sin((spoke * Math.PI) / 6);
    const from = Math.min(radius, 2);
    pen.moveTo(x * from, y * from);
    pen.lineTo(x * radius, y * radius);
  }
  pen.globalAlpha = 0.5;
  pen.stroke();
  pen.globalAlpha = 1;
  pen.fillStyle = palette.ring;
  pen.beginPath();
  pen.arc(0, 0, Math.min(radius, 0.5), 0, 2 * Math.PI);
  pen.fill();
}

function drawWarning(pen: Pen, camera: Camera, edge: Edge, palette: Palette): void {
  const { radius, next, pulse } = edge;
  const width = radius - next;
  const middle = (radius + next) / 2;
  pen.globalAlpha = 0.2 + 0.16 * pulse;
  circle(pen, middle, palette.warning, width);
  // Hazard dashes whose number does not change, so that they slide inwards with the edge.
  const dash = (2 * Math.PI * middle) / 96;
  pen.setLineDash([dash, dash]);
  pen.globalAlpha = 0.32 + 0.22 * pulse;
  circle(pen, middle, palette.warning, width);
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  circle(pen, radius, palette.warning, 3 / camera.scale);
}

function circle(pen: Pen, radius: number, colour: string, width: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  pen.arc(0, 0, radius, 0, 2 * Math.PI);
  pen.stroke();
}

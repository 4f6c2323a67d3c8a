import type { RoundTrip } from './round-trips.ts';

/** Of one ping, and the gap after it, CSS px. */
const BAR = 4;
const GAP = 2;
/** The scale's top is one of these, ms, so that it does not breathe with every ping. */
const TOPS = [5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];

/** Draws the newest pings as bars, the last at the right. Colours are the page's own. */
export function drawTrips(canvas: HTMLCanvasElement, trips: readonly RoundTrip[]): void {
  const pen = canvas.getContext('2d');
  if (!pen) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const density = devicePixelRatio;
  const size = [Math.round(width * density), Math.round(height * density)] as const;
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    [canvas.width, canvas.height] = size;
  }
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name);
  const shown = trips.slice(-Math.floor(width / (BAR + GAP)));
  const most = Math.max(1, ...shown.map(({ ms }) => ms));
  const top = TOPS.find((one) => one >= most) ?? most;
  drawScale(pen, width, height, top, colour('--line'), colour('--muted'));
  shown.forEach(({ ms, busy }, i) => {
    const x = width - (shown.length - i) * (BAR + GAP);
    const tall = Math.max(2, (ms / top) * (height - 18));
    pen.fillStyle = colour(busy ? '--accent' : '--quiet');
    pen.beginPath();
    pen.roundRect(x, height - tall, BAR, tall, [2, 2, 0, 0]);
    pen.fill();
  });
}

function drawScale(
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
  top: number,
  line: string,
  text: string,
): void {
  pen.strokeStyle = line;
  pen.fillStyle = text;
  pen.font = '11px sans-serif';
  pen.lineWidth = 1;
  for (const share of [0.5, 1]) {
    const y = Math.round(height - share * (height - 18)) + 0.5;
    pen.beginPath();
    pen.moveTo(0, y);
    pen.lineTo(width, y);
    pen.stroke();
    pen.fillText(`${top * share} ms`, 2, y - 4);
  }
}

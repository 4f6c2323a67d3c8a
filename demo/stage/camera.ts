/** Height of a circle on the floor over its width: seen from 53 degrees above. */
export const TILT = 0.8;
/** Height on the screen of a metre straight up, over a metre on the floor. */
export const RISE = 0.6;
/** Around the platform, m: discs at the edge, and their names, stay in view. */
const MARGIN = 1.1;
/** A disc narrower than 2 x 0.5 m at this scale could not be read: px per m. */
const LEAST_SCALE = 25;
/** From this share of the radius on, the nearest edge is in view with its margin. */
const PANNED_AT = 0.6;

/** Where the picture is taken from. Floor in metres, screen in CSS px. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  /** px per m. */
  readonly scale: number;
  /** Of the point that is looked at, on the screen. */
  readonly centreX: number;
  readonly centreY: number;
}

export interface Room {
  readonly width: number;
  readonly height: number;
  /** Kept free of the platform, px. */
  readonly top: number;
  readonly bottom: number;
}

/**
 * The camera that shows a platform best: all of it where it fits, else so much that discs can be read,
 * panned towards `focus`, so that it and, when it comes nearer, the next edge are in view. Who only watches has
 * no focus, and sees all of it, however small.
 * @param radius of the platform now, `startRadius` at the beginning, m
 */
export function aim(
  room: Room,
  radius: number,
  startRadius: number,
  focus: { readonly x: number; readonly y: number } | undefined,
): Camera {
  // Half of the shrinking shows as shrinking, half is given back as size.
  const shown = Math.max(3.2, (radius + startRadius) / 2) + MARGIN;
  const height = Math.max(80, room.height - room.top - room.bottom);
  const fit = Math.min(room.width / (2 * shown), height / (2 * shown * TILT + RISE));
  const least = focus ? Math.min(LEAST_SCALE, height / (2 * 3 * TILT)) : 0;
  const scale = Math.max(fit, least);
  const pan = (length: number, towards: number): number => {
    const hidden = radius + MARGIN - length / 2;
    if (hidden <= 0 || radius <= 0) return 0;
    return hidden * Math.max(-1, Math.min(1, towards / (radius * PANNED_AT)));
  };
  return {
    x: pan(room.width / scale, focus?.x ?? 0),
    y: pan(height / scale / TILT, focus?.y ?? 0),
    scale,
    centreX: room.width / 2,
    centreY: room.top + height / 2,
  };
}

/** A camera on its way from one to another. @param share 0 to 1 */
export function approach(from: Camera, to: Camera, share: number): Camera {
  const mix = (a: number, b: number): number => a + (b - a) * share;
  return {
    x: mix(from.x, to.x),
    y: mix(from.y, to.y),
    scale: mix(from.scale, to.scale),
    centreX: mix(from.centreX, to.centreX),
    centreY: mix(from.centreY, to.centreY),
  };
}

export function screenX(camera: Camera, x: number): number {
  return camera.centreX + (x - camera.x) * camera.scale;
}

/** @param z height above the platform, m */
export function screenY(camera: Camera, y: number, z = 0): number {
  return camera.centreY + ((y - camera.y) * TILT - z * RISE) * camera.scale;
}

/** The one place of colours that are drawn; the style sheet has those of the page around it. */

export interface Palette {
  readonly platform: { readonly light: string; readonly dark: string };
  /** Of the platform, seen from the front; fades into the depth. */
  readonly wall: { readonly light: string; readonly dark: string; readonly gone: string };
  readonly ring: string;
  /** What holds: the platform's rim. What does not: the part that goes next. */
  readonly rim: string;
  readonly warning: string;
  readonly shadow: string;
  readonly text: string;
  /** Behind text, so that it reads on everything. */
  readonly halo: string;
  /** Marks the disc of this page's player. */
  readonly own: string;
  readonly flash: string;
}

export const DARK: Palette = {
  platform: { light: '#36435a', dark: '#222b3b' },
  wall: { light: '#2b374b', dark: '#151c2899', gone: '#10161f00' },
  ring: 'rgba(190, 210, 240, 0.10)',
  rim: '#7f93b4',
  warning: '#ff7043',
  shadow: 'rgba(4, 7, 12, 0.42)',
  text: '#f2f6fc',
  halo: 'rgba(14, 19, 28, 0.82)',
  own: '#ffffff',
  flash: '#fff6e0',
};

export const LIGHT: Palette = {
  platform: { light: '#ffffff', dark: '#eef2f7' },
  wall: { light: '#b4c0d1', dark: '#c3cddb99', gone: '#d5dde800' },
  ring: 'rgba(40, 62, 98, 0.10)',
  rim: '#8b9bb3',
  warning: '#e2491d',
  shadow: 'rgba(34, 48, 74, 0.22)',
  text: '#172030',
  halo: 'rgba(255, 255, 255, 0.88)',
  own: '#172030',
  flash: '#ff9d4d',
};

export interface Livery {
  readonly fill: string;
  /** The disc's side. */
  readonly side: string;
  /** A lighter rim on top. */
  readonly rim: string;
  /** Of the emblem on it. */
  readonly mark: string;
  /** The emblem as an SVG path, within -1 to 1. */
  readonly emblem: string;
}

const WHITE = '#ffffff';
const INK = '#16202f';

/**
 * By slot. Neighbours differ in lightness as well as in hue, and each has an emblem of its own: who
 * sees no colours tells them apart all the same.
 */
const LIVERIES: readonly Livery[] = [
  livery('#f0524f', WHITE, 'M0-1 .95 .72H-.95Z'),
  livery('#2f87e6', WHITE, 'M-.78-.78H.78V.78H-.78Z'),
  livery('#f7b718', INK, 'M0-.92A.92.92 0 1 1 0 .92 .92.92 0 1 1 0-.92Z'),
  livery('#159a6c', WHITE, 'M-.34-1H.34V-.34H1V.34H.34V1H-.34V.34H-1V-.34H-.34Z'),
  livery('#8a5cf0', WHITE, 'M0-1.1 1.02 0 0 1.1-1.02 0Z'),
  livery('#3fcbdc', INK, 'M0-1.1.28-.36 1.06-.34.45.15.66.9 0 .46-.66.9-.45.15-1.06-.34-.28-.36Z'),
  livery('#f08ac6', INK, 'M-.95-.8H.95V-.2H-.95ZM-.95.2H.95V.8H-.95Z'),
  livery('#77839a', WHITE, 'M.42-.98A1 1 0 1 0 .42.98 1.15 1.15 0 0 1 .42-.98Z'),
];

export function liveryOf(slot: number): Livery {
  return LIVERIES[slot % LIVERIES.length] as Livery;
}

function livery(fill: string, mark: string, emblem: string): Livery {
  return { fill, mark, emblem, side: mixed(fill, '#0b1220', 0.38), rim: mixed(fill, WHITE, 0.45) };
}

/** @param share of `other`, 0 to 1. Both colours as #rrggbb. */
function mixed(colour: string, other: string, share: number): string {
  const part = (text: string, at: number): number => Number.parseInt(text.slice(at, at + 2), 16);
  const parts = [1, 3, 5].map((at) =>
    Math.round(part(colour, at) * (1 - share) + part(other, at) * share),
  );
  return `#${parts.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

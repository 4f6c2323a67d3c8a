import { liveryOf } from '../stage/palette.ts';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * A slot's disc as a small picture: its colour with its emblem. Decoration beside a name.
 * @param bare the emblem alone, on a ground that has the colour already
 */
export function emblem(slot: number, bare = false): SVGSVGElement {
  const { fill, rim, mark, emblem: path } = liveryOf(slot);
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '-12 -12 24 24');
  svg.setAttribute('class', 'emblem');
  svg.setAttribute('aria-hidden', 'true');
  const disc = document.createElementNS(SVG, 'circle');
  disc.setAttribute('r', '10.5');
  disc.setAttribute('fill', fill);
  disc.setAttribute('stroke', rim);
  disc.setAttribute('stroke-width', '1.5');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  shape.setAttribute('fill', mark);
  shape.setAttribute('transform', `scale(${bare ? 7 : 5})`);
  svg.append(...(bare ? [] : [disc]), shape);
  return svg;
}

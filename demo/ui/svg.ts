const SVG = 'http://www.w3.org/2000/svg';

/** An SVG element. Numbers are written with one digit after the point. */
export function draw(
  tag: string,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: (Node | string)[]
): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(
      name,
      typeof value === 'number' ? String(Math.round(value * 10) / 10) : value,
    );
  }
  node.append(...children);
  return node;
}

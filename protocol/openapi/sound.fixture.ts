import type { Document } from './index.ts';

/** @returns what OpenAPI 3.1 forbids, and references that lead nowhere, as far as our documents could have it */
export function faultsOf(document: Document): string[] {
  const { paths, components } = document;
  const faults: string[] = [];
  const ids = new Set<string>();
  const shapes = new Set<string>();
  for (const [path, methods] of Object.entries(paths)) {
    const shape = path.replace(/\{\w+\}/g, '{}');
    if (shapes.has(shape)) faults.push(`${path}: differs from another path by names alone`);
    shapes.add(shape);
    const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name).toSorted();
    for (const [method, operation] of Object.entries(methods)) {
      const at = `${method} ${path}`;
      const { operationId, responses, parameters = [], tags } = operation;
      if (ids.has(operationId)) faults.push(`${at}: ${operationId} is another's id, too`);
      ids.add(operationId);
      const named = parameters.flatMap((one) => (one.in === 'path' ? [one.name] : []));
      if (named.toSorted().join() !== inPath.join()) faults.push(`${at}: path parameters`);
      if (parameters.some((one) => one.in === 'path' && !one.required))
        faults.push(`${at}: optional path parameter`);
      const codes = Object.keys(responses);
      if (!codes.some((code) => code.startsWith('2'))) faults.push(`${at}: never goes well`);
      if (!codes.every((code) => /^[2-5]\d\d$/.test(code))) faults.push(`${at}: ${codes.join()}`);
      if (!tags.every((tag) => document.tags.some(({ name }) => name === tag)))
        faults.push(`${at}: a tag that is not declared`);
      if (method === 'get' && operation.requestBody !== undefined) faults.push(`${at}: body`);
    }
  }
  for (const [, name = ''] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    const schema = /^#\/components\/schemas\/(\w+)$/.exec(name)?.[1];
    if (schema === undefined || components.schemas[schema] === undefined)
      faults.push(`${name} leads nowhere`);
  }
  return faults;
}

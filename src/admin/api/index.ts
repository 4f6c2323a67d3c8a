import type { Endpoint } from './endpoint.ts';

/** Every call of the operator's API: one list per feature. */
export function operatorApi(): readonly Endpoint[] {
  return [];
}

export { mount } from './endpoint.ts';

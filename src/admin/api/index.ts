import { planEndpoints, type PlanParts } from '../plan/endpoints.ts';
import type { Endpoint } from './endpoint.ts';

/** What each feature's calls are answered from. */
export interface ApiParts {
  readonly plan: PlanParts;
}

/** Every call of the operator's API: one list per feature. */
export function operatorApi(parts: ApiParts): readonly Endpoint[] {
  return [...planEndpoints(parts.plan)];
}

export { mount } from './endpoint.ts';

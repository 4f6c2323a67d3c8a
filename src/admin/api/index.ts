import { planEndpoints, type PlanParts } from '../plan/endpoints.ts';
import type { Watched } from '../reading.ts';
import type { Endpoint } from './endpoint.ts';
import { historyEndpoints } from './history.ts';
import { queueEndpoints } from './queues.ts';

/** What the features of the operator's API work with. */
export interface ApiParts {
  readonly gateway: Watched;
  readonly plan: PlanParts;
}

/** Every call of the operator's API: one list per feature. */
export function operatorApi({ gateway, plan }: ApiParts): readonly Endpoint[] {
  return [...queueEndpoints(gateway), ...historyEndpoints(gateway.history), ...planEndpoints(plan)];
}

export { mount } from './endpoint.ts';

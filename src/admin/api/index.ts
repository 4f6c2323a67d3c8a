import type { Lab } from '../../lab/lab.ts';
import { planEndpoints, type PlanParts } from '../plan/endpoints.ts';
import type { Watched } from '../reading.ts';
import type { Endpoint } from './endpoint.ts';
import { historyEndpoints } from './history.ts';
import { labApi } from './lab.ts';
import { queueEndpoints } from './queues.ts';

/** What the features of the operator's API work with. */
export interface ApiParts {
  readonly gateway: Watched;
  readonly plan: PlanParts;
  /** Absent: this gateway has none. */
  readonly lab?: Lab | undefined;
}

/** Every call of the operator's API: one list per feature. */
export function operatorApi({ gateway, plan, lab }: ApiParts): readonly Endpoint[] {
  return [
    ...queueEndpoints(gateway),
    ...historyEndpoints(gateway.history),
    ...planEndpoints(plan),
    ...(lab === undefined ? [] : labApi(lab)),
  ];
}

export { mount } from './endpoint.ts';

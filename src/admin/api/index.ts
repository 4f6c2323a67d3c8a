import type { Lab } from '../../lab/lab.ts';
import type { Endpoint } from './endpoint.ts';
import { labApi } from './lab.ts';

/** What the calls are about. A part that is not there has none. */
export interface OperatorParts {
  readonly lab?: Lab | undefined;
}

/** Every call of the operator's API: one list per feature. */
export function operatorApi({ lab }: OperatorParts): readonly Endpoint[] {
  return [...(lab === undefined ? [] : labApi(lab))];
}

export { mount } from './endpoint.ts';

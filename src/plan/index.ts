export { advice, advise, type Advice } from './advice.ts';
export { capacity, capacityOf, type Capacity } from './capacity.ts';
export {
  efficiency,
  efficiencyOf,
  SAMPLES_NEEDED,
  SPAN_NEEDED_MS,
  type Efficiency,
  type Sample,
} from './efficiency.ts';
export { amount, type Figure } from './figure.ts';
export {
  assumptions,
  capacityInput,
  jobFigures,
  laneName,
  machine,
  planInput,
  price,
  type CapacityInput,
  type Machine,
  type PlanInput,
} from './input.ts';
export {
  figuresOf,
  measure,
  measuredJob,
  type MeasuredJob,
  type MeasuredJobs,
  type Run,
} from './measured.ts';
export { Samples } from './samples.ts';

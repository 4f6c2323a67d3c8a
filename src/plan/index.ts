export { advice, advise, type Advice } from './advice.ts';
export { capacity, capacityOf, type Capacity } from './capacity.ts';
export {
  efficiency,
  efficiencyOf,
  SAMPLES_NEEDED,
  SPAN_NEEDED_MS,
  type Efficiency,
  type EfficiencyOptions,
  type Sample,
} from './efficiency.ts';
export { amount, type Figure } from './figure.ts';
export {
  assumptions,
  capacityFields,
  capacityInput,
  jobFigures,
  laneName,
  machine,
  planInput,
  price,
  type CapacityInput,
  type JobFigures,
  type Machine,
  type PlanInput,
} from './input.ts';
export {
  figuresOf,
  measure,
  measuredJob,
  type MeasuredJob,
  type MeasuredJobs,
  type MeasuredLane,
  type Run,
} from './measured.ts';
export { Samples } from './samples.ts';

import type { Game, MatchResult } from '../contract.ts';
import { isInstanceDamaged, prepareDeeds } from './deeds.ts';
import {
  type DrillInput,
  type DrillOptions,
  inputSchema,
  MAX_SLOTS,
  optionsSchema,
  TICK_RATE,
} from './rules.ts';
import { DrillSimulation } from './simulation.ts';
import { type DrillView, toVector } from './view.ts';

/**
 * A game for rehearsing failure: next to nothing to simulate, and a match of it misbehaves by an input or an option.
 * Its matches are played only where DRILLS is on.
 */
export const drill: Game<DrillOptions, DrillInput, DrillView, MatchResult> = {
  name: 'drill',
  version: '1',
  tickRate: TICK_RATE,
  seats: { min: 1, max: MAX_SLOTS },
  inputSchema,
  optionsSchema,
  prepare: prepareDeeds,
  maxTicks: ({ ticks }) => ticks,
  create: (seed, seats, options) => DrillSimulation.create(seed, seats, options),
  load: (save) => DrillSimulation.load(save),
  vector: toVector,
  fromControls: ({ x, y, buttons }) => ({ x, y, deeds: buttons }),
  isDamaged: isInstanceDamaged,
};

export {
  type Deed,
  deedBits,
  defaultOptions,
  type DrillInput,
  type DrillOptions,
} from './rules.ts';
export { type DrillSlotView, type DrillView, fromVector, toVector } from './view.ts';

import type { Game, MatchResult } from '../contract.ts';
import { isPhysicsDamaged, preparePhysics } from './physics.ts';
import { createMatch } from './position.ts';
import {
  inputSchema,
  type KnockoutInput,
  type KnockoutOptions,
  MAX_DISCS,
  optionsSchema,
  TICK_RATE,
} from './rules.ts';
import { KnockoutSimulation } from './simulation.ts';
import { toVector } from './vector.ts';
import type { KnockoutView } from './view.ts';

/** Bit of `buttons`. */
const DASH_BUTTON = 1;

/**
 * Up to 8 discs on a round platform that shrinks to nothing; whoever's centre leaves it is out.
 * A bot is part of the simulation: a slot whose seat is a bot needs no inputs.
 */
export const knockout: Game<KnockoutOptions, KnockoutInput, KnockoutView, MatchResult> = {
  name: 'knockout',
  version: '2',
  tickRate: TICK_RATE,
  seats: { min: 2, max: MAX_DISCS },
  inputSchema,
  optionsSchema,
  prepare: preparePhysics,
  stepLimitMs: 150,
  maxTicks: (options) => options.endTicks,
  create: createMatch,
  load: (save) => KnockoutSimulation.load(save),
  vector: toVector,
  fromControls: ({ x, y, buttons }) => ({ x, y, dash: (buttons & DASH_BUTTON) !== 0 }),
  isDamaged: isPhysicsDamaged,
};

export { type DiscPosition, type KnockoutPosition, positionOf } from './moment.ts';
export { createFromPosition } from './position.ts';
export {
  BOT_LEVELS,
  defaultOptions,
  type KnockoutInput,
  type KnockoutOptions,
  radiusAt,
} from './rules.ts';
export { KnockoutSimulation } from './simulation.ts';
export { fromVector, toVector } from './vector.ts';
export { type DiscView, type KnockoutView, LENGTH_STEPS, SPEED_STEPS } from './view.ts';

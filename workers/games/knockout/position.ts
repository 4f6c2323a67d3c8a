import type { Seat } from '../contract.ts';
import { Random } from '../random.ts';
import { type Disc, newDisc } from './disc.ts';
import type { KnockoutPosition } from './moment.ts';
import { Physics } from './physics.ts';
import { defaultOptions, type KnockoutOptions, MAX_DISCS } from './rules.ts';
import { KnockoutSimulation } from './simulation.ts';

/**
 * A match that goes on from a position, bots steering everybody. What a position does not say
 * (dash cooldowns, who touched whom, the order of those who fell) starts fresh: those who are down
 * share the place after the last one standing.
 * @throws RangeError when nobody is alive, or there are too many discs
 */
export function createFromPosition(
  position: KnockoutPosition,
  seed: number,
  options: KnockoutOptions = defaultOptions,
): KnockoutSimulation {
  const alive = position.discs.filter((disc) => disc.alive).length;
  if (alive === 0) throw new RangeError('a position needs a disc that is alive');
  if (position.discs.length > MAX_DISCS) throw new RangeError(`more than ${MAX_DISCS} discs`);
  const discs = position.discs.map((disc) => ({
    ...newDisc(disc.x, disc.y, { kind: 'bot', level: disc.level }),
    vx: disc.alive ? disc.vx : 0,
    vy: disc.alive ? disc.vy : 0,
    place: disc.alive ? 0 : alive + 1,
  }));
  return start(discs, new Random(seed), options, position.tick);
}

/** The first moment of a match: discs at rest on a circle, turned and dealt by the seed. */
export function createMatch(
  seed: number,
  seats: readonly Seat[],
  options: KnockoutOptions,
): KnockoutSimulation {
  if (seats.length < 2 || seats.length > MAX_DISCS) {
    throw new RangeError(`Knockout takes 2 to ${MAX_DISCS} discs, not ${seats.length}`);
  }
  const random = new Random(seed);
  const places = circle(seats.length, options.startRadius * 0.7, random);
  const discs = seats.map((seat) => {
    const [place] = places.splice(random.below(places.length), 1);
    return newDisc(place?.x ?? 0, place?.y ?? 0, seat);
  });
  return start(discs, random, options, 0);
}

function start(
  discs: Disc[],
  random: Random,
  options: KnockoutOptions,
  tick: number,
): KnockoutSimulation {
  const physics = Physics.create(discs, options);
  // Positions become the 32-bit values that the world holds.
  discs.forEach((disc, slot) => physics.read(slot, disc));
  const state = { tick, endedAt: 0, options, random, discs };
  const simulation = new KnockoutSimulation(state, physics);
  simulation.settle();
  return simulation;
}

/** cos(2π/n) for n = 0 to 8: the functions themselves are not exact on every engine. */
const COSINES = [1, 1, -1, -0.5, 0, 0.30901699437494745, 0.5, 0.6234898018587336, Math.SQRT1_2];

/** n points evenly on a circle, from a random one on. */
function circle(n: number, radius: number, random: Random): { x: number; y: number }[] {
  const cos = COSINES[n] ?? 1;
  const sin = Math.sqrt(1 - cos * cos);
  let { x, y } = direction(random);
  return Array.from({ length: n }, () => {
    const point = { x: x * radius, y: y * radius };
    [x, y] = [x * cos - y * sin, x * sin + y * cos];
    return point;
  });
}

/** A random unit vector: a point in the unit disc, drawn until it is not too near the middle. */
function direction(random: Random): { x: number; y: number } {
  for (;;) {
    const x = random.signed();
    const y = random.signed();
    const size = Math.sqrt(x * x + y * y);
    if (size > 0.1 && size <= 1) return { x: x / size, y: y / size };
  }
}

import type { Random } from '../random.ts';
import type { Disc } from './disc.ts';
import { DISC_RADIUS } from './rules.ts';

interface Skill {
  /** Ticks between decisions. */
  readonly reaction: number;
  /** How far it pushes the stick when it attacks, 0 to 1; to save itself every bot pushes it fully. */
  readonly throttle: number;
  /** Random part of the steering, 0 to 1. */
  readonly noise: number;
  /** How far ahead it looks at its own motion, s. */
  readonly foresight: number;
  /** Distance to the edge at which it turns back, m. */
  readonly caution: number;
  /** How well a charge must point at the edge behind the victim before it dashes, as a cosine. */
  readonly aim: number;
  /** Steps aside when somebody charges from within. */
  readonly dodges: boolean;
}

/** By level, weakest first. */
const SKILLS: readonly Skill[] = [
  { reaction: 9, throttle: 0.5, noise: 0.5, foresight: 0.9, caution: 2.2, aim: 0.3, dodges: false },
  { reaction: 7, throttle: 0.65, noise: 0.35, foresight: 0.8, caution: 2, aim: 0.5, dodges: false },
  { reaction: 5, throttle: 0.8, noise: 0.2, foresight: 0.7, caution: 1.9, aim: 0.65, dodges: true },
  { reaction: 3, throttle: 1, noise: 0.08, foresight: 0.65, caution: 1.9, aim: 0.8, dodges: true },
];

/** Beyond this a dash is spent before it arrives, m. */
const DASH_REACH = 3.2;
/** A bot keeps its victim unless another one is this much nearer, m. */
const LOYALTY = 1;

/**
 * Lets the bot of a slot decide: sets its steering, dash, target and the ticks to its next decision.
 * Sees what players see, and steers as they do. `radius`: of the platform, m.
 */
export function think(slot: number, discs: readonly Disc[], radius: number, random: Random): void {
  const me = discs[slot];
  const skill = SKILLS[me?.level ?? -1];
  if (!me || !skill) return;
  me.thinkIn = skill.reaction;
  me.target = pickTarget(slot, me, discs);
  const victim = discs[me.target];
  const urge = saveItself(me, skill, radius) ?? dodge(slot, me, skill, discs, radius);
  if (urge) steer(me, urge, 1, skill, random);
  else if (victim) steer(me, attack(me, victim, skill), skill.throttle, skill, random);
}

/** A direction of any length, and whether to dash along it. */
interface Urge {
  x: number;
  y: number;
  dash: boolean;
}

function saveItself(me: Disc, skill: Skill, radius: number): Urge | undefined {
  const x = me.x + me.vx * skill.foresight;
  const y = me.y + me.vy * skill.foresight;
  const room = radius - length(x, y);
  // On a small platform there is no room for caution: it would freeze everybody in the middle.
  if (room > Math.min(skill.caution, radius * 0.45)) return undefined;
  const lost = room < 0 && me.x * me.vx + me.y * me.vy > 0;
  // Towards the middle and against its own motion.
  return { x: -x - me.vx * 0.5, y: -y - me.vy * 0.5, dash: lost && skill.dodges };
}

function dodge(
  slot: number,
  me: Disc,
  skill: Skill,
  discs: readonly Disc[],
  radius: number,
): Urge | undefined {
  if (!skill.dodges || radius - length(me.x, me.y) > radius * 0.4) return undefined;
  for (let other = 0; other < discs.length; other++) {
    const foe = discs[other];
    if (!foe || foe.place !== 0 || other === slot) continue;
    const x = me.x - foe.x;
    const y = me.y - foe.y;
    const distance = length(x, y);
    const closing = ((foe.vx - me.vx) * x + (foe.vy - me.vy) * y) / (distance || 1);
    const outward = x * me.x + y * me.y > 0;
    if (distance > 3 || closing < 3 || !outward) continue;
    // Across the line of the charge, on the side of the middle.
    const side = -y * me.x + x * me.y > 0 ? -1 : 1;
    return { x: -y * side - me.x * 0.3, y: x * side - me.y * 0.3, dash: false };
  }
  return undefined;
}

/** The nearest disc, those near the edge seeming nearer; the present target with a bonus. */
function pickTarget(slot: number, me: Disc, discs: readonly Disc[]): number {
  let best = -1;
  let least = Infinity;
  for (let other = 0; other < discs.length; other++) {
    const disc = discs[other];
    if (!disc || disc.place !== 0 || other === slot) continue;
    const cost =
      length(disc.x - me.x, disc.y - me.y) -
      length(disc.x, disc.y) * 0.4 -
      (other === me.target ? LOYALTY : 0);
    if (cost < least) {
      least = cost;
      best = other;
    }
  }
  return best;
}

/** Gets between the victim and the middle, then charges outwards. */
function attack(me: Disc, victim: Disc, skill: Skill): Urge {
  const far = length(victim.x - me.x, victim.y - me.y);
  const lead = Math.min(far * 0.1, 0.5);
  const x = victim.x + victim.vx * lead;
  const y = victim.y + victim.vy * lead;
  const dx = x - me.x;
  const dy = y - me.y;
  const distance = length(dx, dy) || 1;
  const out = length(x, y) || 1;
  const aim = (dx * x + dy * y) / (distance * out);
  if (aim > skill.aim) return { x: dx, y: dy, dash: distance < DASH_REACH };
  const behind = DISC_RADIUS * 2 + 0.8;
  return { x: dx - (x / out) * behind, y: dy - (y / out) * behind, dash: false };
}

/** Turns an urge into what a stick can say, less exactly for weaker bots. */
function steer(me: Disc, urge: Urge, throttle: number, skill: Skill, random: Random): void {
  const size = length(urge.x, urge.y) || 1;
  const x = urge.x / size + random.signed() * skill.noise;
  const y = urge.y / size + random.signed() * skill.noise;
  const scale = (127 * throttle) / (length(x, y) || 1);
  me.steerX = Math.round(x * scale);
  me.steerY = Math.round(y * scale);
  me.dash = urge.dash && me.dashIn === 0;
}

function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

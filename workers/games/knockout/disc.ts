import type { Seat } from '../contract.ts';
import { BOT_LEVELS } from './rules.ts';

/** One disc's state. Metres and m/s; position and velocity are the 32-bit values that Rapier holds. */
export interface Disc {
  x: number;
  y: number;
  vx: number;
  vy: number;
  /** 0 on the platform, afterwards the placement. */
  place: number;
  knockouts: number;
  /** Held until it changes, -127 to 127. */
  steerX: number;
  steerY: number;
  /** For the next step only. */
  dash: boolean;
  /** Ticks until the next dash is possible. */
  dashIn: number;
  /** Slot that touched this disc last, or -1, and the tick when it did. */
  touchedBy: number;
  touchedAt: number;
  /** Level of the bot that steers, or -1: a player does. */
  level: number;
  /** Ticks until the bot decides again. */
  thinkIn: number;
  /** Slot that the bot is after, or -1. */
  target: number;
}

export function newDisc(x: number, y: number, seat: Seat): Disc {
  return {
    x,
    y,
    vx: 0,
    vy: 0,
    place: 0,
    knockouts: 0,
    steerX: 0,
    steerY: 0,
    dash: false,
    dashIn: 0,
    touchedBy: -1,
    touchedAt: 0,
    level: levelOf(seat),
    thinkIn: 0,
    target: -1,
  };
}

/** What `Disc.level` says of a seat. @throws RangeError when Knockout has no such level */
export function levelOf(seat: Seat): number {
  if (seat.kind === 'player') return -1;
  if (Number.isInteger(seat.level) && seat.level >= 0 && seat.level < BOT_LEVELS) return seat.level;
  throw new RangeError(`a bot's level is 0 to ${BOT_LEVELS - 1}, not ${seat.level}`);
}

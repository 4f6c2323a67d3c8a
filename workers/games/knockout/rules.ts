import * as z from 'zod';

export const TICK_RATE = 30;
export const MAX_DISCS = 8;
/** Bots steer with skill 0 (badly) to 3. */
export const BOT_LEVELS = 4;

/** Metres. Every disc has this radius and a mass of 1 kg, so impulses in Ns are changes of speed in m/s. */
export const DISC_RADIUS = 0.5;

/** A fall is credited to whoever touched the disc last, within this many ticks. */
export const CREDIT_TICKS = 3 * TICK_RATE;

export const POINTS_PER_PLACE = 100;
export const POINTS_PER_KNOCKOUT = 50;

/** Where the stick points, and whether to dash. A vector longer than 127 counts as 127. */
export const inputSchema = z.strictObject({
  x: z.int().min(-127).max(127),
  y: z.int().min(-127).max(127),
  dash: z.boolean(),
});
export type KnockoutInput = z.output<typeof inputSchema>;

/** What a sweep of balance may turn. Metres, m/s, ticks of 1/30 s. */
export const optionsSchema = z
  .strictObject({
    /** Platform radius at the start. */
    startRadius: z.number().min(4).max(40).default(10),
    /** Nobody moves before this: whoever comes has a moment to find their disc. */
    readyTicks: z.int().min(0).max(300).default(0),
    /** The platform keeps its size until here, then shrinks evenly. */
    holdTicks: z.int().min(0).max(2_700).default(150),
    /** The platform is gone: 60 to 90 s in a match worth playing. */
    endTicks: z.int().min(1).max(2_700).default(2_640),
    /** Of a disc at full stick, m/s². */
    acceleration: z.number().min(1).max(50).default(8),
    /** Share of its speed that a disc loses per second, about. */
    damping: z.number().min(0).max(5).default(0.8),
    /** 0: pushes only. 1: a hit hands over all speed. */
    restitution: z.number().min(0).max(1).default(0.9),
    /** Speed a dash adds, m/s. */
    dashSpeed: z.number().min(0).max(20).default(6),
    dashCooldownTicks: z.int().min(1).max(255).default(60),
  })
  .refine((o) => o.holdTicks < o.endTicks, 'holdTicks must be below endTicks')
  .refine((o) => o.readyTicks <= o.holdTicks, 'readyTicks must not be above holdTicks');
export type KnockoutOptions = z.output<typeof optionsSchema>;

export const defaultOptions: KnockoutOptions = Object.freeze(optionsSchema.parse({}));

/** The numbers of KnockoutOptions in the order of a save. */
export const optionKeys = [
  'startRadius',
  'readyTicks',
  'holdTicks',
  'endTicks',
  'acceleration',
  'damping',
  'restitution',
  'dashSpeed',
  'dashCooldownTicks',
] as const satisfies readonly (keyof KnockoutOptions)[];

/** Platform radius in metres after a number of ticks. */
export function radiusAt(tick: number, options: KnockoutOptions): number {
  const { startRadius, holdTicks, endTicks } = options;
  if (tick <= holdTicks) return startRadius;
  if (tick >= endTicks) return 0;
  return (startRadius * (endTicks - tick)) / (endTicks - holdTicks);
}

import type { BalancePoint, Sweepable } from '../../protocol/index.ts';

/** One figure of a point, as people read it. */
export interface Measure {
  readonly says: string;
  readonly of: (point: BalancePoint) => number;
  /** Its standard error; undefined where the point does not tell it. */
  readonly error: (point: BalancePoint) => number | undefined;
  /** @returns the figure with its unit, and its error between them where one is given */
  readonly write: (value: number, error?: number) => string;
  /** The highest that it can be; the lowest is 0. */
  readonly most: number;
  /** What is closer together than this is written alike. */
  readonly least: number;
}

export type MeasureName = 'seconds' | 'knockouts' | 'bestWins' | 'drawn';

export const measures: Readonly<Record<MeasureName, Measure>> = {
  seconds: {
    says: 'Length',
    of: ({ seconds }) => seconds,
    // One match deviates from nothing.
    error: ({ secondsError, matches }) => (matches < 2 ? undefined : secondsError),
    write: (value, error) => written(value, error, 1, ' s'),
    most: Infinity,
    least: 0.1,
  },
  knockouts: {
    says: 'Knockouts',
    of: ({ knockouts }) => knockouts,
    error: () => undefined,
    write: (value, error) => written(value, error, 2, ''),
    most: Infinity,
    least: 0.01,
  },
  bestWins: {
    says: 'Best bot wins',
    of: ({ bestWins }) => bestWins,
    error: (point) => errorOfShare(point.bestWins, point.matches),
    write: percent,
    most: 1,
    least: 0.001,
  },
  drawn: {
    says: 'Drawn',
    of: ({ drawn }) => drawn,
    error: (point) => errorOfShare(point.drawn, point.matches),
    write: percent,
    most: 1,
    least: 0.001,
  },
};

export const measureNames = Object.keys(measures) as MeasureName[];

function percent(share: number, error?: number): string {
  return written(100 * share, error === undefined ? undefined : 100 * error, 1, ' %');
}

function written(value: number, error: number | undefined, digits: number, unit: string): string {
  const deviation = error === undefined ? '' : ` ± ${error.toFixed(digits)}`;
  return `${value.toFixed(digits)}${deviation}${unit}`;
}

/**
 * Of a share among so many: the deviation of what it may be after that many yes or no, all shares being as likely before
 * (the beta distribution's). By the sample's own deviation none of ten would be none for certain.
 */
function errorOfShare(share: number, matches: number): number | undefined {
  if (matches === 0) return undefined;
  const likely = (share * matches + 1) / (matches + 2);
  return Math.sqrt((likely * (1 - likely)) / (matches + 3));
}

/** What an option is, and what it is measured in. */
export const optionTexts: Readonly<
  Record<Sweepable, { readonly says: string; readonly unit: string }>
> = {
  startRadius: { says: 'Platform radius', unit: 'm' },
  holdTicks: { says: 'Platform shrinks after', unit: 'ticks' },
  endTicks: { says: 'Platform is gone after', unit: 'ticks' },
  acceleration: { says: 'Acceleration', unit: 'm/s²' },
  damping: { says: 'Damping', unit: 'a second' },
  restitution: { says: 'Restitution', unit: '' },
  dashSpeed: { says: 'Dash speed', unit: 'm/s' },
  dashCooldownTicks: { says: 'Dash charges for', unit: 'ticks' },
};

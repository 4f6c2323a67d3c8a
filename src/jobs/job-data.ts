/** What a job carries to its processor. Read back with readJobData: it has been through JSON and Redis. */
export interface JobData {
  readonly player: string;
  readonly id: string;
  readonly input: unknown;
  /** ms since 1970. */
  readonly deadline: number;
}

/** @returns the data of a job. @throws Error when it is none of ours, for example added by hand */
export function readJobData(data: unknown): JobData {
  if (typeof data === 'object' && data !== null) {
    const { player, id, input, deadline } = data as Partial<Record<keyof JobData, unknown>>;
    if (typeof player === 'string' && typeof id === 'string' && typeof deadline === 'number') {
      return { player, id, input, deadline };
    }
  }
  throw new Error('job data without player, id and deadline');
}

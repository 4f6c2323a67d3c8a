export interface RequestName {
  readonly player: string;
  readonly id: string;
}

/** A request as its job carries it. */
export interface RequestData extends RequestName {
  readonly input: unknown;
  /** ms since 1970. */
  readonly deadline: number;
}

/** What a job carries to its processor: one request, or those of a batch. */
export interface JobData {
  readonly requests: readonly RequestData[];
  /** Of a workload, whose one request several jobs work on: which of them this is. */
  readonly runner?: number;
}

/** @returns the requests of a job. @throws Error when it is none of ours, for example added by hand */
export function readRequests(data: unknown): readonly RequestData[] {
  const requests: unknown =
    typeof data === 'object' && data !== null && 'requests' in data && data.requests;
  if (Array.isArray(requests) && requests.length > 0) return requests.map(readRequest);
  throw new Error('job data without requests');
}

/** @returns which of a workload's runners a job is. @throws Error when it is none */
export function readRunner(data: unknown): number {
  const runner: unknown =
    typeof data === 'object' && data !== null && 'runner' in data && data.runner;
  if (Number.isSafeInteger(runner)) return runner as number;
  throw new Error('job data without a runner');
}

/** @throws Error when it is none */
export function readRequest(data: unknown): RequestData {
  if (typeof data === 'object' && data !== null) {
    const { player, id, input, deadline } = data as Partial<Record<keyof RequestData, unknown>>;
    if (typeof player === 'string' && typeof id === 'string' && typeof deadline === 'number') {
      return { player, id, input, deadline };
    }
  }
  throw new Error('request without player, id and deadline');
}

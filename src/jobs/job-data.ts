/** A request as its job carries it. */
export interface RequestData {
  readonly player: string;
  readonly id: string;
  readonly input: unknown;
  /** ms since 1970. */
  readonly deadline: number;
}

/** What a job carries to its processor: one request, or those of a batch. */
export interface JobData {
  readonly requests: readonly RequestData[];
}

/** @returns the requests of a job. @throws Error when it is none of ours, for example added by hand */
export function readRequests(data: unknown): readonly RequestData[] {
  const requests: unknown =
    typeof data === 'object' && data !== null && 'requests' in data && data.requests;
  if (Array.isArray(requests) && requests.length > 0) return requests.map(readRequest);
  throw new Error('job data without requests');
}

function readRequest(data: unknown): RequestData {
  if (typeof data === 'object' && data !== null) {
    const { player, id, input, deadline } = data as Partial<Record<keyof RequestData, unknown>>;
    if (typeof player === 'string' && typeof id === 'string' && typeof deadline === 'number') {
      return { player, id, input, deadline };
    }
  }
  throw new Error('request without player, id and deadline');
}

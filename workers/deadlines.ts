import type { RequestData } from '../src/jobs/job-data.ts';

/**
 * Calls `overdue` with each request whose deadline is over, soon after it is: one timer, however many they are.
 * @returns what ends it
 */
export function atDeadlines(
  requests: readonly RequestData[],
  overdue: (request: RequestData) => void,
): () => void {
  const waiting = requests.toSorted((one, other) => one.deadline - other.deadline);
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const now = Date.now();
    while (waiting[0] !== undefined && waiting[0].deadline <= now)
      overdue(waiting.shift() as RequestData);
    const [next] = waiting;
    if (next !== undefined) timer = setTimeout(look, next.deadline - now);
  };
  look();
  return () => clearTimeout(timer);
}

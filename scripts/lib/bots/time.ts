/** Resolves after so many ms (Infinity: never), or when the signal comes. */
export async function pause(duration: number, stop?: AbortSignal): Promise<void> {
  if (stop?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      stop?.removeEventListener('abort', over);
      resolve();
    };
    const timer = duration === Infinity ? undefined : setTimeout(over, duration);
    stop?.addEventListener('abort', over);
  });
}

/** @returns an integer of least to most, both included */
export function randomBetween(least: number, most: number): number {
  return least + Math.floor(Math.random() * (most - least + 1));
}

/**
 * What many ask for at once is read for all of them once in this time. A failure is not kept.
 * @param ms how old an answer may be
 */
export function kept<T>(ms: number, read: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return async () => {
    const now = performance.now();
    if (last === undefined || last.at <= now - ms) {
      const mine = { at: now, answer: read() };
      last = mine;
      mine.answer.catch(() => {
        if (last === mine) last = undefined;
      });
    }
    return await last.answer;
  };
}

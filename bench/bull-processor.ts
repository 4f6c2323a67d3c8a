/** The sandboxed processor of BullMQ alone: it answers what our `drill` answers to `echo`. */
export default async function processor(): Promise<{ note: string; attempt: number }> {
  return await Promise.resolve({ note: '', attempt: 1 });
}

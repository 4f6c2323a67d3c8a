const KEPT = 4_096;

/** Ids of ends already handed over: after a new epoch they come again. The oldest are forgotten. */
export class Ended {
  private readonly ids = new Set<string>();

  /** @returns whether it was not known. */
  add(id: string): boolean {
    const isNew = !this.ids.delete(id);
    this.ids.add(id);
    const [oldest] = this.ids;
    if (this.ids.size > KEPT && oldest !== undefined) this.ids.delete(oldest);
    return isNew;
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

/** @returns 126 random bits as a request id. */
export function randomId(): string {
  let id = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(21))) id += ALPHABET[byte & 63];
  return id;
}

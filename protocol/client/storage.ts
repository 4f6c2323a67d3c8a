import * as z from 'zod';
import { sessionId } from '../index.ts';

/** What makes a reloaded page the same player in the same session. */
export const storedSession = z.object({
  player: z.string(),
  /** A guest's; a token of the application's own is never stored. */
  token: z.string().optional(),
  session: z.object({ id: sessionId, epoch: z.uint32(), offset: z.uint32(), nonce: z.uint32() }),
});

export type StoredSession = z.infer<typeof storedSession>;

/** Where the session outlives the page. Called before each acknowledgement, so at most every 50 ms. */
export interface SessionStore {
  /** @returns what `save` was last given, or anything else when there is nothing. */
  load(): unknown;
  save(stored: StoredSession | undefined): void | Promise<void>;
}

interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * @param storage `sessionStorage`: two tabs that share a session through `localStorage` take it from each other
 * @returns a store that keeps the session there as JSON
 */
export function webStorage(storage: WebStorage, key = 'muster'): SessionStore {
  return {
    load: (): unknown => JSON.parse(storage.getItem(key) ?? 'null'),
    save(stored): void {
      if (stored === undefined) storage.removeItem(key);
      else storage.setItem(key, JSON.stringify(stored));
    },
  };
}

import { describe, expect, it } from 'vitest';
import { storedSession, webStorage } from './storage.ts';

const SAMPLE = {
  player: 'guest-1',
  token: 'a.b.c',
  session: { id: 'AAAAAAAAAAAAAAAA', epoch: 1, offset: 2, nonce: 3 },
};

/** What a page's sessionStorage is, in memory. */
class MemoryStorage {
  private readonly items = new Map<string, string>();
  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.items.set(key, value);
  removeItem = (key: string): void => void this.items.delete(key);
}

describe('webStorage', () => {
  it('R11 gives back what it was given, under its key', async () => {
    const storage = new MemoryStorage();
    const store = webStorage(storage, 'mine');
    expect(store.load()).toBeNull();
    await store.save(SAMPLE);
    expect(store.load()).toEqual(SAMPLE);
    expect(storage.getItem('mine')).not.toBeNull();
    await store.save(undefined);
    expect(store.load()).toBeNull();
  });

  it('holds only what the next start will believe', () => {
    expect(storedSession.safeParse(SAMPLE).success).toBe(true);
    for (const wrong of [
      null,
      {},
      { ...SAMPLE, session: { ...SAMPLE.session, id: 'x' } },
      { ...SAMPLE, player: 1 },
    ]) {
      expect(storedSession.safeParse(wrong).success).toBe(false);
    }
  });
});

/**
 * Claims that are under way, by session. Whether a wake-up that comes meanwhile is older or newer than what the claim
 * answers, nobody knows, and a claim wakes its own gateway, too, where that had the session before. So such wake-ups
 * are only noted, and the session is read again when its last claim is over.
 */
export class Claims {
  private readonly running = new Map<string, number>();
  private readonly woken = new Set<string>();

  constructor(private readonly readAgain: (session: string) => void) {}

  has(session: string): boolean {
    return this.running.has(session);
  }

  /** @returns false when no claim is under way, and the wake-up is to be looked at now */
  note(session: string): boolean {
    if (!this.running.has(session)) return false;
    this.woken.add(session);
    return true;
  }

  async run<T>(session: string, claim: () => Promise<T>): Promise<T> {
    this.running.set(session, (this.running.get(session) ?? 0) + 1);
    try {
      return await claim();
    } finally {
      const others = (this.running.get(session) ?? 1) - 1;
      if (others > 0) this.running.set(session, others);
      else {
        this.running.delete(session);
        if (this.woken.delete(session)) this.readAgain(session);
      }
    }
  }
}

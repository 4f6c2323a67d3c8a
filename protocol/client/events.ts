import type { End, ServerBody, ServerMessageName } from '../index.ts';
import type { State } from './link.ts';

/** What went wrong where nobody waits for an answer: an unreadable frame, a store that failed. */
export interface Fault {
  readonly what: string;
  readonly cause: unknown;
}

export type ClientEvents = {
  [N in Exclude<ServerMessageName, 'reliable' | 'snapshot'>]: ServerBody<N>;
} & {
  state: State;
  /** Continuity was lost: what the application derived from earlier reliable messages may be stale. */
  epoch: ServerBody<'welcome'>;
  /** The end of a request that no promise of this client waits for, such as one asked for before a page reload. */
  end: End;
  fault: Fault;
};

export type EventName = keyof ClientEvents;

/** @typeParam M what each event brings, by its name */
export class Events<M> {
  private readonly listeners = new Map<keyof M, Set<(value: never) => void>>();

  /** @returns the function that takes the listener off again. */
  on<E extends keyof M>(event: E, listener: (value: M[E]) => void): () => void {
    // A wrapper of its own, so that the same function given twice is called, and taken off, twice.
    const entry = (value: M[E]): void => listener(value);
    let set = this.listeners.get(event);
    if (set === undefined) this.listeners.set(event, (set = new Set()));
    set.add(entry);
    return () => set.delete(entry);
  }

  emit<E extends keyof M>(event: E, value: M[E]): void {
    for (const listener of this.listeners.get(event) ?? []) guarded(() => listener(value as never));
  }
}

/** A fault of the application's function shows as an uncaught error, and does not stop the delivery to others. */
export function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}

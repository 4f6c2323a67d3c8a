/** The project's root folder. */
export function projectRoot(from?: string): string;
/** Builds dist/ once; `changed` names the outputs that are new or different, relative to the root. */
export function build(options?: { root?: string }): Promise<{ changed: string[] }>;
/** Whether dist/ lacks an entry or is older than a source. */
export function isStale(options?: { root?: string }): Promise<boolean>;
/** Builds, and again on each change, until stopped. */
export function watch(options: {
  root?: string;
  onWritten: (changed: string[]) => void;
}): Promise<{ stop(): Promise<void> }>;

/** Ctrl-C arrives twice when npm passes on what the terminal sent us too; ms. */
const SAME_KEY_PRESS = 500;

/**
 * Calls `end` for the first SIGINT, SIGTERM or SIGHUP, and `kill` for the next one.
 *
 * Started by npm, it also ends when npm was killed and could not tell us: nobody else would end
 * what is running here.
 */
export function onSignals(end: (why: string) => void, kill: () => void): void {
  let first: number | undefined;
  const hear = (why: string): void => {
    if (first === undefined) {
      first = performance.now();
      end(why);
    } else if (performance.now() - first > SAME_KEY_PRESS) kill();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => hear(signal));
  }
  if (!process.env['npm_lifecycle_event']) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    hear('npm has gone');
  }, 1000);
  look.unref();
}

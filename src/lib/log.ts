/** One JSON object a line on stdout. Small on purpose: a logging library is a fifth of the gateway's start-up budget. */
const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;

export type Level = keyof typeof levels;
export type Log = {
  readonly [L in Level]: (message: string, fields?: Record<string, unknown>) => void;
};

/**
 * @param level lowest level that is written
 * @param bound fields of every line, such as the process's role
 */
export function createLog(level: string, bound: Record<string, unknown>): Log {
  const lowest = levels[level as Level] ?? levels.info;
  const at = (name: Level) => (message: string, fields?: Record<string, unknown>) => {
    if (levels[name] < lowest) return;
    const line = { time: new Date().toISOString(), level: name, ...bound, message, ...fields };
    process.stdout.write(`${JSON.stringify(line, plain)}\n`);
  };
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
  };
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error)
    return { name: value.name, message: value.message, stack: value.stack };
  return typeof value === 'bigint' ? value.toString() : value;
}

import type { Readable } from 'node:stream';

/** Calls `hear` with each line of a stream, the last one even when no line end follows it. */
export function eachLine(stream: Readable, hear: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) hear(line);
  });
  stream.once('end', () => {
    if (rest) hear(rest);
  });
}

/**
 * A line for people from a process's JSON log line: time of day, level, who, what, and its fields.
 * Anything else passes as it is.
 */
export function readable(line: string, who: string): string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof record !== 'object' || record === null || !('message' in record)) return line;
  const { time, level, message, role: _role, ...fields } = { ...record } as Record<string, unknown>;
  const clock = typeof time === 'string' ? (time.split('T')[1]?.slice(0, 12) ?? time) : '';
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  return [clock, String(level).padEnd(5), who.padEnd(7), String(message), ...rest].join(' ');
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'stack' in value) return String(value.stack);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /\s/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text;
}

import { variables } from '../../src/lib/config.ts';

/** Our environment without variables of Muster that somebody has set for other runs. */
export function surroundings(): NodeJS.ProcessEnv {
  const names = new Set(Object.keys(variables));
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !names.has(name)));
}

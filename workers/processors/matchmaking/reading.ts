import { ZodError } from 'zod';

/**
 * For `catch`, where one record must not hold up all that wait for others.
 * @throws the error, where it says anything but that stored text cannot be read
 */
export function undefinedWhereUnreadable(error: unknown): undefined {
  if (error instanceof ZodError || error instanceof SyntaxError) return undefined;
  throw error;
}

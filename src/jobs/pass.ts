import * as z from 'zod';
import { matchQueues } from '../../protocol/index.ts';

/** Name of the job that forms matches of one queue; its data is PassData. */
export const MATCHMAKING_PASS = 'matchmaking-pass';
export const passData = z.strictObject({ queue: z.enum(matchQueues) });

/** While somebody waits, a pass follows the last one after this, ms: windows widen with age. */
export const PASS_INTERVAL_MS = 250;

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResultOf } from '../../protocol/index.ts';
import type { MatchRecords } from '../../src/match/records.ts';
import type { Replays } from '../../src/match/replays.ts';
import type { Processor } from '../attempt.ts';
import { gameNamed } from '../games/index.ts';
import type { Replay } from '../replay/file.ts';
import { faulty, readOrFault, sameResult, verifyReplay } from '../replay/verify.ts';

export interface VerifyParts {
  readonly records: Pick<MatchRecords, 'find'>;
  readonly replays: Pick<Replays, 'read'>;
}

/** Plays a match again from its replay and compares: bytes, last state, result, and what the record says. */
export function verifier({ records, replays }: VerifyParts): Processor<'verify'> {
  return async ({ match }, context) => {
    const [bytes, record] = await Promise.all([replays.read(match), records.find(match)]);
    if (bytes === undefined) return faulty('no_replay', `of match ${match}`);
    const replay = readOrFault(bytes);
    if ('valid' in replay) return replay;
    const { header, end } = replay;
    if (header.match !== match) return faulty('damaged', `it is of match ${header.match}`);
    if (record?.state === 'over' && !sameResult(record.result, end.result)) {
      return faulty('record_differs', `the record says ${JSON.stringify(record.result)}`);
    }
    return await play(replay, context);
  };
}

async function play(
  replay: Replay,
  context: Parameters<Processor<'verify'>>[1],
): Promise<ResultOf<'verify'>> {
  const began = performance.now();
  const verdict = await verifyReplay(gameNamed, replay, async (tick) => {
    void context.progress({ share: Math.min(tick / replay.end.ticks, 1) });
    await nextTurn();
    return context.signal.aborted;
  });
  if (verdict === undefined) throw new Error('stopped', { cause: context.signal.reason });
  if (!verdict.valid) return verdict;
  return { ...verdict, ms: Math.round(performance.now() - began) };
}

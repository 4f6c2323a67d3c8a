import { script, type Redis, type Script } from '../lib/redis.ts';
import { asList, asNumber, asText } from '../lib/reply.ts';

/** Stream of batches of notes, each a JSON list under `n`, and the bytes that these lists have together. */
const NOTES_KEY = 'm:{history}:notes';
const BYTES_KEY = 'm:{history}:bytes';
const GROUP = 'historians';

/** Batches that are read at once. */
const READ_COUNT = 64;

/** KEYS: notes, bytes. ARGV: most bytes, batch. Reply: 1, or 0 where there is no room. */
const add: Script = {
  name: 'musterAddNotes',
  keys: 2,
  lua: `
local held = tonumber(redis.call('GET', KEYS[2]) or 0)
if held > 0 and held + #ARGV[2] > tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'n', ARGV[2])
redis.call('INCRBY', KEYS[2], #ARGV[2])
return 1
`,
};

/** Batches are written. KEYS: notes, bytes. ARGV: group, then ids. Reply: bytes that are left. */
const done: Script = {
  name: 'musterNotesDone',
  keys: 2,
  lua: `
local freed = 0
for i = 2, #ARGV do
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  if entry then freed = freed + #entry[2][2] end
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
  return 0
end
return redis.call('DECRBY', KEYS[2], freed)
`,
};

/** Notes that were taken by one consumer, and are not written yet. */
export interface Batch {
  readonly id: string;
  readonly json: string;
}

/** Notes on their way to whoever writes them into the database. */
export class NoteQueue {
  private readonly run;

  constructor(private readonly redis: Redis) {
    this.run = { add: script(redis, add), done: script(redis, done) };
  }

  /** @returns false where so many bytes wait already that these are not taken */
  async add(json: string, mostBytes: number): Promise<boolean> {
    return asNumber(await this.run.add(NOTES_KEY, BYTES_KEY, mostBytes, json)) === 1;
  }

  /** From now on what is added is kept for consumers. */
  async open(): Promise<void> {
    try {
      await this.redis.xgroup('CREATE', NOTES_KEY, GROUP, '0', 'MKSTREAM');
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('BUSYGROUP')) throw error;
    }
  }

  /** Waits until there is something, for ever if need be: on a connection of its own. */
  async take(consumer: string): Promise<Batch[]> {
    const reply: unknown = await this.redis.xreadgroupBuffer(
      'GROUP',
      GROUP,
      consumer,
      'COUNT',
      READ_COUNT,
      'BLOCK',
      0,
      'STREAMS',
      NOTES_KEY,
      '>',
    );
    return asList(reply).flatMap((stream) => asList(asList(stream)[1]).flatMap(readBatch));
  }

  /** Takes over what others took and have not written for so long. @returns a few of them at a time */
  async claim(consumer: string, idleMs: number): Promise<Batch[]> {
    const reply = asList(
      await this.redis.callBuffer(
        'XAUTOCLAIM',
        NOTES_KEY,
        GROUP,
        consumer,
        idleMs,
        '0',
        'COUNT',
        READ_COUNT,
      ),
    );
    return asList(reply[1]).flatMap(readBatch);
  }

  /** They are written. Harmless when somebody else has said so. */
  async done(batches: readonly Batch[]): Promise<void> {
    if (batches.length === 0) return;
    await this.run.done(NOTES_KEY, BYTES_KEY, GROUP, ...batches.map(({ id }) => id));
  }

  /** @returns bytes of notes that are not written */
  async waiting(): Promise<number> {
    return Number((await this.redis.get(BYTES_KEY)) ?? 0);
  }

  /** Forgets a consumer that leaves, unless it still has something, and those of the dead that have nothing. */
  async leave(consumer: string, deadAfterMs: number): Promise<void> {
    const all = asList(await this.redis.xinfo('CONSUMERS', NOTES_KEY, GROUP));
    for (const fields of all) {
      const list = asList(fields);
      const field = (name: string): unknown => list[list.findIndex((one) => one === name) + 1];
      const name = asText(field('name'));
      const isGone = name === consumer || asNumber(field('idle')) > deadAfterMs;
      if (isGone && asNumber(field('pending')) === 0)
        await this.redis.xgroup('DELCONSUMER', NOTES_KEY, GROUP, name);
    }
  }
}

/** One that was deleted meanwhile has no fields. */
function readBatch(entry: unknown): Batch[] {
  const [id, fields] = Array.isArray(entry) ? (entry as unknown[]) : [];
  if (!Array.isArray(fields)) return [];
  return [{ id: asText(id), json: asText((fields as unknown[])[1]) }];
}

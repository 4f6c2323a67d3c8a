import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { matchId } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import { randomId } from '../lib/ids.ts';
import type { Redis } from '../lib/redis.ts';
import { REPLAYS_KEY, replayKey } from '../relay/keys.ts';

/** Where replay files lie. What is kept there, and for how long, is decided in Replays. */
interface Store {
  write(match: string, bytes: Uint8Array): Promise<void>;
  read(match: string): Promise<Buffer | undefined>;
  remove(match: string): Promise<void>;
  /** Removes what writers left behind that ended in the middle of it. */
  sweep?(now: number): Promise<void>;
}

type Limits = Pick<Config, 'MATCH_TTL_MS' | 'REPLAYS_MAX' | 'REPLAY_DIR'>;

/** Removed by one save at most: a limit that was lowered must not make one match's end wait for thousands. */
const PRUNE_MAX = 100;
/** How long a file that is being written may take, and how often a folder is looked through for those left behind, ms. */
const WRITING_MAX_MS = 3_600_000;

/**
 * The replay files of matches that are over: the newest REPLAYS_MAX, for MATCH_TTL_MS, in Redis, or in the folder
 * REPLAY_DIR, which gateways and workers then share. REPLAYS_KEY lists them in both cases.
 */
export class Replays {
  private readonly store: Store;

  constructor(
    private readonly redis: Redis,
    private readonly limits: Limits,
  ) {
    const { REPLAY_DIR: folder, MATCH_TTL_MS: ttlMs } = limits;
    this.store = folder === undefined ? inRedis(redis, ttlMs) : inFolder(folder);
  }

  /**
   * Idempotent: a match has one replay, and the same match played again has the same.
   * @returns how many others were removed to make room, those past their time not counted
   */
  async save(match: string, bytes: Uint8Array, now = Date.now()): Promise<number> {
    // Listed first: a file that no list names would stay for ever.
    await this.redis.zadd(REPLAYS_KEY, 'NX', now, match);
    await this.store.write(match, bytes);
    return await this.prune(now);
  }

  async read(match: string): Promise<Buffer | undefined> {
    return await this.store.read(match);
  }

  private async prune(now: number): Promise<number> {
    const { redis, limits } = this;
    await this.store.sweep?.(now);
    const late = await redis.zrangebyscore(
      REPLAYS_KEY,
      '-inf',
      now - limits.MATCH_TTL_MS,
      'LIMIT',
      0,
      PRUNE_MAX,
    );
    await this.remove(late);
    const over = Math.min((await redis.zcard(REPLAYS_KEY)) - limits.REPLAYS_MAX, PRUNE_MAX);
    const oldest = over > 0 ? await redis.zrange(REPLAYS_KEY, '0', String(over - 1)) : [];
    await this.remove(oldest);
    return oldest.length;
  }

  private async remove(matches: readonly string[]): Promise<void> {
    if (matches.length === 0) return;
    await Promise.all(matches.map(async (match) => await this.store.remove(match)));
    // Afterwards, for the same reason.
    await this.redis.zrem(REPLAYS_KEY, ...matches);
  }
}

function inRedis(redis: Redis, ttlMs: number): Store {
  return {
    async write(match, bytes) {
      await redis.set(replayKey(match), Buffer.from(bytes), 'PX', ttlMs);
    },
    async read(match) {
      return (await redis.getBuffer(replayKey(match))) ?? undefined;
    },
    async remove(match) {
      await redis.del(replayKey(match));
    },
  };
}

function inFolder(folder: string): Store {
  const fileOf = (match: string): string => join(folder, `${matchId.parse(match)}.replay`);
  let sweptAt = -Infinity;
  return {
    async write(match, bytes) {
      await mkdir(folder, { recursive: true });
      // Whole or not at all: a reader must not get half of it, nor a match that is settled again.
      const whole = `${fileOf(match)}.${randomId(6)}`;
      await writeFile(whole, bytes);
      await rename(whole, fileOf(match));
    },
    async read(match) {
      try {
        return await readFile(fileOf(match));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async remove(match) {
      await rm(fileOf(match), { force: true });
    },
    async sweep(now) {
      if (sweptAt > now - WRITING_MAX_MS) return;
      sweptAt = now;
      const files = (await readdir(folder)).filter((file) => /\.replay\.[^.]+$/.test(file));
      for (const file of files.map((name) => join(folder, name))) {
        const written = await stat(file).catch(() => undefined);
        if (written !== undefined && written.mtimeMs < now - WRITING_MAX_MS)
          await rm(file, { force: true });
      }
    },
  };
}

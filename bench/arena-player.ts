/** Real sockets for `arena`: who watches some of the matches, and who measures how soon an input is seen. */
import WebSocket from 'ws';
import { z } from 'zod';
import { connect } from '../protocol/client/index.ts';
import { orderKnockout, Placer } from '../scripts/lib/arenas.ts';
import { connectRedis } from '../src/lib/redis.ts';
import { MatchPlayer } from './lib/match-player.ts';
import { obey } from '../scripts/lib/measure/orders.ts';
import type { Probe } from './lib/overhead.ts';

const startOrder = z.object({ url: z.string(), port: z.int() });
const watchOrder = z.object({ matches: z.array(z.string()) });
const probeOrder = z.object({ probes: z.int().min(1), echoes: z.int().min(1) });

/** WATCHES_PER_SESSION is 16 by default. */
const WATCHES = 16;

const batchOrder = z.object({ on: z.boolean() });

/** Jobs that never end by themselves, at a time: one runs, others wait to be next. */
const SPINS = 3;

let place = { url: '', port: 0 };
let watchers: MatchPlayer[] = [];
let endBatch: (() => Promise<void>) | undefined;

obey({
  start: (given) => {
    place = startOrder.parse(given);
    return true;
  },

  /** Watches these matches, and none of those before. */
  watch: async (given) => {
    const { matches } = watchOrder.parse(given);
    for (const one of watchers) one.leave();
    watchers = [];
    for (let at = 0; at < matches.length; at += WATCHES) {
      const watcher = new MatchPlayer();
      await watcher.join(place.port);
      watchers.push(watcher);
      for (const match of matches.slice(at, at + WATCHES)) await watcher.watch(match);
    }
    return true;
  },

  /** @returns what the watchers got since they were last asked */
  watched: () => {
    const all = watchers.map((one) => one.counts());
    const sum = (of: (counts: (typeof all)[number]) => number): number =>
      all.reduce((total, counts) => total + of(counts), 0);
    return {
      snapshots: sum(({ snapshots }) => snapshots),
      bytes: sum(({ bytes }) => bytes),
      damaged: sum(({ damaged }) => damaged),
    };
  },

  /**
   * Keeps the cpu lane full of jobs that spin, or no more: then it is answered when all of them have ended. Jobs of a
   * socket that only closes spin on. The one that ran when it was cancelled is killed within a second.
   */
  batch: async (given) => {
    await endBatch?.();
    endBatch = undefined;
    if (!batchOrder.parse(given).on) return true;
    const over = new AbortController();
    const url = `ws://127.0.0.1:${place.port}/v1/socket`;
    const client = connect({ url, WebSocket });
    await client.ready;
    const spin = async (): Promise<void> => {
      while (!over.signal.aborted) {
        // Each is killed when its time limit has passed, again and again: that is an end too.
        await client.request('drill', { act: 'spin' }, { signal: over.signal }).catch(() => {});
      }
    };
    const spins = Array.from({ length: SPINS }, spin);
    endBatch = async () => {
      over.abort();
      await Promise.all(spins);
      client.close();
    };
    return true;
  },

  /** Plays a match of its own against bots. @returns its probes, and the echoes of a room beside them, ms */
  probe: async (given) => {
    const { probes, echoes } = probeOrder.parse(given);
    const player = new MatchPlayer();
    await player.join(place.port);
    const redis = connectRedis(place.url, 'bench-player', () => {});
    const seats = [{ player: player.player }, ...Array.from({ length: 7 }, () => ({ bot: 0 }))];
    const order = orderKnockout({ seats, options: { startRadius: 40, holdTicks: 2_600 } });
    await new Placer(redis).place(order);
    redis.disconnect();
    const { match } = order;
    try {
      await player.watch(match);
      await player.plays(match);
      const room = `bench-${match}`;
      const before = await player.echoes(room, Math.ceil(echoes / 2));
      const taken: Probe[] = [];
      while (taken.length < probes) taken.push(await player.probe(match));
      const after = await player.echoes(room, Math.ceil(echoes / 2));
      return { probes: taken, echoes: [...before, ...after] };
    } finally {
      player.leave();
    }
  },
});

import { setTimeout as wait } from 'node:timers/promises';
import {
  clientMessages,
  encodeFrame,
  matchHandle,
  serverMessages,
  type ServerBody,
} from '../../protocol/index.ts';
import { readFrame } from '../../protocol/client/frames.ts';
import { Stream } from '../../protocol/client/match-stream.ts';
import type { Probe } from './overhead.ts';
import { joinAsGuest, refusal } from '../../scripts/lib/measure/player.ts';
import { clientFrame, type BenchSocket } from '../../scripts/lib/measure/socket.ts';

const ANSWER_LIMIT_MS = 20_000;
const KEEP_ALIVE_MS = 10_000;
/** A probe waits so long for its echo, ms: an arena that is taken over needs less. */
const ECHO_LIMIT_MS = 5_000;
/** From one probe's echo to the next probe: at random up to three ticks, so that probes fall on all moments of a tick. */
const BETWEEN_MS = [20, 120] as const;

interface Watched {
  readonly stream: Stream;
  slot: number;
  seats: number;
  seq: number;
  /** Of the newest picture that was shown. */
  echo: number;
  seenAt: number;
}

/** A real socket at a real gateway: watches matches, steers in them, and talks to itself in a room. */
export class MatchPlayer {
  snapshots = 0;
  bytes = 0;
  player = '';
  private socket: BenchSocket | undefined;
  private readonly watched = new Map<number, Watched>();
  private readonly answers = new Map<number, (body: ServerBody<'watching'>) => void>();
  private readonly listeners = new Set<() => void>();
  private saidAt = 0;
  private fault: Error | undefined;
  private alive: NodeJS.Timeout | undefined;

  async join(port: number): Promise<void> {
    const { socket, welcome } = await joinAsGuest(port, {
      message: (bytes, at, length) => this.take(bytes.subarray(at, at + length)),
      closed: (why) => void (this.fault ??= new Error(`socket closed: ${why}`)),
    });
    this.socket = socket;
    this.player = welcome.player;
    this.alive = setInterval(() => {
      this.send(encodeFrame(clientMessages.ping, { seq: 1, clientTime: 0 }));
    }, KEEP_ALIVE_MS);
  }

  leave(): void {
    clearInterval(this.alive);
    this.socket?.destroy();
  }

  async watch(match: string): Promise<ServerBody<'watching'>> {
    const handle = matchHandle(match);
    const known = { stream: new Stream(), slot: -1, seats: 0, seq: 0, echo: 0, seenAt: 0 };
    this.watched.set(handle, known);
    const answer = new Promise<ServerBody<'watching'>>((resolve) =>
      this.answers.set(handle, resolve),
    );
    this.send(encodeFrame(clientMessages.watch, { match }));
    const late = wait(ANSWER_LIMIT_MS).then(() => {
      throw this.fault ?? new Error(`watch ${match}: no answer`);
    });
    const watching = await Promise.race([answer, late]);
    known.slot = watching.slot;
    known.seats = watching.seats.length;
    return watching;
  }

  /** Resolves when the match is played: its first steps were seen. */
  async plays(match: string): Promise<void> {
    const known = this.of(match);
    await this.until(() => known.stream.tick > 0, ANSWER_LIMIT_MS);
  }

  /** Changes its stick once, and waits until a snapshot shows that it was taken. */
  async probe(match: string): Promise<Probe> {
    const known = this.of(match);
    await wait(BETWEEN_MS[0] + Math.random() * (BETWEEN_MS[1] - BETWEEN_MS[0]));
    known.seq = Math.max(known.seq, known.echo) + 1;
    const { seq } = known;
    const before = known.seenAt;
    const body = { handle: matchHandle(match), seq, x: seq % 2 === 0 ? 40 : -40, y: 0, buttons: 0 };
    const frame = clientFrame(encodeFrame(clientMessages.steer, body));
    const sentAt = performance.now();
    this.socket?.write(frame);
    await this.until(() => known.seenAt > before, ECHO_LIMIT_MS);
    const toSnapshot = known.seenAt - sentAt;
    const inTime = known.echo >= seq;
    await this.until(() => known.echo >= seq, ECHO_LIMIT_MS);
    return { toSnapshot, inTime, toEcho: known.seenAt - sentAt };
  }

  /** @returns ms from saying something in a room of its own to hearing it, one after the other */
  async echoes(room: string, count: number): Promise<number[]> {
    this.send(encodeFrame(clientMessages.join, { room }));
    const frame = clientFrame(encodeFrame(clientMessages.say, { room, text: 'echo' }));
    const trips: number[] = [];
    for (let i = 0; i <= count; i++) {
      const before = this.saidAt;
      const sentAt = performance.now();
      this.socket?.write(frame);
      await this.until(() => this.saidAt > before, ANSWER_LIMIT_MS);
      // The first one waits for the join, too.
      if (i > 0) trips.push(this.saidAt - sentAt);
      await wait(2);
    }
    return trips;
  }

  /** @returns what came since the last call. @throws what went wrong meanwhile */
  counts(): { snapshots: number; bytes: number; damaged: number } {
    if (this.fault !== undefined) throw this.fault;
    const { snapshots, bytes } = this;
    this.snapshots = this.bytes = 0;
    const damaged = [...this.watched.values()].reduce(
      (sum, { stream }) => sum + stream.dropped.damaged,
      0,
    );
    return { snapshots, bytes, damaged };
  }

  private of(match: string): Watched {
    const known = this.watched.get(matchHandle(match));
    if (known === undefined) throw new Error(`${match} is not watched`);
    return known;
  }

  private send(frame: Uint8Array): void {
    this.socket?.write(clientFrame(frame));
  }

  private take(bytes: Buffer): void {
    const now = performance.now();
    if (bytes[0] === serverMessages.snapshot.type) this.picture(bytes, now);
    else if (bytes[0] === serverMessages.said.type) this.saidAt = now;
    else if (bytes[0] === serverMessages.error.type) this.fault ??= refusal(bytes);
    else {
      const frame = readFrame(bytes)?.frame;
      if (frame?.name === 'watching') this.answers.get(frame.body.handle)?.(frame.body);
    }
    for (const listener of this.listeners) listener();
  }

  private picture(bytes: Buffer, now: number): void {
    this.snapshots++;
    this.bytes += bytes.length;
    const read = readFrame(bytes);
    if (read?.frame.name !== 'snapshot') return;
    const known = this.watched.get(read.frame.body.handle);
    const vector = known?.stream.read(read.frame.body, read.inner);
    if (known === undefined || vector === undefined) return;
    known.seenAt = now;
    if (known.slot >= 0) known.echo = (vector[vector.length - known.seats + known.slot] ?? 0) >>> 0;
  }

  private async until(holds: () => boolean, limitMs: number): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(limit);
        this.listeners.delete(look);
        act();
      };
      const look = (): void => {
        const { fault } = this;
        if (fault !== undefined) settle(() => reject(fault));
        else if (holds()) settle(resolve);
      };
      const limit = setTimeout(
        () => settle(() => reject(new Error(`after ${limitMs} ms still not: ${holds.toString()}`))),
        limitMs,
      );
      this.listeners.add(look);
    });
  }
}

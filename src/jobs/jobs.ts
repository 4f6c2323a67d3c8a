import { hash as digest } from 'node:crypto';
import {
  explain,
  kindNamed,
  Refusal,
  type End,
  type Kind,
  type RequestStatus,
} from '../../protocol/index.ts';
import { noNotes, type Notes } from '../history/notes.ts';
import type { Config } from '../lib/config.ts';
import type { Counters } from '../lib/counters.ts';
import { isAway, type Redis } from '../lib/redis.ts';
import { jobId, LAB_PLAYER, ORDERS_CHANNEL } from '../relay/keys.ts';
import { Admission, type Admitted } from './admission.ts';
import { Batching } from './batching.ts';
import { Gate } from './gate.ts';
import type { RequestData, RequestName } from './job-data.ts';
import { Matchmaking } from './matchmaking.ts';
import type { WorkQueues } from './late-queues.ts';
import { Records, VERDICT, type Found, type Known } from './records.ts';
import { Waker } from './waker.ts';
import { Workloads } from './workloads.ts';

export interface Submission extends RequestName {
  readonly kind: string;
  readonly input: unknown;
  readonly deadlineMs?: number | undefined;
}

/** A request that was taken on; `deadline` in ms since 1970. */
export interface Taken extends RequestStatus {
  readonly deadline: number;
}

const FULL_FOR_MS = 500;

/** Heavy work on behalf of players: everything a gateway may do with it. */
export class Jobs {
  readonly records: Records;
  private readonly admission: Admission;
  private readonly batching: Batching;
  private readonly gate: Gate;
  private readonly workloads: Workloads;
  private readonly waker: Waker;
  /** Kinds that were full, by the time until which they are taken for full still, ms since 1970. */
  private readonly fullUntil = new Map<string, number>();
  private readonly matchmaking: Matchmaking;

  constructor(
    private readonly redis: Redis,
    private readonly queues: WorkQueues,
    private readonly config: Pick<
      Config,
      'DRILLS' | 'OUTBOX_MAX' | 'REQUEST_TTL_MS' | 'WORKER_WAKE'
    >,
    private readonly counters: Counters,
    private readonly history: Notes = noNotes,
  ) {
    this.records = new Records(redis, config, history);
    this.admission = new Admission(redis);
    this.batching = new Batching(queues);
    this.gate = new Gate(redis, async (...one) => await queues.addRequest(...one));
    this.workloads = new Workloads(redis, config);
    this.waker = new Waker(config.WORKER_WAKE, counters);
    this.matchmaking = new Matchmaking(redis, queues);
  }

  /** While it is false commands would wait for the store to come back, and who asked would wait with them. */
  get reachable(): boolean {
    return !isAway(this.redis);
  }

  /**
   * Takes a request on, once per (player, id); repeating it is harmless.
   * @param session who is told of progress and end; '' for none
   * @throws Refusal unknown_kind, invalid_input, input_too_large, in_match, id_conflict, too_many_in_flight,
   * unacknowledged, overloaded or unavailable
   */
  async submit(submission: Submission, session: string): Promise<Taken> {
    const { player, id } = submission;
    const kind = this.kind(submission);
    const input = readInput(kind, submission.input);
    this.needStore();
    const deadline =
      Date.now() + Math.min(submission.deadlineMs ?? kind.deadlineMs, kind.deadlineMs);
    const job = jobId(player, id);
    const request = { player, id, input, deadline };
    if (kind.name === 'matchmake') await this.needFree(submission);
    await this.needPlace(kind, submission, job, deadline);

    // Side by side: they live on different nodes of a cluster, and a request should not wait for them in turn.
    const [admitted, accepted] = await Promise.all([
      this.admission.admit(kind, job, deadline),
      this.records.accept(
        submission,
        { hash: hashOf(kind, input), kind: kind.name, perPlayer: kind.perPlayer, deadline },
        session,
      ),
    ]);
    switch (accepted.is) {
      case 'new':
        if (admitted.is === 'full') await this.discard(kind, submission, admitted.retryAfterMs);
        const name = { player, id, kind: kind.name };
        const at = Date.now();
        await this.enqueue(kind, request, admitted);
        this.history.note({ ...name, is: 'accepted', at, queuedAt: Date.now(), deadline });
        this.counters.add('requests_accepted', kind.name);
        return { id, kind: kind.name, state: 'accepted', attempt: 0, deadline };
      case 'known': {
        // However often it is sent, the first deadline counts.
        const { state, attempt, deadline: first } = accepted;
        if (state === 'accepted' || state === 'running') {
          await this.enqueueAgain(kind, { ...request, deadline: first }, accepted, admitted);
        } else await this.admission.left(kind, job);
        return { id, kind: kind.name, state, attempt, deadline: first };
      }
      case 'conflict':
        await this.leave(kind, submission);
        throw new Refusal('id_conflict');
      case 'in_flight':
        await this.admission.left(kind, job);
        throw new Refusal('too_many_in_flight', `at most ${kind.perPlayer} of ${kind.name}`);
      case 'unacked':
        await this.admission.left(kind, job);
        throw new Refusal('unacknowledged');
    }
  }

  /** @throws Refusal unknown_request, already_ended or unavailable */
  async cancel(name: RequestName): Promise<void> {
    const found = await this.find(name);
    if (found === undefined) throw new Refusal('unknown_request');
    if (found.end !== undefined) throw new Refusal('already_ended');
    const matched = await this.matchmaking.matched(found.kind, name);
    if (matched || !(await this.verdict(name, found, 'cancelled')))
      throw new Refusal('already_ended');
  }

  /**
   * Ends a request whose deadline is over, even if no worker is left to say so.
   * @returns whether its end, this one or another, is still to come
   */
  async expire(name: RequestName): Promise<boolean> {
    const found = await this.records.find(name);
    if (found === undefined || found.end !== undefined) return false;
    if (found.deadline > Date.now() || (await this.matchmaking.matched(found.kind, name)))
      return true;
    return await this.verdict(name, found, 'expired');
  }

  /**
   * @returns what is known of a request, ended first if its deadline is over; undefined when nothing is
   * @throws Refusal unavailable
   */
  async find(name: RequestName): Promise<Found | undefined> {
    this.needStore();
    const found = await this.records.find(name);
    if (found === undefined || found.end !== undefined) return found;
    if (found.deadline > Date.now()) {
      this.waker.nudge();
      return found;
    }
    await this.expire(name);
    return await this.records.find(name);
  }

  private needStore(): void {
    if (!this.reachable) throw new Refusal('unavailable');
  }

  private kind({ kind: name, player }: Submission): Kind {
    const kind = kindNamed(name);
    const closed =
      (name.startsWith('drill') && !this.config.DRILLS) ||
      (name.startsWith('lab_') && !player.startsWith(LAB_PLAYER));
    if (kind === undefined || closed) throw new Refusal('unknown_kind', name);
    return kind;
  }

  /** A ticket that brought its player into the match is asked for again like any other request. */
  private async needFree(name: RequestName): Promise<void> {
    if (!(await this.matchmaking.isPlaying(name.player))) return;
    if ((await this.records.find(name)) !== undefined) return;
    this.counters.add('requests_refused', 'in_match');
    throw new Refusal('in_match');
  }

  /**
   * A kind that was full a moment ago is asked first, so that a crowd that is refused costs no records. A full queue
   * still answers for what it took on before.
   */
  private async needPlace(
    kind: Kind,
    name: RequestName,
    job: string,
    deadline: number,
  ): Promise<void> {
    if (Date.now() >= (this.fullUntil.get(kind.name) ?? 0)) return;
    const admitted = await this.admission.admit(kind, job, deadline);
    if (admitted.is === 'full' && (await this.records.find(name)) === undefined) {
      this.refuseFull(kind, admitted.retryAfterMs);
    }
  }

  /** Takes a new record back that found no place. It stays, and its request with it, when it was asked for again. */
  private async discard(kind: Kind, name: RequestName, retryAfterMs: number): Promise<void> {
    if (await this.records.discard(name)) this.refuseFull(kind, retryAfterMs);
  }

  private refuseFull(kind: Kind, retryAfterMs: number): never {
    this.fullUntil.set(kind.name, Date.now() + FULL_FOR_MS);
    this.counters.add('requests_refused', 'overloaded');
    throw new Refusal('overloaded', kind.name, retryAfterMs);
  }

  /** Whoever added it may have died before the job was in the queue, or the queue may have lost it. */
  private async enqueueAgain(
    kind: Kind,
    request: RequestData,
    { attempt, job }: Known,
    admitted: Admitted,
  ): Promise<void> {
    if (job !== '') {
      // Never while the job is there: an attempt that was replaced could then end the request after all.
      if (await this.queues.has(kind.lane, job)) return;
      await this.records.restart(request, attempt);
      if (kind.parts !== undefined) await this.workloads.restart(kind, request);
    }
    // Alone and under its own name, so that BullMQ drops what is sent again and again.
    if (kind.batch !== undefined) {
      return await this.queues.addRequest(
        kind,
        request,
        await this.turnOf(kind, request, admitted),
      );
    }
    await this.enqueue(kind, request, admitted);
  }

  /** Work may be waiting for a worker that sleeps. */
  nudge(): void {
    this.waker.nudge();
  }

  private async enqueue(kind: Kind, request: RequestData, admitted: Admitted): Promise<void> {
    this.waker.nudge();
    if (kind.name === 'matchmake') return await this.matchmaking.enter(request);
    const turn = await this.turnOf(kind, request, admitted);
    if (Gate.has(kind)) await this.gate.enter(kind, request, turn);
    else await this.batching.add(kind, request, turn);
  }

  /** What is known already is in although its kind is full by now. */
  private async turnOf(kind: Kind, { player }: RequestName, admitted: Admitted): Promise<number> {
    if (admitted.is === 'in') return admitted.turn;
    return await this.admission.nextTurn(kind, player);
  }

  /** Another input under a used id: its place in the depth is given back unless the first one still holds it. */
  private async leave(kind: Kind, name: RequestName): Promise<void> {
    const found = await this.records.find(name);
    if (found === undefined || found.end !== undefined || found.kind !== kind.name) {
      await this.admission.left(kind, jobId(name.player, name.id));
    }
  }

  /** The verdict is written before anything is stopped, so that no later attempt can end the request otherwise. */
  private async verdict(
    name: RequestName,
    found: Found,
    state: 'cancelled' | 'expired',
  ): Promise<boolean> {
    const end: End = { id: name.id, kind: found.kind, state, attempt: found.attempt };
    const settled = await this.records.settle(name, VERDICT, end);
    if (settled.is !== 'ok') return false;
    this.counters.add('requests_ended', state);
    const job = jobId(name.player, name.id);
    const kind = kindNamed(settled.kind);
    if (kind === undefined) return true;
    const [removed] = await Promise.all([
      this.queues.removeRequest(kind, name),
      this.admission.left(kind, job),
      this.redis.publish(ORDERS_CHANNEL, JSON.stringify({ stop: job, why: state })),
    ]);
    // What runs leaves the gate when it has stopped.
    if (Gate.has(kind)) await this.gate.leave(kind, job, !removed);
    return true;
  }
}

function readInput(kind: Kind, input: unknown): unknown {
  // Before the schema, whose work grows with what it is given.
  if (Buffer.byteLength(JSON.stringify(input)) > kind.inputBytes) {
    throw new Refusal('input_too_large', `at most ${kind.inputBytes} bytes as JSON`);
  }
  const parsed = kind.input.safeParse(input);
  if (!parsed.success) throw new Refusal('invalid_input', explain(parsed.error));
  return parsed.data;
}

/** The schema has ordered the keys and filled in defaults, so equal inputs have equal JSON. */
function hashOf(kind: Kind, input: unknown): string {
  return digest('sha256', `${kind.name}\0${JSON.stringify(input)}`, 'base64url');
}

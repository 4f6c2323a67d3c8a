import {
  byType,
  clientMessages,
  decoder,
  encodeFrame,
  Refusal,
  replyErrors,
  serverMessages,
  type Body,
  type ClientMessageName,
  type Decoder,
  type MessageSpec,
} from '../../protocol/index.ts';
import type { Counters } from '../lib/counters.ts';
import type { Log } from '../lib/log.ts';
import type { Connection } from './connection.ts';
import type { Handlers } from './handlers.ts';
import type { Session } from './session.ts';

type FixedOf = Extract<Body<unknown>, { form: 'fixed' }>;

interface Route {
  readonly name: ClientMessageName;
  readonly cost: number;
  /** Set for fixed bodies, which are read in place; others go through `decode`. */
  readonly fixed: FixedOf | undefined;
  readonly decode: Decoder;
  readonly handle: (body: unknown, who: Connection | Session) => unknown;
  readonly reply: ((body: object, ref: number | undefined) => Uint8Array | ArrayBuffer) | undefined;
  /** Messages of this type so far. */
  count: number;
}

const ERROR_WINDOW_MS = 10_000;
/** One rate_limited per socket and this time: telling a flood about each frame would double it. */
const LIMITED_REPLY_MS = 100;

export interface DispatchOptions {
  readonly frameMaxBytes: number;
  readonly errorsMax: number;
}

/** limit -> decode -> validate -> handler -> reply, with one exit for every error. */
export class Dispatcher {
  private readonly routes: (Route | undefined)[];
  private readonly hello: Route;

  constructor(
    handlers: Handlers,
    private readonly options: DispatchOptions,
    private readonly counters: Counters,
    private readonly log: Log,
  ) {
    this.routes = byType(clientMessages).map((name) =>
      name === undefined ? undefined : createRoute(name, handlers),
    );
    this.hello = this.routes[clientMessages.hello.type] as Route;
  }

  /**
   * Called inside the socket's message event.
   * @param bytes dead when this returns or first awaits: decoding copies what lives on
   */
  receive(connection: Connection, bytes: ArrayBuffer, isBinary: boolean): void {
    const now = performance.now();
    const view = new DataView(bytes);
    const route = isBinary && bytes.byteLength > 0 ? this.routes[view.getUint8(0)] : undefined;
    const cost = route === undefined ? 1 : route.cost;
    let ref: number | undefined;
    let id: string | undefined;
    try {
      if (!connection.credits.take(cost, now)) {
        throw new Refusal('rate_limited', undefined, connection.credits.wait(cost));
      }
      if (route === undefined) throw whatIsWrong(bytes, isBinary);
      if (bytes.byteLength > this.options.frameMaxBytes) {
        throw new Refusal('frame_too_large', `at most ${this.options.frameMaxBytes} bytes`);
      }
      const { stage } = connection;
      if (stage.is === 'refused' || stage.is === 'closed') return;
      if ((stage.is === 'greeting') !== (route === this.hello)) {
        throw new Refusal(route === this.hello ? 'hello_twice' : 'hello_first');
      }
      const who = stage.is === 'open' ? stage.session : connection;
      if (who === connection && route !== this.hello) throw new Refusal('hello_first');
      route.count++;
      let body: unknown;
      if (route.fixed === undefined) {
        body = route.decode(new Uint8Array(bytes));
        ({ ref, id } = namesIn(body));
      } else body = readFixed(route.fixed, view);
      const answer = route.handle(body, who);
      if (answer instanceof Promise) this.settle(connection, route, answer, ref, id);
      else if (answer !== undefined) this.reply(connection, route, answer as object, ref);
    } catch (error) {
      this.refuse(connection, error, route, ref, id);
    }
  }

  /** @returns [message name, how many were handled] */
  *counts(): Iterable<[string, number]> {
    for (const route of this.routes) if (route !== undefined) yield [route.name, route.count];
  }

  private settle(
    connection: Connection,
    route: Route,
    answer: Promise<unknown>,
    ref: number | undefined,
    id: string | undefined,
  ): void {
    answer
      .then((body) => {
        const frame = body === undefined ? undefined : route.reply?.(body as object, ref);
        if (frame !== undefined) connection.sendSoon(frame);
      })
      .catch((error: unknown) => this.refuse(connection, error, route, ref, id));
  }

  private reply(connection: Connection, route: Route, body: object, ref: number | undefined): void {
    if (route.reply !== undefined) connection.send(route.reply(body, ref));
  }

  private refuse(
    connection: Connection,
    error: unknown,
    route: Route | undefined,
    ref: number | undefined,
    id: string | undefined,
  ): void {
    const refusal = error instanceof Refusal ? error : this.fault(error, route);
    const { code, message, retryAfterMs } = refusal;
    this.counters.add('frames_refused', code);
    const now = performance.now();
    if (this.tooMany(connection, now)) return connection.end('too_many_errors');
    if (code === 'rate_limited') {
      if (now - connection.toldLimited < LIMITED_REPLY_MS) return;
      connection.toldLimited = now;
    }
    connection.send(
      encodeFrame(serverMessages.error, {
        code,
        message,
        retry: replyErrors[code].retry,
        ...(ref !== undefined && { ref }),
        ...(id !== undefined && { id }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
        ...(route !== undefined && { type: clientMessages[route.name].type }),
      }),
    );
  }

  private fault(error: unknown, route: Route | undefined): Refusal {
    this.log.error('handler failed', { message: route?.name, error });
    return new Refusal('internal');
  }

  private tooMany(connection: Connection, now: number): boolean {
    if (now - connection.errorsSince > ERROR_WINDOW_MS) {
      connection.errorsSince = now;
      connection.errors = 0;
    }
    return ++connection.errors > this.options.errorsMax;
  }
}

function createRoute(name: ClientMessageName, handlers: Handlers): Route {
  const spec: MessageSpec & { readonly cost: number } = clientMessages[name];
  return {
    name,
    cost: spec.cost,
    fixed: spec.body.form === 'fixed' ? spec.body : undefined,
    decode: decoder(spec),
    handle: handlers[name] as Route['handle'],
    reply: replier(name),
    count: 0,
  };
}

/** Fixed replies are written into one buffer a route, which the socket copies when it sends. */
function replier(name: ClientMessageName): Route['reply'] {
  const message = clientMessages[name];
  if (!('reply' in message)) return undefined;
  const spec: MessageSpec = serverMessages[message.reply];
  const { body, type } = spec;
  if (body.form === 'msgpack') return (value, ref) => encodeFrame(spec, { ref, ...value });
  const buffer = new ArrayBuffer(body.size + 1);
  const view = new DataView(buffer);
  view.setUint8(0, type);
  return (value) => {
    body.encode(view, 1, value);
    return buffer;
  };
}

function readFixed(body: FixedOf, view: DataView): unknown {
  if (view.byteLength !== body.size + 1) {
    throw new Refusal('malformed_body', `${view.byteLength - 1} bytes where ${body.size} belong`);
  }
  const value = body.decode(view, 1);
  if (typeof value === 'string') throw new Refusal('invalid_body', value);
  return value;
}

function whatIsWrong(bytes: ArrayBuffer, isBinary: boolean): Refusal {
  if (!isBinary) return new Refusal('text_frame');
  if (bytes.byteLength === 0) return new Refusal('empty_frame');
  return new Refusal('unknown_type', `byte ${new Uint8Array(bytes)[0]}`);
}

/** @returns what an error reply repeats, so that the client knows which of its messages is meant */
function namesIn(body: unknown): { ref: number | undefined; id: string | undefined } {
  const { ref, id } = body as { ref?: number; id?: string };
  return { ref, id };
}

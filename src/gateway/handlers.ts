import type {
  ClientBody,
  ClientMessageName,
  ClientMessages,
  ServerBody,
  ServerMessageName,
} from '../../protocol/index.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Matches } from '../match/matches.ts';
import type { Connection } from './connection.ts';
import type { Hub } from './hub.ts';
import type { Rooms } from './rooms.ts';
import type { Session } from './session.ts';

type ReplyOf<N extends ClientMessageName> = ClientMessages[N] extends {
  readonly reply: infer R extends ServerMessageName;
}
  ? Omit<ServerBody<R>, 'ref'>
  : undefined;
type Answer<N extends ClientMessageName> = ReplyOf<N> | Promise<ReplyOf<N>>;

/**
 * What is done with a valid message. A handler returns the reply's body or throws a Refusal; it never touches the
 * socket. `hello` alone runs before there is a session.
 */
export type Handlers = {
  readonly [N in ClientMessageName]: N extends 'hello'
    ? (body: ClientBody<N>, connection: Connection) => Answer<N>
    : (body: ClientBody<N>, session: Session) => Answer<N>;
};

export interface Services {
  readonly hub: Hub;
  readonly rooms: Rooms;
  readonly jobs: Jobs;
  readonly matches: Matches;
}

const OK = {};

/** Until submit says the true deadline, ms. */
const PROVISIONAL_MS = 60_000;

export function createHandlers({ hub, rooms, jobs, matches }: Services): Handlers {
  return {
    hello: (body, connection) => hub.join(connection, body.session),
    ping: ({ seq, clientTime }) => ({ seq, clientTime, serverTime: Date.now() }),
    ack: ({ epoch, offset }, session) => {
      hub.ack(session, epoch, offset);
      return undefined;
    },
    request: async (body, session) => {
      const known = session.open?.has(body.id) === true;
      // Before it is taken on, because a quick end comes before the answer to submit.
      if (!known) hub.expect(session, body.id, Date.now() + PROVISIONAL_MS);
      try {
        const { deadline, ...status } = await jobs.submit(
          { player: session.player, ...body },
          session.id,
        );
        if (known || session.open?.has(status.id) === true)
          hub.expect(session, status.id, deadline);
        return status;
      } catch (error) {
        if (!known) hub.forget(session, body.id);
        throw error;
      }
    },
    cancel: async ({ id }, session) => {
      await jobs.cancel({ player: session.player, id });
      return OK;
    },
    join: async ({ room }, session) => await rooms.join(session, room),
    leave: async ({ room }, session) => {
      await rooms.leave(session, room);
      return OK;
    },
    say: ({ room, text }, session) => {
      rooms.say(session, room, text);
      return undefined;
    },
    presence: async ({ room }, session) => await rooms.members(session, room),
    watch: async ({ match }, session) => await matches.watch(session, match),
    unwatch: ({ match }, session) => {
      matches.unwatch(session, match);
      return OK;
    },
    steer: (body, session) => {
      matches.steer(session, body);
      return undefined;
    },
    forfeit: async ({ match }, session) => {
      await matches.forfeit(session, match);
      return OK;
    },
  };
}

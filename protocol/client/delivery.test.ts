import { describe, expect, it } from 'vitest';
import { encodeFrame, serverMessages, type End } from '../index.ts';
import { harness } from './harness.fixture.ts';

const h = harness();

function end(id: string): End {
  return { id, kind: 'pipeline', state: 'cancelled', attempt: 0 };
}

/** Ids of ends that nobody waited for, in the order in which the application got them. */
function listen(): string[] {
  const ids: string[] = [];
  h.client.on('end', ({ id }) => ids.push(id));
  return ids;
}

describe('reliable delivery', () => {
  it('R6 hands messages over in order and acknowledges them together within 50 ms', async () => {
    await h.open();
    const ends = listen();
    for (const offset of [1, 2, 3]) h.socket.reliable(offset, 'ended', end(`r${offset}`));
    expect(ends).toEqual(['r1', 'r2', 'r3']);
    expect(h.socket.of('ack')).toEqual([]);
    await h.pass(50);
    expect(h.socket.of('ack')).toEqual([{ epoch: 7, offset: 3 }]);
    await h.pass(1_000);
    expect(h.socket.of('ack')).toHaveLength(1);
  });

  it('R6 acknowledges at once when 32 are owed', async () => {
    await h.open();
    for (let offset = 1; offset <= 33; offset++) h.socket.reliable(offset, 'ok', {});
    expect(h.socket.of('ack')).toEqual([{ epoch: 7, offset: 32 }]);
    await h.pass(50);
    expect(h.socket.last('ack')).toEqual({ epoch: 7, offset: 33 });
  });

  it('R8 drops a duplicate and acknowledges it again', async () => {
    await h.open();
    const ends = listen();
    h.socket.reliable(1, 'ended', end('r1'));
    await h.pass(50);
    h.socket.reliable(1, 'ended', end('r1'));
    await h.pass(50);
    expect(ends).toEqual(['r1']);
    expect(h.socket.of('ack')).toEqual([
      { epoch: 7, offset: 1 },
      { epoch: 7, offset: 1 },
    ]);
  });

  it('R8 a gap closes the socket, and the next one goes on behind what was taken', async () => {
    await h.open();
    const ends = listen();
    h.socket.reliable(1, 'ended', end('r1'), 55);
    h.socket.reliable(3, 'ended', end('r3'));
    expect(h.socket.closedWith).toEqual({ code: 3000 });
    expect(ends).toEqual(['r1']);
    const next = await h.reconnected();
    expect(next.last('hello')).toEqual({
      session: { id: 'AAAAAAAAAAAAAAAA', epoch: 7, offset: 1, nonce: 55 },
    });
    next.welcome({ resumed: true, offset: 1 });
    next.reliable(2, 'ended', end('r2'));
    next.reliable(3, 'ended', end('r3'));
    expect(ends).toEqual(['r1', 'r2', 'r3']);
  });

  it('R4 a resumed session is no new epoch', async () => {
    await h.open();
    const epochs: number[] = [];
    h.client.on('epoch', ({ epoch }) => epochs.push(epoch));
    h.socket.cut();
    (await h.reconnected()).welcome({ resumed: true });
    expect(epochs).toEqual([]);
  });

  it('R5 a new epoch is told, counts from its own start, and repeats no end', async () => {
    await h.open();
    const ends = listen();
    const epochs: number[] = [];
    h.client.on('epoch', ({ epoch }) => epochs.push(epoch));
    h.socket.reliable(1, 'ended', end('r1'));
    h.socket.cut();
    const next = await h.reconnected();
    next.welcome({ epoch: 8 });
    expect(epochs).toEqual([8]);
    next.reliable(1, 'ended', end('r1'));
    next.reliable(2, 'ended', end('r2'));
    expect(ends).toEqual(['r1', 'r2']);
    await h.pass(50);
    expect(next.of('ack')).toEqual([{ epoch: 8, offset: 2 }]);
  });

  it('R7 takes a new epoch on a living socket, and owes the old one nothing', async () => {
    await h.open();
    h.socket.reliable(1, 'ok', {});
    h.socket.welcome({ epoch: 9 });
    await h.pass(1_000);
    expect(h.socket.of('ack')).toEqual([]);
    h.socket.reliable(1, 'ok', {}, 77);
    await h.pass(50);
    expect(h.socket.of('ack')).toEqual([{ epoch: 9, offset: 1 }]);
    h.socket.cut();
    expect((await h.reconnected()).last('hello')).toMatchObject({
      session: { epoch: 9, offset: 1, nonce: 77 },
    });
    expect(h.gateway.sockets).toHaveLength(2);
  });

  it('R4 a gateway that resumes from elsewhere has not resumed', async () => {
    await h.open();
    let epochs = 0;
    h.client.on('epoch', () => epochs++);
    h.socket.cut();
    const next = await h.reconnected();
    next.welcome({ resumed: true, offset: 5 });
    expect(epochs).toBe(1);
    next.reliable(6, 'ok', {});
    await h.pass(50);
    expect(next.last('ack')).toEqual({ epoch: 7, offset: 6 });
  });

  it('R9 takes an inner frame that it cannot read, and says so', async () => {
    await h.open();
    const faults: string[] = [];
    h.client.on('fault', ({ what }) => faults.push(what));
    const header = (offset: number) => [
      ...encodeFrame(serverMessages.reliable, { offset, nonce: 1 }),
    ];
    h.socket.bytes(Uint8Array.from([...header(1), 200]));
    h.socket.bytes(Uint8Array.from([...header(2), serverMessages.ended.type, 0xc1]));
    h.socket.bytes(Uint8Array.from([...header(3), ...header(4)]));
    h.socket.bytes(Uint8Array.from(header(4)));
    expect(faults).toHaveLength(4);
    await h.pass(50);
    expect(h.socket.last('ack')).toEqual({ epoch: 7, offset: 4 });
  });

  it('F1 a bare frame that cannot be read changes nothing', async () => {
    await h.open();
    const faults: string[] = [];
    h.client.on('fault', ({ what }) => faults.push(what));
    for (const frame of [[], [99], [9, 0xc1], [4, 0, 0], [2, 1]])
      h.socket.bytes(Uint8Array.from(frame));
    expect(faults).toEqual([
      'frame of unknown type undefined',
      'frame of unknown type 99',
      'unreadable frame',
      'unreadable frame',
      'unreadable frame',
    ]);
    expect(h.client.state.name).toBe('open');
  });
});

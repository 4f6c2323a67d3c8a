/** Readers for what Redis answers: nothing of a reply is believed before one of these has looked at it. */
export class BadReply extends Error {
  constructor(expected: string, got: unknown) {
    super(`Redis answered ${typeof got} where ${expected} belongs`);
    this.name = 'BadReply';
  }
}

export function asList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new BadReply('a list', reply);
  return reply;
}

export function asBytes(reply: unknown): Buffer {
  if (!Buffer.isBuffer(reply)) throw new BadReply('bytes', reply);
  return reply;
}

export function asText(reply: unknown): string {
  return typeof reply === 'string' ? reply : asBytes(reply).toString();
}

export function asNumber(reply: unknown): number {
  const number = typeof reply === 'number' ? reply : Number(asText(reply));
  if (!Number.isFinite(number)) throw new BadReply('a number', reply);
  return number;
}

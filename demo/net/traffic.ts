/** Bytes through sockets, as a rate over the last seconds. */
export class Traffic {
  private received = 0;
  private sent = 0;
  private readonly marks: { at: number; received: number; sent: number }[] = [];

  /** A WebSocket that counts what passes. */
  readonly Socket: typeof WebSocket;

  constructor() {
    const note = (received: number, sent: number): void => {
      this.received += received;
      this.sent += sent;
    };
    this.Socket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
          if (data instanceof ArrayBuffer) note(data.byteLength, 0);
        });
      }

      override send(data: string | ArrayBufferLike | Blob | ArrayBufferView<ArrayBuffer>): void {
        if (ArrayBuffer.isView(data)) note(0, data.byteLength);
        super.send(data as ArrayBufferView<ArrayBuffer>);
      }
    };
  }

  /** Bytes per second since about `WINDOW_MS` before `now`. Call it regularly. */
  rates(now: number): { received: number; sent: number } {
    const { marks } = this;
    marks.push({ at: now, received: this.received, sent: this.sent });
    while (marks[1] && now - marks[1].at > WINDOW_MS) marks.shift();
    const [first] = marks;
    const seconds = first ? (now - first.at) / 1_000 : 0;
    if (!first || seconds < 0.5) return { received: 0, sent: 0 };
    return {
      received: (this.received - first.received) / seconds,
      sent: (this.sent - first.sent) / seconds,
    };
  }
}

const WINDOW_MS = 3_000;

import type { PodProgram } from '../../pod-program.ts';
import type { SpdyStream } from './spdy.ts';

/** Joins the streams of a port-forward with the pod's ports. Source: kubernetes@1.34 cri streaming portforward/httpstream.go. */
export class PortForward {
  readonly #program: PodProgram | undefined;
  readonly #pod: string;
  readonly #waiting = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();

  constructor(program: PodProgram | undefined, pod: string) {
    this.#program = program;
    this.#pod = pod;
  }

  accept(stream: SpdyStream): void {
    const id = stream.headers.get('requestid') ?? String(stream.id - (stream.id % 4));
    const kind = stream.headers.get('streamtype');
    const pair = this.#waiting.get(id) ?? {};
    if (kind === 'error') pair.error = stream;
    else if (kind === 'data') pair.data = stream;
    else {
      stream.reset();
      return;
    }
    this.#waiting.set(id, pair);
    if (pair.error === undefined || pair.data === undefined) return;
    this.#waiting.delete(id);
    void this.#join(pair.error, pair.data);
  }

  async #join(error: SpdyStream, data: SpdyStream): Promise<void> {
    const port = Number(data.headers.get('port'));
    const connection = this.#program?.connect(port);
    if (connection === undefined) {
      error.write(
        new TextEncoder().encode(
          `error forwarding port ${port} to pod ${this.#pod}: connection refused: nothing listens there`,
        ),
      );
      error.end();
      data.end();
      return;
    }
    const upstream = (async () => {
      for await (const chunk of data.input) await connection.write(chunk);
      connection.end();
    })();
    try {
      for await (const chunk of connection.output) data.write(chunk);
    } catch (cause) {
      error.write(
        new TextEncoder().encode(`error forwarding port ${port}: ${cause instanceof Error ? cause.message : 'failed'}`),
      );
    }
    data.end();
    error.end();
    connection.destroy();
    await upstream.catch(() => undefined);
  }
}

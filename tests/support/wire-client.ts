import { Agent, request } from 'undici';
import type { ClusterAccess } from '../../src/cli/cluster/kubeconfig.ts';

export interface Answered {
  readonly status: number;
  readonly body: Json;
}
/** A parsed answer, looked into freely: tests fail by themselves where it is not what they expect. */
// biome-ignore lint/suspicious/noExplicitAny: see above
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

/** Requests as a program makes them, over TLS with the administrator's certificate; the least there can be between a test and the server. */
export class WireClient {
  readonly #url: string;
  readonly #agent: Agent;

  constructor({ url, authority, certificate, key }: ClusterAccess, connections = 64) {
    this.#url = url;
    this.#agent = new Agent({
      connect: { ca: authority, cert: certificate, key, timeout: 2000 },
      connections,
      headersTimeout: 20_000,
      bodyTimeout: 0,
    });
  }

  /** @throws when no whole answer came. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    const answer = await request(this.#url + path, {
      method: method as 'GET',
      dispatcher: this.#agent,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  /** The events of a watch as they come. @throws when the connection breaks, or the server does not open the stream. */
  async *watch(path: string, signal?: AbortSignal): AsyncGenerator<Json> {
    const answer = await request(this.#url + path, {
      dispatcher: this.#agent,
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer.statusCode !== 200) throw new Error(`watch: ${answer.statusCode} ${await answer.body.text()}`);
    let rest = '';
    for await (const chunk of answer.body.setEncoding('utf8')) {
      const lines = (rest + (chunk as string)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

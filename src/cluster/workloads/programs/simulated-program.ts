import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import type { ByteStream, ExecStreams, LogOptions, PodProgram } from '../../pod-program.ts';
import { faultOf } from '../kubelet/behaviour.ts';
import type { ContainerStatus, Pod } from '../shapes.ts';
import { timeMs } from '../times.ts';
import { runCommand } from './commands.ts';
import { type LogLine, LogLines } from './log-lines.ts';
import { NOTICE, pageOf } from './page.ts';

/** Stands for the process of one container: a page on every port, a few log lines, a few commands. */
export class SimulatedProgram implements PodProgram {
  readonly #pod: () => Pod | undefined;
  readonly #container: string;
  readonly #now: () => number;
  readonly #lines = new LogLines();
  readonly #connections = new Set<Duplex>();
  #server: Server | undefined;
  #logged = -1;

  constructor(pod: () => Pod | undefined, container: string, now: () => number) {
    this.#pod = pod;
    this.#container = container;
    this.#now = now;
  }

  async *logs(options: LogOptions): AsyncIterable<string> {
    const pod = this.#pod();
    if (pod === undefined) return;
    if (options.previous) {
      const { restartCount, lastState } = statusOf(pod, this.#container) ?? { restartCount: 0, lastState: {} };
      const startMs = timeMs(lastState.terminated?.startedAt);
      const previous = new LogLines();
      for (const line of linesOf(pod, this.#container, Math.max(0, restartCount - 1), startMs)) previous.add(line);
      yield* previous.read({ ...options, follow: false }, this.#now());
      return;
    }
    this.refresh();
    yield* this.#lines.read(options, this.#now());
  }

  /** Adds the lines of runs that began since the last look. */
  refresh(): void {
    const pod = this.#pod();
    const status = pod === undefined ? undefined : statusOf(pod, this.#container);
    if (pod === undefined || status === undefined) return;
    const started =
      status.state.running?.startedAt ?? status.state.terminated?.startedAt ?? status.lastState.terminated?.startedAt;
    if (started === undefined || this.#logged >= status.restartCount) return;
    this.#logged = status.restartCount;
    for (const line of linesOf(pod, this.#container, status.restartCount, timeMs(started))) this.#lines.add(line);
  }

  connect(port: number): ByteStream | undefined {
    const [near, far] = duplexPair();
    this.#server ??= createServer((request, response) => this.#answer(request, response));
    this.#connections.add(far);
    far.once('close', () => this.#connections.delete(far));
    // A client that goes away in the middle is no failure of ours.
    far.on('error', () => far.destroy());
    near.on('error', () => near.destroy());
    Object.assign(far, { localPort: port });
    this.#server.emit('connection', far);
    return {
      output: near as AsyncIterable<Uint8Array>,
      write: (chunk) =>
        near.destroyed || near.write(chunk) ? undefined : new Promise((resolve) => near.once('drain', () => resolve())),
      end: () => {
        near.end();
      },
      destroy: () => {
        near.destroy();
        far.destroy();
      },
    };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const pod = this.#pod();
    // Bodies are not looked at; they flow away.
    request.resume();
    if (pod === undefined) {
      response.writeHead(503, { 'content-type': 'text/plain' }).end('the pod is gone\n');
      return;
    }
    const method = request.method ?? 'GET';
    const path = request.url ?? '/';
    const page = pageOf(pod, this.#container, {
      method,
      path,
      accept: request.headers.accept ?? '',
      userAgent: request.headers['user-agent'] ?? '',
    });
    const bytes = Buffer.from(page.body);
    response.writeHead(200, {
      'content-type': page.contentType,
      'content-length': bytes.byteLength,
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'x-content-type-options': 'nosniff',
      'x-weir-simulated': 'true',
    });
    response.end(method === 'HEAD' ? undefined : bytes);
    const shown = JSON.stringify(path.slice(0, 200)).slice(1, -1);
    this.#lines.add({ atMs: this.#now(), text: `simulated: ${method} ${shown} 200` });
  }

  exec(command: readonly string[], streams: ExecStreams): Promise<number> {
    const pod = this.#pod();
    if (pod === undefined) return Promise.resolve(137);
    return runCommand(pod, command, streams, this.#now());
  }

  async stop(): Promise<void> {
    this.#lines.end();
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
    this.#server = undefined;
  }
}

export function statusOf(pod: Pod, container: string): ContainerStatus | undefined {
  const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return all.find(({ name }) => name === container);
}

/** The lines of one run: the same for the same pod, image and run. */
function linesOf(pod: Pod, container: string, run: number, startMs: number): LogLine[] {
  const { name, namespace } = pod.metadata;
  const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === container);
  const ports = (spec?.ports ?? []).map(({ containerPort, protocol }) => `${containerPort}/${protocol ?? 'TCP'}`);
  const texts = [
    `simulated: ${NOTICE}`,
    `simulated: container ${container} of pod ${namespace ?? ''}/${name}, image ${spec?.image ?? ''}, run ${run + 1}`,
    ports.length === 0 ? 'simulated: started' : `simulated: started, listening on ${ports.join(', ')}`,
  ];
  const status = statusOf(pod, container);
  const fault = pod.spec.containers[0]?.name === container ? faultOf(pod) : undefined;
  if (fault !== undefined)
    texts.push(`simulated: error: fault ${fault} was asked for by the annotation sim.weir.dev/fault`);
  const ended = status?.state.terminated;
  if (ended !== undefined && status?.restartCount === run) texts.push(`simulated: exit code ${ended.exitCode}`);
  return texts.map((text) => ({ atMs: startMs, text }));
}

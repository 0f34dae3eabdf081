import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { err, ok, type Result } from '../base/result.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';
import type { Metrics } from './metrics.ts';

export interface HealthOptions {
  /** `--metrics-addr`; serves /metrics. `0`: not at all. */
  readonly metricsAddr: string;
  /** `--health-addr`; serves /healthz and /readyz. */
  readonly healthAddr: string;
  readonly metrics: Metrics;
  /** Whether all caches hold what the cluster holds. */
  readonly isReady: () => boolean;
}

export interface HealthServers {
  /** Ports really listened on; undefined where there is no server. */
  readonly metricsPort: number | undefined;
  readonly healthPort: number | undefined;
  close(): Promise<void>;
}

type Respond = (path: string, response: ServerResponse) => void;

/** Starts the servers for metrics and probes. Errors: a message that names the flag and the address. */
export async function startHealth(options: HealthOptions): Promise<Result<HealthServers, string>> {
  const metrics = await listen('--metrics-addr', options.metricsAddr, (path, response) => {
    if (path !== '/metrics') return answer(response, 404, 'not found');
    options.metrics.registry.metrics().then(
      (text) => answer(response, 200, text, options.metrics.registry.contentType),
      () => answer(response, 500, 'metrics failed'),
    );
  });
  if (!metrics.ok) return metrics;
  const health = await listen('--health-addr', options.healthAddr, (path, response) => {
    if (path === '/healthz') answer(response, 200, 'ok');
    else if (path !== '/readyz') answer(response, 404, 'not found');
    else if (options.isReady()) answer(response, 200, 'ok');
    else answer(response, 500, 'caches are not synced');
  });
  if (!health.ok) {
    await close(metrics.value);
    return health;
  }
  return ok({
    metricsPort: portOf(metrics.value),
    healthPort: portOf(health.value),
    async close() {
      await Promise.all([close(metrics.value), close(health.value)]);
    },
  });
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type });
  response.end(text);
}

async function listen(flag: string, address: string, respond: Respond): Promise<Result<Server | undefined, string>> {
  const parsed = parseListenAddress(address);
  if (!parsed.ok) return err(`${flag}: ${parsed.error}`);
  if (parsed.value === undefined) return ok(undefined);
  const server = createServer((request, response) => {
    request.resume();
    respond((request.url ?? '').split('?')[0] as string, response);
  });
  const failure = await listening(server, parsed.value);
  return failure === undefined ? ok(server) : err(`${flag}: cannot listen on ${address}: ${failure}`);
}

function listening(server: Server, { host, port }: ListenAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      resolve(cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message);
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => resolve(undefined));
  });
}

function portOf(server: Server | undefined): number | undefined {
  return server === undefined ? undefined : (server.address() as AddressInfo).port;
}

function close(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined) return resolve();
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

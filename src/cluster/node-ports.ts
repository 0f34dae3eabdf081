import { createServer, type Server, type Socket } from 'node:net';
import type { KubeObject } from '../api/object.ts';
import { field, isArray, type Json, stringAt } from '../base/json.ts';
import type { Log } from '../base/log.ts';
import { selects } from './apiserver/label-selector.ts';
import type { PodPrograms } from './pod-program.ts';
import type { Registry } from './registry.ts';

const SERVICES = { group: '', plural: 'services' } as const;
const PODS = { group: '', plural: 'pods' } as const;
const HOST = '127.0.0.1';

export interface NodePortsOptions {
  readonly registry: Registry;
  readonly programs: PodPrograms;
  readonly log: Log;
}

/**
 * Lets node ports of Services with simulated pods answer on loopback, as a node's would. A port that another program has is left
 * to it, with a line in the log. Returns the end of it.
 */
export function serveNodePorts(options: NodePortsOptions): () => Promise<void> {
  const { registry, log } = options;
  const servers = new Map<number, Server>();
  const open = (port: number): void => {
    if (servers.has(port)) return;
    const server = createServer((socket) => void join(options, port, socket));
    servers.set(port, server);
    server.on('error', (cause: NodeJS.ErrnoException) => {
      servers.delete(port);
      log.info('a node port does not answer: another program has it', { port, reason: cause.code ?? cause.message });
    });
    server.listen(port, HOST);
    server.unref();
  };
  const refresh = (): void => {
    const wanted = new Set(
      registry.list(SERVICES).flatMap((service) => (isSimulated(service) ? [...portsOf(service).keys()] : [])),
    );
    for (const port of wanted) open(port);
    for (const [port, server] of servers) {
      if (wanted.has(port)) continue;
      servers.delete(port);
      server.close();
    }
  };
  refresh();
  const unwatch = registry.watch(SERVICES, refresh);
  return async () => {
    unwatch();
    await Promise.all(
      [...servers.values()].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  };
}

/** A Service without a selector is answered by something outside of the cluster. */
function isSimulated(service: KubeObject): boolean {
  return field(service.spec, 'selector') !== undefined;
}

function portsOf(service: KubeObject): ReadonlyMap<number, Json> {
  const ports = field(service.spec, 'ports');
  const found = new Map<number, Json>();
  for (const port of isArray(ports) ? ports : []) {
    const number = field(port, 'nodePort');
    if (typeof number === 'number' && number > 0 && (stringAt(port, 'protocol') ?? 'TCP') === 'TCP')
      found.set(number, port);
  }
  return found;
}

async function join({ registry, programs }: NodePortsOptions, nodePort: number, socket: Socket): Promise<void> {
  socket.on('error', () => socket.destroy());
  const service = registry.list(SERVICES).find((one) => isSimulated(one) && portsOf(one).has(nodePort));
  const port = service === undefined ? undefined : portsOf(service).get(nodePort);
  if (service === undefined || port === undefined) {
    socket.destroy();
    return;
  }
  const { namespace = '' } = service.metadata;
  const selector = { matchLabels: field(service.spec, 'selector') ?? {} };
  const pod = registry
    .list(PODS, namespace)
    .find((one) => isReady(one) && selects(selector, one.metadata.labels) && targetPort(one, port) !== undefined);
  const connection =
    pod === undefined ? undefined : programs.of(namespace, pod.metadata.name)?.connect(targetPort(pod, port) as number);
  if (connection === undefined) {
    socket.destroy();
    return;
  }
  socket.on('close', () => connection.destroy());
  const upstream = (async () => {
    for await (const chunk of socket as AsyncIterable<Uint8Array>) await connection.write(chunk);
    connection.end();
  })().catch(() => undefined);
  try {
    for await (const chunk of connection.output) if (!socket.destroyed) socket.write(chunk);
    socket.end();
  } catch {
    socket.destroy();
  }
  await upstream;
}

function isReady(pod: KubeObject): boolean {
  const conditions = field(pod.status, 'conditions');
  return (
    pod.metadata.deletionTimestamp === undefined &&
    isArray(conditions) &&
    conditions.some((one) => field(one, 'type') === 'Ready' && field(one, 'status') === 'True')
  );
}

function targetPort(pod: KubeObject, port: Json): number | undefined {
  const target = field(port, 'targetPort') ?? field(port, 'port');
  if (typeof target === 'number') return target;
  const containers = field(pod.spec, 'containers');
  for (const container of isArray(containers) ? containers : []) {
    const ports = field(container, 'ports');
    const named = isArray(ports) ? ports.find((one) => field(one, 'name') === target) : undefined;
    const number = field(named, 'containerPort');
    if (typeof number === 'number') return number;
  }
  return undefined;
}

import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { Duplex } from 'node:stream';
import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { field, isArray, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { ByteStream } from '../pod-program.ts';
import type { StatusError } from '../registry.ts';
import type { Kernel } from './kernel.ts';
import type { Reply } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { badRequest, notFound } from './status.ts';

/** Headers that belong to one connection, or are for the API server alone. */
const OWN =
  /^(:.*|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|authorization|impersonate-.*|content-length|http2-settings)$/;

interface Address {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

/** `name`, `name:port` or `scheme:name:port`. Source: kubernetes@1.34 apimachinery/pkg/util/net/port_split.go. */
export function splitAddress(text: string): Address | undefined {
  const parts = text.split(':');
  if (parts.length === 1) return { scheme: '', name: text, port: '' };
  if (parts.length === 2) return { scheme: '', name: parts[0] as string, port: parts[1] as string };
  const [scheme = '', name = '', port = ''] = parts;
  return parts.length === 3 && ['', 'http', 'https'].includes(scheme) ? { scheme, name, port } : undefined;
}

/** `/pods/NAME/proxy/PATH`: a request of its own to the pod. Source: kubernetes@1.34 pkg/registry/core/pod/strategy.go ResourceLocation. */
export async function proxyPod(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { namespace = '', name = '' } = request.path;
  const address = splitAddress(name);
  if (address === undefined) return err(badRequest(`invalid pod request ${JSON.stringify(name)}`));
  const pod = kernel.store.get('/pods', `${namespace}/${address.name}`)?.object;
  if (pod === undefined) return err(notFound({ group: '', plural: 'pods' }, address.name));
  const port = address.port === '' ? firstPort(pod) : Number(address.port);
  return forward(kernel, request, pod, port);
}

/** `/services/NAME:PORT/proxy/PATH`: the same, to one of its ready pods. Source: kubernetes@1.34 pkg/registry/core/service/storage/storage.go. */
export async function proxyService(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { namespace = '', name = '' } = request.path;
  const address = splitAddress(name);
  if (address === undefined) return err(badRequest(`invalid service request ${JSON.stringify(name)}`));
  const service = kernel.store.get('/services', `${namespace}/${address.name}`)?.object;
  if (service === undefined) return err(notFound({ group: '', plural: 'services' }, address.name));
  const ports = list(field(service.spec, 'ports'));
  const portName = /^\d+$/.test(address.port)
    ? ports.filter((one) => field(one, 'port') === Number(address.port)).map((one) => stringAt(one, 'name') ?? '')[0]
    : address.port;
  if (portName === undefined)
    return err(unavailable(`no service port ${address.port} found for service ${JSON.stringify(address.name)}`));
  const endpoints = kernel.store.get('/endpoints', `${namespace}/${address.name}`)?.object;
  if (endpoints === undefined) return err(notFound({ group: '', plural: 'endpoints' }, address.name));
  for (const subset of list(field(endpoints as unknown as Json, 'subsets'))) {
    const port = list(field(subset, 'ports')).find((one) => (stringAt(one, 'name') ?? '') === portName);
    const target = list(field(subset, 'addresses')).find((one) => stringAt(one, 'targetRef', 'kind') === 'Pod');
    const pod = kernel.store.get('/pods', `${namespace}/${stringAt(target, 'targetRef', 'name') ?? ''}`)?.object;
    const number = field(port, 'port');
    if (pod !== undefined && typeof number === 'number') return forward(kernel, request, pod, number);
  }
  return err(unavailable(`no endpoints available for service ${JSON.stringify(name)}`));
}

function list(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

function firstPort(pod: KubeObject): number {
  for (const container of list(field(pod.spec, 'containers'))) {
    const [port] = list(field(container, 'ports'));
    const number = field(port, 'containerPort');
    if (typeof number === 'number') return number;
  }
  return 80;
}

function unavailable(message: string): StatusError {
  return { code: 503, reason: 'ServiceUnavailable', message };
}

async function forward(
  kernel: Kernel,
  { method, path, query, headers, body }: ResourceRequest,
  pod: KubeObject,
  port: number,
): Promise<Result<Reply, StatusError>> {
  const { namespace = '', name } = pod.metadata;
  const ip = stringAt(pod.status, 'podIP') ?? '';
  if (ip === '') return err(badRequest('address not allowed'));
  const connection = kernel.programs.of(namespace, name)?.connect(port);
  const unreachable = (why: string): Result<never, StatusError> =>
    err(unavailable(`error trying to reach service: ${why}`));
  if (connection === undefined) return unreachable(`dial tcp ${ip}:${port}: connect: connection refused`);
  const search = query.toString();
  const answer = await new Promise<IncomingMessage | Error>((resolve) => {
    const sent = httpRequest({
      createConnection: () => duplexOf(connection),
      method,
      path: `/${path.rest ?? ''}${search === '' ? '' : `?${search}`}`,
      headers: {
        ...Object.fromEntries(Object.entries(headers).filter(([key]) => !OWN.test(key))),
        host: `${ip}:${port}`,
        ...(body.length === 0 ? {} : { 'content-length': String(body.length) }),
      },
    });
    sent.on('response', resolve);
    sent.on('error', resolve);
    sent.end(body);
  });
  if (answer instanceof Error) return unreachable(answer.message);
  const kept = Object.entries(answer.headers).filter(([key]) => !OWN.test(key) && key !== 'content-type');
  return ok({
    status: answer.statusCode ?? 502,
    headers: Object.fromEntries(kept.map(([key, value]) => [key, String(value)])),
    content: { kind: 'stream', chunks: answer, type: answer.headers['content-type'] ?? 'application/octet-stream' },
  });
}

/** The connection as Node's HTTP client wants it. */
function duplexOf(connection: ByteStream): Duplex {
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Uint8Array, _encoding, done) => void write(connection, chunk, done),
    final: (done) => {
      connection.end();
      done();
    },
    destroy: (cause, done) => {
      connection.destroy();
      done(cause);
    },
  });
  void (async () => {
    try {
      for await (const chunk of connection.output) duplex.push(chunk);
      duplex.push(null);
    } catch (cause) {
      duplex.destroy(cause instanceof Error ? cause : new Error(String(cause)));
    }
  })();
  return duplex;
}

async function write(connection: ByteStream, chunk: Uint8Array, done: (cause?: Error) => void): Promise<void> {
  try {
    await connection.write(chunk);
    done();
  } catch (cause) {
    done(cause instanceof Error ? cause : new Error(String(cause)));
  }
}

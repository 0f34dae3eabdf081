import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, isObject } from '../../base/json.ts';
import { err, ok } from '../../base/result.ts';
import type { Store } from '../store/store.ts';
import { json, withField } from './draft.ts';
import type { Outcome } from './operation.ts';
import type { ResourceType } from './resource-type.ts';
import { internal, invalid, invalidValue } from './status.ts';

/** The service range, as `--service-cluster-ip-range=10.96.0.0/12`. */
const BASE = (10 << 24) | (96 << 16);
const SIZE = 2 ** 20;
/** What a dry run shows. Source: kubernetes@1.34 pkg/registry/core/service/{ip,port}allocator (dryRunAllocator, AllocateNext). */
const DRY_RUN_IP = '10.96.0.0';
const DRY_RUN_PORT = 32769;
const FIRST_PORT = 30_000;
const LAST_PORT = 32_767;

/** Gives Services their cluster IPs and node ports: from what the stored Services hold, so that nothing can leak. */
export class ServiceAddresses {
  readonly #store: Store;
  readonly #random: (below: number) => number;

  constructor(store: Store, random: (below: number) => number) {
    this.#store = store;
    this.#random = random;
  }

  /** The Service with its addresses; with `dryRun` none are taken, and fixed ones are shown. */
  allocate(type: ResourceType, service: KubeObject, old: KubeObject | undefined, dryRun: boolean): Outcome {
    const spec = service.spec ?? {};
    const kind = field(spec, 'type');
    if (kind === 'ExternalName') {
      const { clusterIP: _a, clusterIPs: _b, ipFamilies: _c, ipFamilyPolicy: _d, ...rest } = spec;
      return ok(withField(service, 'spec', withoutPorts(rest)));
    }
    const others = this.#store
      .list('/services')
      .filter((other) => other.metadata.uid !== (old ?? service).metadata.uid);
    const out: { [key: string]: Json } = { ...spec };
    const wasIp = field(old?.spec, 'clusterIP');
    let ip = field(spec, 'clusterIP');
    if ((ip === undefined || ip === '') && typeof wasIp === 'string' && field(old?.spec, 'type') !== 'ExternalName')
      ip = wasIp;
    const headless = ip === 'None';
    if (typeof ip === 'string' && ip !== '' && !headless && ip !== wasIp) {
      const problem = this.#checkIp(ip, others);
      if (problem !== undefined)
        return err(invalid(type, service.metadata.name, [invalidValue('spec.clusterIPs', [ip], problem)]));
    }
    if (ip === undefined || ip === '') {
      ip = dryRun ? DRY_RUN_IP : this.#freeIp(others);
      if (ip === undefined) return err(internal('failed to allocate a serviceIP: range is full'));
    }
    if (typeof ip === 'string' && ip !== '') {
      out['clusterIP'] = ip;
      out['clusterIPs'] = [ip];
    }
    out['ipFamilies'] ??= [typeof ip === 'string' && ip.includes(':') ? 'IPv6' : 'IPv4'];
    out['ipFamilyPolicy'] ??= headless && field(spec, 'selector') === undefined ? 'RequireDualStack' : 'SingleStack';
    if (headless && field(spec, 'selector') === undefined && field(spec, 'ipFamilies') === undefined)
      out['ipFamilies'] = ['IPv4', 'IPv6'];
    const ports = this.#ports(type, service, old, others, dryRun);
    if (!ports.ok) return ports;
    return ok(withField(ports.value, 'spec', { ...(json(ports.value)['spec'] as JsonObject), ...pick(out) }));
  }

  #checkIp(ip: string, others: readonly KubeObject[]): string | undefined {
    const value = parseIp(ip);
    if (value === undefined || value < BASE || value >= BASE + SIZE)
      return `failed to allocate IP ${ip}: the provided network does not match the current range`;
    if (others.some((other) => field(other.spec, 'clusterIP') === ip))
      return `failed to allocate IP ${ip}: provided IP is already allocated`;
    return undefined;
  }

  #freeIp(others: readonly KubeObject[]): string | undefined {
    const taken = new Set(others.map((other) => field(other.spec, 'clusterIP')));
    for (let attempt = 0; attempt < SIZE; attempt++) {
      // The first 256 addresses are left to those who ask for one.
      const value = BASE + 256 + this.#random(SIZE - 512);
      const text = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
      if (!taken.has(text)) return text;
    }
    return undefined;
  }

  #ports(
    type: ResourceType,
    service: KubeObject,
    old: KubeObject | undefined,
    others: readonly KubeObject[],
    dryRun: boolean,
  ): Outcome {
    const spec = service.spec ?? {};
    const kind = field(spec, 'type');
    const wants =
      kind === 'NodePort' || (kind === 'LoadBalancer' && field(spec, 'allocateLoadBalancerNodePorts') !== false);
    const list = field(spec, 'ports');
    if (!isArray(list)) return ok(service);
    if (kind === 'ClusterIP') {
      const was = field(old?.spec, 'type');
      if (was !== 'NodePort' && was !== 'LoadBalancer') return ok(service);
      const wasPorts = new Set(portsOf(old as KubeObject));
      // Ports that the change of type leaves behind go; ones the client set are for validation to refuse.
      return ok(
        withField(service, 'spec', {
          ...spec,
          ports: list.map((port) =>
            isObject(port) && wasPorts.has(Number(field(port, 'nodePort'))) ? without(port, 'nodePort') : port,
          ),
        }),
      );
    }
    if (!wants) return ok(service);
    const taken = new Set(others.flatMap(portsOf));
    const previous = new Map<string, number>();
    for (const port of isArray(field(old?.spec, 'ports')) ? (field(old?.spec, 'ports') as readonly Json[]) : []) {
      const number = field(port, 'nodePort');
      if (typeof number === 'number') previous.set(portKey(port), number);
    }
    const ports: Json[] = [];
    for (const [index, port] of list.entries()) {
      let number = field(port, 'nodePort');
      if (typeof number !== 'number' || number === 0) number = previous.get(portKey(port)) ?? 0;
      if (number !== 0) {
        const own = [...previous.values()].includes(number);
        if (!own && (number < FIRST_PORT || number > LAST_PORT))
          return err(
            invalid(type, service.metadata.name, [
              invalidValue(
                `spec.ports[${index}].nodePort`,
                number,
                `provided port is not in the valid range. The range of valid ports is ${FIRST_PORT}-${LAST_PORT}`,
              ),
            ]),
          );
        if (!own && taken.has(number))
          return err(
            invalid(type, service.metadata.name, [
              invalidValue(`spec.ports[${index}].nodePort`, number, 'provided port is already allocated'),
            ]),
          );
      } else number = dryRun ? DRY_RUN_PORT : this.#freePort(taken);
      if (number !== 0) taken.add(number);
      ports.push(number === 0 ? port : { ...(port as JsonObject), nodePort: number });
    }
    return ok(withField(service, 'spec', { ...spec, ports }));
  }

  #freePort(taken: ReadonlySet<number>): number {
    for (;;) {
      const port = FIRST_PORT + this.#random(LAST_PORT - FIRST_PORT + 1);
      if (!taken.has(port)) return port;
    }
  }
}

function pick(spec: { readonly [key: string]: Json }): JsonObject {
  const out: { [key: string]: Json } = {};
  for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
    if (spec[key] !== undefined) out[key] = spec[key];
  return out;
}

function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _gone, ...rest } = object;
  return rest;
}

function withoutPorts(spec: JsonObject): JsonObject {
  const ports = field(spec, 'ports');
  return isArray(ports)
    ? { ...spec, ports: ports.map((port) => (isObject(port) ? without(port, 'nodePort') : port)) }
    : spec;
}

function portsOf(service: KubeObject): readonly number[] {
  const ports = field(service.spec, 'ports');
  const numbers = isArray(ports) ? ports.map((port) => field(port, 'nodePort')) : [];
  return [...numbers, field(service.spec, 'healthCheckNodePort')].filter(
    (port) => typeof port === 'number' && port > 0,
  ) as number[];
}

function portKey(port: Json): string {
  return JSON.stringify([field(port, 'name') ?? '', field(port, 'protocol') ?? 'TCP', field(port, 'port') ?? 0]);
}

function parseIp(ip: string): number | undefined {
  const parts = ip.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return undefined;
  return parts.reduce((value, part) => value * 256 + part, 0);
}

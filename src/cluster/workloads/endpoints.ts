import type { KubeObject } from '../../api/object.ts';
import { equal, type Json } from '../../base/json.ts';
import type { Change } from '../registry.ts';
import { CONTROLLER_MANAGER, type Context, itself, keyOf, splitKey, type WorkloadController } from './context.ts';
import { controllerReference } from './owned.ts';
import { isFinished, isReady } from './pods.ts';
import type { Again } from './queue.ts';
import { isTerminatingNamespace } from './replicaset.ts';
import { ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES } from './resources.ts';
import { includes } from './selector.ts';
import { type Labels, type Pod, type Stored, shaped } from './shapes.ts';
import { timeText } from './times.ts';
import { deleteObject, WriteFailed, writtenOrGone } from './writes.ts';

const SERVICE_LABEL = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const SLICE_CONTROLLER = 'endpointslice-controller.k8s.io';
/** Endpoints in one slice, and in an Endpoints object: the defaults of kube-controller-manager. */
const SLICE_SIZE = 100;
const MAX_ENDPOINTS = 1000;

export type ServicePort = {
  readonly name?: string;
  readonly protocol?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly appProtocol?: string;
};

export type Service = Stored<
  {
    readonly type?: string;
    readonly selector?: Labels;
    readonly clusterIP?: string;
    readonly ports?: readonly ServicePort[];
    readonly publishNotReadyAddresses?: boolean;
  },
  { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
>;

interface Port {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly appProtocol?: string;
}

/** Pods that resolve a Service's ports to the same numbers. */
interface Group {
  readonly ports: readonly Port[];
  readonly pods: Pod[];
}

/** Lists the pods behind each Service, as EndpointSlices and as Endpoints. Source: kubernetes@1.34 pkg/controller/{endpoint,endpointslice}. */
export function endpointsController(context: Context): WorkloadController {
  const { registry, clock } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(SERVICES, namespace, name);
    if (stored === undefined) {
      const left = registry.get(ENDPOINTS, namespace, name);
      if (left !== undefined) await deleteObject(registry, ENDPOINTS, left);
      return undefined;
    }
    const service = shaped<Service>(stored);
    const { selector, type } = service.spec;
    // Without a selector somebody else says where the Service leads.
    if (selector === undefined || Object.keys(selector).length === 0 || type === 'ExternalName') return undefined;
    if (service.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = registry
      .list(PODS, namespace)
      .map((pod) => shaped<Pod>(pod))
      .filter((pod) => includes(pod.metadata.labels, selector) && !isFinished(pod) && hasAddress(pod))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    await writeSlices(service, groupsOf(service, pods));
    await writeEndpoints(service, pods);
    return undefined;
  }

  async function writeSlices(service: Service, groups: readonly Group[]): Promise<void> {
    const { namespace, name } = service.metadata;
    const known = registry
      .list(ENDPOINT_SLICES, namespace)
      .filter(
        ({ metadata }) => metadata.labels?.[SERVICE_LABEL] === name && metadata.labels[MANAGED_BY] === SLICE_CONTROLLER,
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const wanted: { readonly ports: Json; readonly endpoints: Json }[] = [];
    for (const { ports, pods } of groups) {
      for (let first = 0; first < pods.length || first === 0; first += SLICE_SIZE) {
        const endpoints = pods.slice(first, first + SLICE_SIZE).map((pod) => endpointOf(service, pod));
        wanted.push({ ports: ports as unknown as Json, endpoints });
      }
    }
    for (const [index, content] of wanted.entries()) {
      const slice = known[index];
      if (slice === undefined) await makeSlice(service, content);
      else {
        const { endpoints, ports } = slice as unknown as { endpoints?: Json; ports?: Json };
        if (equal(endpoints ?? [], content.endpoints) && equal(ports ?? [], content.ports)) continue;
        writtenOrGone(
          await registry.update(ENDPOINT_SLICES, { ...slice, ...content } as KubeObject, CONTROLLER_MANAGER),
        );
      }
    }
    for (const surplus of known.slice(wanted.length)) await deleteObject(registry, ENDPOINT_SLICES, surplus);
  }

  async function makeSlice(
    service: Service,
    content: { readonly ports: Json; readonly endpoints: Json },
  ): Promise<void> {
    const { namespace, name, labels } = service.metadata;
    const headless = service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        generateName: `${name}-`,
        namespace: namespace ?? '',
        labels: { ...labels, [MANAGED_BY]: SLICE_CONTROLLER, [SERVICE_LABEL]: name, ...headless },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': timeText(clock.now()) },
        ownerReferences: [controllerReference(service)],
      },
      addressType: 'IPv4',
      ...content,
    };
    const created = await registry.create(ENDPOINT_SLICES, slice as unknown as KubeObject, CONTROLLER_MANAGER);
    if (!created.ok && !isTerminatingNamespace(created.error)) throw new WriteFailed(created.error);
  }

  async function writeEndpoints(service: Service, pods: readonly Pod[]): Promise<void> {
    const { namespace, name, labels } = service.metadata;
    const subsets = groupsOf(service, pods.slice(0, MAX_ENDPOINTS)).flatMap(({ ports, pods: members }) => {
      const ready = members.filter((pod) => isServing(service, pod));
      const others = members.filter((pod) => !isServing(service, pod) && pod.metadata.deletionTimestamp === undefined);
      if (ready.length + others.length === 0) return [];
      return [
        {
          ...(ready.length === 0 ? {} : { addresses: ready.map(addressOf) }),
          ...(others.length === 0 ? {} : { notReadyAddresses: others.map(addressOf) }),
          ...(ports.length === 0 ? {} : { ports }),
        },
      ];
    }) as unknown as Json[];
    const known = registry.get(ENDPOINTS, namespace, name) as (KubeObject & { subsets?: Json }) | undefined;
    const headless = service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
    const wantedLabels = { ...labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller', ...headless };
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': timeText(clock.now()) };
    if (known === undefined) {
      const metadata = { name, namespace: namespace ?? '', labels: wantedLabels, annotations };
      const object = { apiVersion: 'v1', kind: 'Endpoints', metadata, ...(subsets.length === 0 ? {} : { subsets }) };
      const created = await registry.create(ENDPOINTS, object as KubeObject, CONTROLLER_MANAGER);
      if (!created.ok && !isTerminatingNamespace(created.error)) throw new WriteFailed(created.error);
      return;
    }
    if (equal(known.subsets ?? [], subsets) && equal(known.metadata.labels ?? {}, wantedLabels)) return;
    const { subsets: _, ...rest } = known;
    const metadata = {
      ...known.metadata,
      labels: wantedLabels,
      annotations: { ...known.metadata.annotations, ...annotations },
    };
    const next = { ...rest, metadata, ...(subsets.length === 0 ? {} : { subsets }) } as KubeObject;
    writtenOrGone(await registry.update(ENDPOINTS, next, CONTROLLER_MANAGER));
  }

  /** The Services whose selector takes the pod now or took it before. */
  function servicesOf({ object, previous }: Change): readonly string[] {
    const { namespace } = object.metadata;
    return registry
      .list(SERVICES, namespace)
      .map((service) => shaped<Service>(service))
      .filter(({ spec: { selector } }) => {
        if (selector === undefined || Object.keys(selector).length === 0) return false;
        return [object, previous].some((one) => one !== undefined && includes(one.metadata.labels, selector));
      })
      .map(keyOf);
  }

  return {
    name: 'endpoint-controller',
    watches: [
      { resource: SERVICES, keys: itself },
      { resource: PODS, keys: servicesOf },
      {
        resource: ENDPOINT_SLICES,
        keys: ({ type, object }) => {
          const service = object.metadata.labels?.[SERVICE_LABEL];
          return type === 'DELETED' && service !== undefined ? [`${object.metadata.namespace ?? ''}/${service}`] : [];
        },
      },
    ],
    sync,
  };
}

function hasAddress({ status }: Pod): boolean {
  return status?.podIP !== undefined && status.podIP !== '';
}

function isServing(service: Service, pod: Pod): boolean {
  if (service.spec.publishNotReadyAddresses === true) return true;
  return isReady(pod) && pod.metadata.deletionTimestamp === undefined;
}

function groupsOf(service: Service, pods: readonly Pod[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    const ports = portsFor(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ports, pods: [pod] });
    else group.pods.push(pod);
  }
  // A Service without pods has one slice that lists none.
  return groups.size === 0 ? [{ ports: [], pods: [] }] : [...groups.values()];
}

function portsFor(service: Service, pod: Pod): Port[] {
  const ports: Port[] = [];
  for (const { name, protocol, port, targetPort, appProtocol } of service.spec.ports ?? []) {
    const number =
      typeof targetPort === 'string' ? namedPort(pod, targetPort, protocol ?? 'TCP') : (targetPort ?? port);
    if (number === undefined) continue;
    const optional = appProtocol === undefined ? {} : { appProtocol };
    ports.push({ name: name ?? '', protocol: protocol ?? 'TCP', port: number === 0 ? port : number, ...optional });
  }
  return ports;
}

/** The number of a container port by its name. */
export function namedPort(pod: Pod, name: string, protocol: string): number | undefined {
  for (const { ports } of pod.spec.containers) {
    const found = (ports ?? []).find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

function targetOf({ metadata }: Pod): Json {
  return { kind: 'Pod', namespace: metadata.namespace ?? '', name: metadata.name, uid: metadata.uid ?? '' };
}

function endpointOf(service: Service, pod: Pod): Json {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isReady(pod);
  const { hostname, subdomain, nodeName } = pod.spec;
  const named = hostname !== undefined && hostname !== '' && subdomain === service.metadata.name;
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready: isServing(service, pod), serving, terminating },
    ...(named ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: targetOf(pod),
  };
}

function addressOf(pod: Pod): Json {
  const { nodeName } = pod.spec;
  return { ip: pod.status?.podIP ?? '', ...(nodeName === undefined ? {} : { nodeName }), targetRef: targetOf(pod) };
}

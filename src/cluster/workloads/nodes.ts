import type { KubeObject } from '../../api/object.ts';
import { isTrue } from './conditions.ts';
import { CONTROLLER_MANAGER, type Context, itself, splitKey, type WorkloadController } from './context.ts';
import { podBlock } from './kubelet/addresses.ts';
import type { Again } from './queue.ts';
import { LEASES, NODES } from './resources.ts';
import { type Node, plain, shaped } from './shapes.ts';
import { microTimeText, timeMs, timeText } from './times.ts';
import { writeStatus, written, writtenOrGone } from './writes.ts';

/** Kubernetes' version that the simulated nodes report. */
export const KUBELET_VERSION = 'v1.34.1';
/** A kubelet renews its Lease this often, and reports an unchanged status this often. */
const LEASE_RENEWAL_MS = 10_000;
const STATUS_REPORT_MS = 300_000;
const LEASE_SECONDS = 40;
const LEASE_NAMESPACE = 'kube-node-lease';

/** A simulated node. */
export interface SimulatedNode {
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
}

export const DEFAULT_NODES: readonly SimulatedNode[] = [
  { name: 'weir-control-plane', role: 'control-plane' },
  { name: 'weir-worker', role: 'worker' },
];

/** The address of node `index`: the network that kind's nodes live in. */
export function nodeAddress(index: number): string {
  return `172.18.0.${index + 2}`;
}

/** Registers the simulated nodes and keeps their Leases and conditions fresh, by the clock. */
export function nodeController(context: Context, nodes: readonly SimulatedNode[]): WorkloadController {
  const { registry, clock, events } = context;

  async function sync(key: string): Promise<Again> {
    const { name } = splitKey(key);
    const index = nodes.findIndex((node) => node.name === name);
    const node = nodes[index];
    if (node === undefined) return undefined;
    let stored = registry.get(NODES, undefined, name);
    if (stored === undefined) {
      stored = written(await registry.create(NODES, nodeObject(node, index, nodes.length), 'kubelet'));
      events.record(stored, 'kubelet', { type: 'Normal', reason: 'Starting', message: 'Starting kubelet.' }, name);
      const message = `Node ${name} event: Registered Node ${name} in Controller`;
      events.record(stored, 'node-controller', { type: 'Normal', reason: 'RegisteredNode', message });
    }
    await reportStatus(shaped<Node>(stored), index);
    await renewLease(stored);
    return { againInMs: LEASE_RENEWAL_MS };
  }

  async function reportStatus(node: Node, index: number): Promise<void> {
    const now = clock.now();
    const known = node.status?.conditions;
    const reportedAt = timeMs((known?.[0] as { lastHeartbeatTime?: string } | undefined)?.lastHeartbeatTime);
    if (now - reportedAt < STATUS_REPORT_MS) return;
    const status = nodeStatus(node, index, now);
    await writeStatus(registry, NODES, node, status as Node['status'], 'kubelet');
  }

  async function renewLease(node: KubeObject): Promise<void> {
    const { name } = node.metadata;
    const known = registry.get(LEASES, LEASE_NAMESPACE, name);
    const now = clock.now();
    const renewed = timeMs((known?.spec?.['renewTime'] as string | undefined) ?? undefined);
    if (known !== undefined && now - renewed < LEASE_RENEWAL_MS) return;
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: microTimeText(now) };
    if (known !== undefined) {
      written(await registry.update(LEASES, { ...known, spec: { ...known.spec, ...spec } }, 'kubelet'));
      return;
    }
    const owner = { apiVersion: 'v1', kind: 'Node', name, uid: node.metadata.uid ?? '' };
    const metadata = { name, namespace: LEASE_NAMESPACE, ownerReferences: [owner] };
    written(
      await registry.create(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }, 'kubelet'),
    );
  }

  return {
    name: 'nodes',
    watches: [
      { resource: NODES, keys: ({ type, object }) => (type === 'DELETED' ? [`/${object.metadata.name}`] : []) },
    ],
    firstKeys: () => nodes.map(({ name }) => `/${name}`),
    sync,
  };
}

const NOT_READY = 'node.kubernetes.io/not-ready';

/** Lets pods onto nodes that became ready: the API server keeps them off new ones by a taint. Source: kubernetes@1.34 pkg/controller/nodelifecycle. */
export function nodeLifecycleController({ registry }: Context): WorkloadController {
  return {
    name: 'node-controller',
    watches: [{ resource: NODES, keys: (change) => (change.type === 'DELETED' ? [] : itself(change)) }],
    async sync(key): Promise<Again> {
      const stored = registry.get(NODES, undefined, splitKey(key).name);
      if (stored === undefined) return undefined;
      const node = shaped<Node>(stored);
      const taints = node.spec.taints ?? [];
      if (!isTrue(node.status?.conditions, 'Ready') || !taints.some((taint) => taint.key === NOT_READY))
        return undefined;
      const { taints: _, ...spec } = node.spec;
      const left = taints.filter((taint) => taint.key !== NOT_READY);
      const next = plain({ ...node, spec: left.length === 0 ? spec : { ...spec, taints: left } });
      writtenOrGone(await registry.update(NODES, next, CONTROLLER_MANAGER));
      return undefined;
    },
  };
}

function nodeObject({ name, role }: SimulatedNode, index: number, count: number): KubeObject {
  const { cidr } = podBlock(index, count);
  const isControlPlane = role === 'control-plane';
  const roleLabels: Record<string, string> = isControlPlane
    ? { 'node-role.kubernetes.io/control-plane': '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
    : {};
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        ...roleLabels,
      },
      annotations: {
        'node.alpha.kubernetes.io/ttl': '0',
        'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
        'sim.weir.dev/simulated': 'true',
      },
    },
    spec: {
      podCIDR: cidr,
      podCIDRs: [cidr],
      providerID: `weir://simulated/${name}`,
      ...(isControlPlane ? { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] } : {}),
    },
  };
}

/** Capacity of each simulated node: large, as nothing really runs there. */
const CAPACITY = {
  cpu: '16',
  'ephemeral-storage': '104857600Ki',
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
  memory: '65536000Ki',
  pods: '10000',
};

function nodeStatus(node: Node, index: number, nowMs: number): object {
  const now = timeText(nowMs);
  const condition = (type: string, status: string, reason: string, message: string): object => {
    const known = node.status?.conditions?.find((one) => one.type === type);
    const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? now) : now;
    return { type, status, lastHeartbeatTime: now, lastTransitionTime, reason, message };
  };
  return {
    ...node.status,
    capacity: CAPACITY,
    allocatable: CAPACITY,
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
    ],
    addresses: [
      { type: 'InternalIP', address: nodeAddress(index) },
      { type: 'Hostname', address: node.metadata.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      machineID: 'simulated',
      systemUUID: 'simulated',
      bootID: 'simulated',
      kernelVersion: 'simulated',
      osImage: 'Weir simulated node',
      containerRuntimeVersion: 'weir://simulated',
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
  };
}

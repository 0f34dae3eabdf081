import type { KubeObject } from '../../api/object.ts';
import { CONTROLLER_MANAGER, type Context, itself, keyOf, splitKey, type WorkloadController } from './context.ts';
import { scaledValue } from './deployment/sizes.ts';
import { claim } from './owned.ts';
import { isFinished, isReady, podFrom, podOwners, untilAvailableMs } from './pods.ts';
import type { Again } from './queue.ts';
import { DAEMON_SETS, NODES, PODS } from './resources.ts';
import { currentRevision, truncateHistory } from './revision-history.ts';
import { refusal } from './scheduler.ts';
import { selectsAll } from './selector.ts';
import { type Node, type NodeSelectorTerm, type Pod, type PodSpec, shaped } from './shapes.ts';
import type { DaemonSet } from './shapes-batch.ts';
import { deleteObject, WriteFailed, writeStatus } from './writes.ts';

const COMPONENT = 'daemonset-controller';
const HASH_LABEL = 'controller-revision-hash';
/** What every daemon tolerates. Source: kubernetes@1.34 pkg/controller/daemon/util AddOrUpdateDaemonPodTolerations. */
const TOLERATED: readonly (readonly [string, string])[] = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
];

/** Keeps one pod on each node that may have it. Source: kubernetes@1.34 pkg/controller/daemon. */
export function daemonSetController(context: Context): WorkloadController {
  const { registry, clock, events } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(DAEMON_SETS, namespace, name);
    if (stored === undefined) return undefined;
    const set = shaped<DaemonSet>(stored);
    if (selectsAll(set.spec.selector) || set.metadata.deletionTimestamp !== undefined) return undefined;
    const revision = await currentRevision(registry, set, HASH_LABEL);
    const hash = revision.metadata.labels?.[HASH_LABEL] ?? '';
    const nodes = registry.list(NODES).map((node) => shaped<Node>(node));
    const wanted = nodes.filter((node) => refusal(daemonOn(set, node.metadata.name), node) === undefined);
    let pods = await claim<Pod>(registry, PODS, set, set.spec.selector);
    await place(set, pods, wanted, hash);
    if (set.spec.updateStrategy?.type !== 'OnDelete') await rollOver(set, pods, wanted, hash);
    pods = await claim<Pod>(registry, PODS, set, set.spec.selector);
    const current = registry.get(DAEMON_SETS, namespace, name);
    if (current === undefined || current.metadata.uid !== set.metadata.uid) return undefined;
    await writeStatus(
      registry,
      DAEMON_SETS,
      shaped<DaemonSet>(current),
      statusOf(set, pods, nodes, wanted, hash),
      CONTROLLER_MANAGER,
    );
    await truncateHistory(registry, set, new Set([revision.metadata.name]));
    const soonest = Math.min(
      ...pods
        .map((pod) => untilAvailableMs(pod, set.spec.minReadySeconds, clock.now()) ?? 0)
        .filter((wait) => wait > 0),
    );
    return Number.isFinite(soonest) ? { againInMs: soonest } : undefined;
  }

  async function place(set: DaemonSet, pods: readonly Pod[], wanted: readonly Node[], hash: string): Promise<void> {
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    const seen = new Set<string>();
    for (const pod of [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const node = nodeOf(pod);
      if (pod.metadata.deletionTimestamp !== undefined) {
        if (node !== undefined) seen.add(node);
        continue;
      }
      const failed = pod.status?.phase === 'Failed';
      if (node === undefined || !names.has(node) || seen.has(node) || failed) {
        if (failed) {
          const message = `Found failed daemon pod ${keyOf(pod)} on node ${node ?? ''}, will try to kill it`;
          events.record(set, COMPONENT, { type: 'Warning', reason: 'FailedDaemonPod', message });
        }
        await removePod(set, pod);
        if (failed && node !== undefined) seen.add(node);
      } else seen.add(node);
    }
    for (const { metadata } of wanted) if (!seen.has(metadata.name)) await makePod(set, metadata.name, hash);
  }

  /** Deletes daemons of an older template, as many as may be missing at once. */
  async function rollOver(set: DaemonSet, pods: readonly Pod[], wanted: readonly Node[], hash: string): Promise<void> {
    const limit = scaledValue(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wanted.length, true);
    const living = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const old = living.filter(({ metadata }) => metadata.labels?.[HASH_LABEL] !== hash);
    const isAvailable = (pod: Pod): boolean => untilAvailableMs(pod, set.spec.minReadySeconds, clock.now()) === 0;
    let missing = wanted.length - living.filter(isAvailable).length;
    for (const pod of old) {
      if (!isAvailable(pod)) await removePod(set, pod);
      else if (missing < Math.max(1, limit)) {
        missing++;
        await removePod(set, pod);
      }
    }
  }

  async function removePod(set: DaemonSet, pod: Pod): Promise<void> {
    await deleteObject(registry, PODS, pod);
    const message = `Deleted pod: ${pod.metadata.name}`;
    events.record(set, COMPONENT, { type: 'Normal', reason: 'SuccessfulDelete', message });
  }

  async function makePod(set: DaemonSet, node: string, hash: string): Promise<void> {
    const generation = set.metadata.annotations?.['deprecated.daemonset.template.generation'];
    const labels = {
      [HASH_LABEL]: hash,
      ...(generation === undefined ? {} : { 'pod-template-generation': generation }),
    };
    const { spec } = daemonOn(set, node);
    const pod: KubeObject = podFrom(
      set.spec.template,
      set,
      { generateName: `${set.metadata.name}-` },
      { labels, spec },
    );
    const created = await registry.create(PODS, pod, CONTROLLER_MANAGER);
    if (!created.ok) {
      const message = `Error creating: ${created.error.message}`;
      events.record(set, COMPONENT, { type: 'Warning', reason: 'FailedCreate', message });
      throw new WriteFailed(created.error);
    }
    const message = `Created pod: ${created.value.metadata.name}`;
    events.record(set, COMPONENT, { type: 'Normal', reason: 'SuccessfulCreate', message });
  }

  function statusOf(
    set: DaemonSet,
    pods: readonly Pod[],
    nodes: readonly Node[],
    wanted: readonly Node[],
    hash: string,
  ): NonNullable<DaemonSet['status']> {
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    const running = pods.filter((pod) => !isFinished(pod) && pod.metadata.deletionTimestamp === undefined);
    const placed = running.filter((pod) => names.has(nodeOf(pod) ?? ''));
    const known = new Set(nodes.map(({ metadata }) => metadata.name));
    const misplaced = running.filter((pod) => known.has(nodeOf(pod) ?? '') && !names.has(nodeOf(pod) ?? ''));
    const available = placed.filter((pod) => untilAvailableMs(pod, set.spec.minReadySeconds, clock.now()) === 0).length;
    const updated = placed.filter(({ metadata }) => metadata.labels?.[HASH_LABEL] === hash).length;
    const missing = wanted.length - available;
    return {
      currentNumberScheduled: placed.length,
      numberMisscheduled: misplaced.length,
      desiredNumberScheduled: wanted.length,
      numberReady: placed.filter(isReady).length,
      observedGeneration: set.metadata.generation ?? 0,
      ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
      ...(available === 0 ? {} : { numberAvailable: available }),
      ...(missing === 0 ? {} : { numberUnavailable: missing }),
    };
  }

  return {
    name: COMPONENT,
    watches: [
      { resource: DAEMON_SETS, keys: itself },
      { resource: PODS, keys: podOwners(registry, 'DaemonSet', DAEMON_SETS) },
      {
        resource: NODES,
        keys: ({ type, object, previous }) =>
          type === 'MODIFIED' && previous !== undefined && sameForDaemons(object, previous)
            ? []
            : registry.list(DAEMON_SETS).map(keyOf),
      },
    ],
    sync,
  };
}

/** A node's heartbeat changes nothing for daemons. */
function sameForDaemons(a: KubeObject, b: KubeObject): boolean {
  return (
    JSON.stringify([a.spec, a.metadata.labels]) === JSON.stringify([b.spec, b.metadata.labels]) &&
    (a.status?.['allocatable'] === undefined) === (b.status?.['allocatable'] === undefined)
  );
}

/** The node a daemon is on, or is made for. */
function nodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName !== undefined && spec.nodeName !== '') return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.find(({ key }) => key === 'metadata.name')?.values?.[0];
}

/** The set's pod as it would be on `node`. */
function daemonOn(set: DaemonSet, node: string): Pod {
  const { template } = set.spec;
  const fields: NodeSelectorTerm = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] };
  const required = template.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = (required?.nodeSelectorTerms ?? [{}]).map((term) => ({ ...term, ...fields }));
  const tolerations = [...(template.spec.tolerations ?? [])];
  const wanted =
    template.spec.hostNetwork === true
      ? [...TOLERATED, ['node.kubernetes.io/network-unavailable', 'NoSchedule'] as const]
      : TOLERATED;
  for (const [key, effect] of wanted) tolerations.push({ key, operator: 'Exists', effect });
  const spec: PodSpec = {
    ...template.spec,
    affinity: {
      ...template.spec.affinity,
      nodeAffinity: {
        ...template.spec.affinity?.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
      },
    },
    tolerations,
  };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: set.metadata.name }, spec };
}

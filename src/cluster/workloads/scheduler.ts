import { nanoOf } from '../apiserver/quantity.ts';
import { setCondition } from './conditions.ts';
import { type Context, itself, splitKey, type WorkloadController } from './context.ts';
import type { Again } from './queue.ts';
import { CLAIMS, NODES, PODS } from './resources.ts';
import { includes } from './selector.ts';
import {
  type Node,
  type NodeSelectorTerm,
  type Pod,
  plain,
  type Stored,
  shaped,
  type Taint,
  type Toleration,
} from './shapes.ts';
import { timeText } from './times.ts';
import { writeStatus, writtenOrGone } from './writes.ts';

const SCHEDULER = 'default-scheduler';
const MANAGER = 'kube-scheduler';

/** Gives each pod the first node that its selectors, tolerations and requests allow. */
export function schedulerController(context: Context): WorkloadController {
  const { registry, clock, events } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(PODS, namespace, name);
    if (stored === undefined || !isWaiting(shaped<Pod>(stored))) return undefined;
    const pod = shaped<Pod>(stored);
    const nodes = registry
      .list(NODES)
      .map((node) => shaped<Node>(node))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const missing = missingClaim(pod);
    const refusals = nodes.map((node) => ({ node, why: missing ?? refusal(pod, node) }));
    const chosen = refusals.find(({ why }) => why === undefined)?.node;
    if (chosen === undefined) return refuse(pod, unschedulable(nodes.length, refusals));
    const conditions = setCondition(
      pod.status?.conditions,
      { type: 'PodScheduled', status: 'True', lastProbeTime: null },
      timeText(clock.now()),
    );
    const bound = {
      ...pod,
      spec: { ...pod.spec, nodeName: chosen.metadata.name },
      status: { ...pod.status, conditions },
    };
    const result = writtenOrGone(await registry.update(PODS, plain(bound), MANAGER, 'binding'));
    if (result === undefined) return undefined;
    const message = `Successfully assigned ${namespace}/${name} to ${chosen.metadata.name}`;
    events.record(pod, SCHEDULER, { type: 'Normal', reason: 'Scheduled', message });
    return undefined;
  }

  async function refuse(pod: Pod, message: string): Promise<Again> {
    const conditions = setCondition(
      pod.status?.conditions,
      { type: 'PodScheduled', status: 'False', lastProbeTime: null, reason: 'Unschedulable', message },
      timeText(clock.now()),
    );
    const before = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    if (before?.message === message) return undefined;
    await writeStatus(registry, PODS, pod, { ...pod.status, conditions }, MANAGER);
    events.record(pod, SCHEDULER, { type: 'Warning', reason: 'FailedScheduling', message });
    return undefined;
  }

  function missingClaim(pod: Pod): string | undefined {
    for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
      if (persistentVolumeClaim === undefined) continue;
      const claim = registry.get(CLAIMS, pod.metadata.namespace, persistentVolumeClaim.claimName);
      if (claim === undefined) return `persistentvolumeclaim "${persistentVolumeClaim.claimName}" not found`;
      const bound = shaped<Stored<{ volumeName?: string }, unknown>>(claim).spec.volumeName;
      if (bound === undefined || bound === '') return 'pod has unbound immediate PersistentVolumeClaims';
    }
    return undefined;
  }

  /** Every pod that waits: when nodes or claims change, one of them may fit. */
  function waitingPods(namespace?: string): readonly string[] {
    return registry
      .list(PODS, namespace)
      .filter((pod) => isWaiting(shaped<Pod>(pod)))
      .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
  }

  return {
    name: SCHEDULER,
    watches: [
      { resource: PODS, keys: (change) => (change.type === 'DELETED' ? [] : itself(change)) },
      {
        resource: NODES,
        keys: ({ type, object, previous }) =>
          type === 'MODIFIED' && previous?.spec === object.spec ? [] : waitingPods(),
      },
      { resource: CLAIMS, keys: ({ object }) => waitingPods(object.metadata.namespace) },
    ],
    sync,
  };
}

function isWaiting({ metadata, spec, status }: Pod): boolean {
  return (
    (spec.nodeName === undefined || spec.nodeName === '') &&
    metadata.deletionTimestamp === undefined &&
    (spec.schedulerName ?? SCHEDULER) === SCHEDULER &&
    (spec.schedulingGates ?? []).length === 0 &&
    status?.phase !== 'Failed' &&
    status?.phase !== 'Succeeded'
  );
}

function unschedulable(count: number, refusals: readonly { readonly why: string | undefined }[]): string {
  const reasons = new Map<string, number>();
  for (const { why } of refusals) if (why !== undefined) reasons.set(why, (reasons.get(why) ?? 0) + 1);
  const isClaim = (why: string): boolean => /persistentvolumeclaim/i.test(why);
  const texts = [...reasons].map(([why, times]) => (isClaim(why) ? why : `${times} ${why}`)).sort();
  if (count === 0) return 'no nodes available to schedule pods';
  const preemption = `preemption: 0/${count} nodes are available: ${count} Preemption is not helpful for scheduling.`;
  return `0/${count} nodes are available: ${texts.join(', ')}. ${preemption}`;
}

/** Why `pod` cannot run on `node`, in the scheduler's words; undefined when it can. */
export function refusal(pod: Pod, node: Node): string | undefined {
  if (
    node.spec.unschedulable === true &&
    !tolerates(pod, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' })
  ) {
    return 'node(s) were unschedulable';
  }
  const labels = node.metadata.labels;
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const selected =
    includes(labels, pod.spec.nodeSelector ?? {}) &&
    (terms === undefined || terms.some((term) => matchesTerm(term, node)));
  if (!selected) return "node(s) didn't match Pod's node affinity/selector";
  for (const taint of node.spec.taints ?? []) {
    if (taint.effect === 'PreferNoSchedule' || tolerates(pod, taint)) continue;
    return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  }
  for (const resource of ['cpu', 'memory']) {
    const allocatable = node.status?.allocatable?.[resource];
    const asked = pod.spec.containers.reduce((sum, { resources }) => sum + nanoOf(resources?.requests?.[resource]), 0n);
    if (allocatable !== undefined && asked > nanoOf(allocatable)) return `Insufficient ${resource}`;
  }
  return undefined;
}

function tolerates(pod: Pod, taint: Taint): boolean {
  return (pod.spec.tolerations ?? []).some((toleration: Toleration) => {
    if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false;
    if (toleration.key === undefined || toleration.key === '') return toleration.operator === 'Exists';
    if (toleration.key !== taint.key) return false;
    return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
  });
}

function matchesTerm({ matchExpressions, matchFields }: NodeSelectorTerm, { metadata }: Node): boolean {
  if ((matchExpressions ?? []).length + (matchFields ?? []).length === 0) return false;
  const fields = (matchFields ?? []).every(({ key, operator, values }) => {
    const listed = key === 'metadata.name' && (values ?? []).includes(metadata.name);
    return operator === 'In' ? listed : !listed;
  });
  if (!fields) return false;
  return (matchExpressions ?? []).every(({ key, operator, values }) => {
    const value =
      metadata.labels !== undefined && Object.hasOwn(metadata.labels, key) ? metadata.labels[key] : undefined;
    switch (operator) {
      case 'In':
        return value !== undefined && (values ?? []).includes(value);
      case 'NotIn':
        return value === undefined || !(values ?? []).includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      case 'Gt':
        return value !== undefined && Number(value) > Number(values?.[0]);
      case 'Lt':
        return value !== undefined && Number(value) < Number(values?.[0]);
    }
    return false;
  });
}

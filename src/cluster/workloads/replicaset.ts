import type { KubeObject } from '../../api/object.ts';
import type { GroupResource } from '../registry.ts';
import { conditionOf, withoutCondition } from './conditions.ts';
import type { Context, WorkloadController } from './context.ts';
import { CONTROLLER_MANAGER, itself, splitKey } from './context.ts';
import { claim } from './owned.ts';
import { byDispensability, isActive, isReady, podFrom, podOwners, untilAvailableMs } from './pods.ts';
import type { Again } from './queue.ts';
import { PODS, REPLICA_SETS, REPLICATION_CONTROLLERS } from './resources.ts';
import { matches, selectsAll } from './selector.ts';
import { type Pod, type ReplicaSet, type StoredCondition, shaped } from './shapes.ts';
import { timeText } from './times.ts';
import { deleteObject, WriteFailed, writeStatus } from './writes.ts';

/** A kind whose objects ask for a number of pods. */
interface ReplicasKind {
  readonly component: string;
  readonly kind: string;
  readonly resource: GroupResource;
}

const OF_SETS: ReplicasKind = { component: 'replicaset-controller', kind: 'ReplicaSet', resource: REPLICA_SETS };
const OF_CONTROLLERS: ReplicasKind = {
  component: 'replication-controller',
  kind: 'ReplicationController',
  resource: REPLICATION_CONTROLLERS,
};
/** Pods made or deleted in one sync: kubernetes@1.34 pkg/controller/replicaset BurstReplicas. */
const BURST = 500;

/** Keeps as many pods as a ReplicaSet asks for. Source: kubernetes@1.34 pkg/controller/replicaset. */
export function replicaSetController(context: Context): WorkloadController {
  return replicasController(context, OF_SETS);
}

/** The same for a ReplicationController, whose selector is a plain map. Source: kubernetes@1.34 pkg/controller/replication. */
export function replicationController(context: Context): WorkloadController {
  return replicasController(context, OF_CONTROLLERS);
}

function replicasController(context: Context, { component, kind, resource }: ReplicasKind): WorkloadController {
  const { registry, clock, events } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(resource, namespace, name);
    if (stored === undefined) return undefined;
    const set = resource === REPLICATION_CONTROLLERS ? withSelector(stored) : shaped<ReplicaSet>(stored);
    if (selectsAll(set.spec.selector)) return undefined;
    let pods = await claim<Pod>(registry, PODS, set, set.spec.selector, isActive);
    let failure: { reason: string; message: string } | undefined;
    if (set.metadata.deletionTimestamp === undefined) {
      const difference = pods.length - set.spec.replicas;
      if (difference < 0) failure = await makePods(set, Math.min(-difference, BURST), pods);
      else if (difference > 0) {
        const surplus = [...pods].sort(byDispensability).slice(0, Math.min(difference, BURST));
        pods = pods.filter((pod) => !surplus.includes(pod));
        for (const pod of surplus) {
          await deleteObject(registry, PODS, pod);
          events.record(set, component, {
            type: 'Normal',
            reason: 'SuccessfulDelete',
            message: `Deleted pod: ${pod.metadata.name}`,
          });
        }
      }
    }
    const current = registry.get(resource, namespace, name);
    if (current === undefined || current.metadata.uid !== set.metadata.uid) return undefined;
    const waits = pods
      .map((pod) => untilAvailableMs(pod, set.spec.minReadySeconds, clock.now()))
      .filter((wait) => wait !== undefined);
    await writeStatus(
      registry,
      resource,
      shaped<ReplicaSet>(current),
      statusOf(set, pods, failure),
      CONTROLLER_MANAGER,
    );
    if (failure !== undefined) throw new WriteFailed({ code: 500, ...failure });
    const soonest = Math.min(...waits.filter((wait) => wait > 0));
    return Number.isFinite(soonest) ? { againInMs: soonest } : undefined;
  }

  /** Adds the pods it made to `pods`; a refusal stops it, as most likely the next would be refused too. */
  async function makePods(
    set: ReplicaSet,
    count: number,
    pods: Pod[],
  ): Promise<{ reason: string; message: string } | undefined> {
    for (let made = 0; made < count; made++) {
      const wanted = podFrom(set.spec.template, set, { generateName: `${set.metadata.name}-` });
      const result = await registry.create(PODS, wanted, CONTROLLER_MANAGER);
      if (result.ok) {
        pods.push(shaped<Pod>(result.value));
        events.record(set, component, {
          type: 'Normal',
          reason: 'SuccessfulCreate',
          message: `Created pod: ${result.value.metadata.name}`,
        });
        continue;
      }
      if (isTerminatingNamespace(result.error)) return undefined;
      const { message } = result.error;
      events.record(set, component, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${message}` });
      return { reason: 'FailedCreate', message };
    }
    return undefined;
  }

  function statusOf(
    set: ReplicaSet,
    pods: readonly Pod[],
    failure: { readonly reason: string; readonly message: string } | undefined,
  ): NonNullable<ReplicaSet['status']> {
    const now = clock.now();
    const ready = pods.filter(isReady).length;
    const available = pods.filter((pod) => untilAvailableMs(pod, set.spec.minReadySeconds, now) === 0).length;
    const labelled = pods.filter((pod) =>
      matches({ matchLabels: set.spec.template.metadata?.labels ?? {} }, pod.metadata.labels),
    ).length;
    const conditions = failureCondition(set, failure, now);
    return {
      replicas: pods.length,
      ...(labelled === 0 ? {} : { fullyLabeledReplicas: labelled }),
      ...(ready === 0 ? {} : { readyReplicas: ready }),
      ...(available === 0 ? {} : { availableReplicas: available }),
      observedGeneration: set.metadata.generation ?? 0,
      ...(conditions.length === 0 ? {} : { conditions }),
    };
  }

  return {
    name: component,
    watches: [
      { resource, keys: itself },
      { resource: PODS, keys: podOwners(registry, kind, resource) },
    ],
    sync,
  };
}

function withSelector(stored: KubeObject): ReplicaSet {
  const { spec, ...rest } = shaped<ReplicaSet>(stored);
  return { ...rest, spec: { ...spec, selector: { matchLabels: spec.selector as Readonly<Record<string, string>> } } };
}

function failureCondition(
  set: ReplicaSet,
  failure: { readonly reason: string; readonly message: string } | undefined,
  nowMs: number,
): readonly StoredCondition[] {
  const others = withoutCondition(set.status?.conditions, 'ReplicaFailure');
  if (failure === undefined) return others;
  const known = conditionOf(set.status?.conditions, 'ReplicaFailure');
  if (known !== undefined) return set.status?.conditions ?? [];
  return [
    ...others,
    {
      type: 'ReplicaFailure',
      status: 'True',
      lastTransitionTime: timeText(nowMs),
      reason: failure.reason,
      message: failure.message,
    },
  ];
}

/** A create that fails because the namespace goes away needs no retry: the owner goes with it. */
export function isTerminatingNamespace(error: { readonly code: number; readonly message: string }): boolean {
  return error.code === 403 && error.message.includes('because it is being terminated');
}

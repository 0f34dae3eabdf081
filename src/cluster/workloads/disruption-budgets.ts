import { setCondition } from './conditions.ts';
import { CONTROLLER_MANAGER, type Context, itself, keyOf, splitKey, type WorkloadController } from './context.ts';
import { scaledValue } from './deployment/sizes.ts';
import { controllerOf } from './owned.ts';
import { isActive, isReady } from './pods.ts';
import type { Again } from './queue.ts';
import { DEPLOYMENTS, DISRUPTION_BUDGETS, PODS, REPLICA_SETS, STATEFUL_SETS } from './resources.ts';
import { matches } from './selector.ts';
import {
  type IntOrPercent,
  type LabelSelector,
  type Pod,
  type ReplicaSet,
  type Stored,
  type StoredCondition,
  shaped,
} from './shapes.ts';
import { timeText } from './times.ts';
import { writeStatus } from './writes.ts';

type Budget = Stored<
  { readonly minAvailable?: IntOrPercent; readonly maxUnavailable?: IntOrPercent; readonly selector?: LabelSelector },
  {
    readonly observedGeneration?: number;
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
    readonly conditions?: readonly StoredCondition[];
  }
>;

/** Counts what a PodDisruptionBudget allows. Source: kubernetes@1.34 pkg/controller/disruption. */
export function disruptionController({ registry, clock }: Context): WorkloadController {
  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(DISRUPTION_BUDGETS, namespace, name);
    if (stored === undefined) return undefined;
    const budget = shaped<Budget>(stored);
    const pods = registry
      .list(PODS, namespace)
      .map((pod) => shaped<Pod>(pod))
      .filter((pod) => isActive(pod) && matches(budget.spec.selector, pod.metadata.labels));
    const { expected, desired } = wish(budget, pods);
    const healthy = pods.filter(isReady).length;
    const allowed = Math.max(0, expected === 0 ? 0 : healthy - desired);
    const condition = {
      type: 'DisruptionAllowed',
      status: allowed > 0 ? ('True' as const) : ('False' as const),
      reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
      message: '',
      observedGeneration: budget.metadata.generation ?? 0,
    };
    const status = {
      ...budget.status,
      observedGeneration: budget.metadata.generation ?? 0,
      disruptionsAllowed: allowed,
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: expected,
      conditions: setCondition(budget.status?.conditions, condition, timeText(clock.now())),
    };
    await writeStatus(registry, DISRUPTION_BUDGETS, budget, status, CONTROLLER_MANAGER);
    return undefined;
  }

  function wish({ spec }: Budget, pods: readonly Pod[]): { readonly expected: number; readonly desired: number } {
    if (spec.maxUnavailable !== undefined) {
      const expected = scaleOf(pods);
      return { expected, desired: Math.max(0, expected - scaledValue(spec.maxUnavailable, expected, true)) };
    }
    if (typeof spec.minAvailable === 'string') {
      const expected = scaleOf(pods);
      return { expected, desired: scaledValue(spec.minAvailable, expected, true) };
    }
    return { expected: pods.length, desired: spec.minAvailable ?? 0 };
  }

  /** The size that the pods' controllers want, each counted once. */
  function scaleOf(pods: readonly Pod[]): number {
    const sizes = new Map<string, number>();
    for (const pod of pods) {
      const owner = controllerOf(pod);
      if (owner === undefined) continue;
      const resource = owner.kind === 'StatefulSet' ? STATEFUL_SETS : REPLICA_SETS;
      const controller = registry.get(resource, pod.metadata.namespace, owner.name);
      const above = controller === undefined ? undefined : controllerOf(controller);
      const deployment =
        above?.kind === 'Deployment' ? registry.get(DEPLOYMENTS, pod.metadata.namespace, above.name) : undefined;
      const sized = deployment ?? controller;
      if (sized !== undefined) sizes.set(sized.metadata.uid ?? '', shaped<ReplicaSet>(sized).spec.replicas);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  return {
    name: 'disruption-controller',
    watches: [
      { resource: DISRUPTION_BUDGETS, keys: itself },
      {
        resource: PODS,
        keys: ({ object }) =>
          registry
            .list(DISRUPTION_BUDGETS, object.metadata.namespace)
            .filter((budget) => matches(shaped<Budget>(budget).spec.selector, object.metadata.labels))
            .map(keyOf),
      },
    ],
    sync,
  };
}

import { groupOf } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { setCondition } from './conditions.ts';
import { CONTROLLER_MANAGER, type Context, itself, splitKey, type WorkloadController } from './context.ts';
import type { Again } from './queue.ts';
import { AUTOSCALERS } from './resources.ts';
import { type Stored, type StoredCondition, shaped } from './shapes.ts';
import { timeText } from './times.ts';
import { writeStatus } from './writes.ts';

type Autoscaler = Stored<
  {
    readonly scaleTargetRef: { readonly apiVersion?: string; readonly kind: string; readonly name: string };
    readonly minReplicas?: number;
    readonly maxReplicas: number;
    readonly metrics?: readonly Json[];
  },
  {
    readonly currentReplicas?: number;
    readonly desiredReplicas?: number;
    readonly conditions?: readonly StoredCondition[];
  }
>;

/** How often the real controller looks at its metrics. */
const PERIOD_MS = 15_000;
const NO_METRICS =
  'unable to get metrics for resource %s: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';

/** Reports on HorizontalPodAutoscalers; there are no metrics here, so nothing is scaled. Source: kubernetes@1.34 pkg/controller/podautoscaler. */
export function autoscalerController({ registry, clock, events }: Context): WorkloadController {
  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(AUTOSCALERS, namespace, name);
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
    const scaler = shaped<Autoscaler>(stored);
    const now = timeText(clock.now());
    const target = scaler.spec.scaleTargetRef;
    const group = groupOf(target.apiVersion ?? 'apps/v1');
    const kind = registry.resources().find((one) => one.group === group && one.kind === target.kind);
    const object = kind === undefined ? undefined : registry.get(kind, namespace, target.name);
    let conditions: readonly StoredCondition[] = scaler.status?.conditions ?? [];
    const set = (type: string, status: 'True' | 'False', reason: string, message: string): void => {
      conditions = setCondition(conditions, { type, status, reason, message }, now);
    };
    if (object === undefined) {
      const resource = kind === undefined ? target.kind.toLowerCase() : `${kind.plural}.${kind.group}`;
      const message = `the HPA controller was unable to get the target's current scale: ${resource} ${JSON.stringify(target.name)} not found`;
      set('AbleToScale', 'False', 'FailedGetScale', message);
      const text = `${resource} ${JSON.stringify(target.name)} not found`;
      events.record(scaler, 'horizontal-pod-autoscaler', { type: 'Warning', reason: 'FailedGetScale', message: text });
      const status = { ...scaler.status, desiredReplicas: scaler.status?.desiredReplicas ?? 0, conditions };
      await writeStatus(registry, AUTOSCALERS, scaler, status, CONTROLLER_MANAGER);
      return { againInMs: PERIOD_MS };
    }
    const current = Number(object.spec?.['replicas'] ?? 1);
    set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
    if (current === 0) {
      const message = 'scaling is disabled since the replica count of the target is zero';
      set('ScalingActive', 'False', 'ScalingDisabled', message);
    } else {
      const text = NO_METRICS.replace('%s', metricOf(scaler));
      const message = `the HPA was unable to compute the replica count: failed to get ${metricOf(scaler)} utilization: ${text}`;
      set('ScalingActive', 'False', 'FailedGetResourceMetric', message);
      const failed = `failed to get ${metricOf(scaler)} utilization: ${text}`;
      if (scaler.status?.conditions?.some(({ type }) => type === 'ScalingActive') !== true) {
        events.record(scaler, 'horizontal-pod-autoscaler', {
          type: 'Warning',
          reason: 'FailedGetResourceMetric',
          message: failed,
        });
      }
    }
    const status = { ...scaler.status, currentReplicas: current, desiredReplicas: 0, conditions };
    await writeStatus(registry, AUTOSCALERS, scaler, status, CONTROLLER_MANAGER);
    return { againInMs: PERIOD_MS };
  }

  return { name: 'horizontal-pod-autoscaler', watches: [{ resource: AUTOSCALERS, keys: itself }], sync };
}

function metricOf({ spec }: Autoscaler): string {
  const resource = (spec.metrics?.[0] as { resource?: { name?: string } } | undefined)?.resource?.name;
  return resource ?? 'cpu';
}

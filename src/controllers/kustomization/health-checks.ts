import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { groupOf } from '../../api/object.ts';
import type { Outcome } from '../../api/outcome.ts';
import type { Applied, Desired } from '../../apply/apply.ts';
import { identityOf, inventoryId } from '../../apply/inventory.ts';
import { isSelf } from '../../apply/owner.ts';
import { at } from '../../base/json.ts';
import { err, type Result } from '../../base/result.ts';
import type { HealthTarget, WaitError, WaitOptions } from '../../health/wait.ts';
import { waitForHealth } from '../../health/wait.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext, Superseded } from '../../runtime/controller.ts';
import type { Pass } from './pass.ts';
import { GROUP } from './plan.ts';

/** Unwatched objects are read this often while their health is waited for. Source: kustomize-controller@1.9 checkHealth. */
const HEALTH_POLL_MS = 5_000;

export interface HealthPorts extends Pick<WaitOptions, 'client' | 'live' | 'clock' | 'rules' | 'failFast'> {
  readonly applied: readonly Applied[];
  readonly desired: readonly Desired[];
  /** Whether the pass changed anything. */
  readonly changed: boolean;
}

/** Waits until what was applied (or is named) is healthy; an outcome when it is not. Source: kustomize-controller@1.9 checkHealth. */
export async function checkHealth(
  pass: Pass,
  context: ReconcileContext,
  ports: HealthPorts,
): Promise<Outcome | undefined> {
  const { object } = pass;
  const unreadable = object.spec.wait === true ? undefined : object.spec.healthChecks?.find(isUnreadable);
  if (unreadable !== undefined) {
    pass.record('HealthCheckFailed');
    return pass.failed('HealthCheckFailed', `unexpected GroupVersion string: ${unreadable.apiVersion}`);
  }
  const targets = healthTargets(object, ports.applied, ports.desired);
  if (targets.length === 0) {
    pass.unmark('Healthy');
    return undefined;
  }
  const wasHealthy = pass.conditions.get('Healthy')?.status === 'True';
  const isNewRevision = pass.status.lastAppliedRevision !== pass.revision;
  pass.step('Running health checks');
  const progress = pass.conditions.get('Reconciling')?.message ?? '';
  pass.mark({ type: 'Healthy', status: 'Unknown', reason: 'Progressing', message: progress });
  const startMs = pass.stopwatch();
  const { namespace = '', name } = object.metadata;
  const others = targets.filter(
    ({ ref }) =>
      !isSelf(
        { group: groupOf(ref.apiVersion), kind: ref.kind, namespace: ref.namespace ?? '', name: ref.name },
        { group: GROUP, namespace, name },
        object.kind,
      ),
  );
  const homeless = await findHomeless(others, ports.client);
  const waited =
    homeless ??
    (await waitForHealth(others, {
      ...ports,
      timeoutMs: pass.times.timeoutMs,
      pollMs: HEALTH_POLL_MS,
      signal: AbortSignal.any([context.signal, context.superseded]),
    }));
  if (waited.ok) {
    const message = `Health check passed in ${pass.elapsed(startMs)}`;
    if (!wasHealthy || (isNewRevision && ports.changed)) pass.event('info', message);
    pass.mark({ type: 'Healthy', status: 'True', reason: 'Succeeded', message });
    return undefined;
  }
  if (waited.error.code === 'canceled') {
    context.signal.throwIfAborted();
    const by = (context.superseded.reason as Superseded | undefined)?.by ?? 'the engine';
    pass.mark({
      type: 'Ready',
      status: 'False',
      reason: 'HealthCheckCanceled',
      message: `New reconciliation triggered by ${by}`,
    });
    pass.event('info', `Health checks canceled due to new reconciliation triggered by ${by}`);
    return { kind: 'wait', requeueAfterMs: 0, ...pass.end() };
  }
  pass.mark({ type: 'Healthy', status: 'False', reason: 'HealthCheckFailed', message: waited.error.message });
  pass.record('HealthCheckFailed');
  return pass.failed(
    'HealthCheckFailed',
    `health check failed after ${pass.elapsed(startMs)}: ${waited.error.message}`,
  );
}

function isUnreadable({ apiVersion }: { readonly apiVersion?: string | undefined }): boolean {
  return (apiVersion ?? '').split('/').length > 2;
}

/** No waiting helps where a namespace is missing. */
async function findHomeless(
  targets: readonly HealthTarget[],
  client: KubeClient,
): Promise<Result<never, WaitError> | undefined> {
  for (const { ref } of targets) {
    if (ref.namespace !== undefined) continue;
    const found = await client.resource(ref);
    if (!found.ok || !found.value.namespaced) continue;
    const message = `resource ${ref.kind} ${ref.name} is namespace scoped, but namespace is not set`;
    return err({ code: 'failed', message });
  }
  return undefined;
}

function healthTargets(
  { spec }: Kustomization,
  applied: readonly Applied[],
  desired: readonly Desired[],
): readonly HealthTarget[] {
  if (spec.wait !== true) {
    return (spec.healthChecks ?? []).map(({ apiVersion, kind, name, namespace }) => ({
      ref: { apiVersion: apiVersion || 'apps/v1', kind, name, ...(namespace ? { namespace } : {}) },
    }));
  }
  const vanishing = new Set(
    desired
      .filter(
        ({ object: { kind, spec: jobSpec } }) => kind === 'Job' && at(jobSpec, 'ttlSecondsAfterFinished') !== undefined,
      )
      .map(({ object }) => inventoryId(identityOf(object))),
  );
  return applied
    .filter(({ action }) => action !== 'skipped')
    .map(({ ref, uid, generation }) => {
      const id = inventoryId({
        group: groupOf(ref.apiVersion),
        kind: ref.kind,
        namespace: ref.namespace ?? '',
        name: ref.name,
      });
      return { ref, applied: { uid, generation }, ...(vanishing.has(id) ? { mayVanish: true } : {}) };
    });
}

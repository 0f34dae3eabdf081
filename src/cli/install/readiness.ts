import type { JsonObject } from '../../base/json.ts';
import { computeStatus } from '../../engine/kstatus/compute.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CliContext, type CliResult, done } from '../command.ts';
import { waitFor } from '../wait.ts';

/** Waits for a Deployment to be rolled out, and tells how it went. Source of the wording: fluxcd/flux2@v2 pkg/status. */
export async function deploymentReady(
  context: CliContext,
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<CliResult> {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
  const waited = await waitFor(context, client, ref, (seen) => {
    const judged = computeStatus(seen as unknown as JsonObject, context.now());
    const status = judged.ok ? judged.value.status : 'Failed';
    return status === 'Current' || status === 'Failed' ? status : undefined;
  });
  if (waited.ok && waited.value === 'Current') {
    context.progress.success(`${name}: deployment ready`);
    return done;
  }
  context.progress.failure(`${name}: deployment not ready`);
  return waited.ok ? { ok: false, error: { message: `${name} failed`, exitCode: 1 } } : waited;
}

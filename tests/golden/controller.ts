import type { KubeObject } from '../../src/api/object.ts';
import { refOf } from '../../src/api/object.ts';
import type { Json } from '../../src/base/json.ts';
import type { KubeClient } from '../../src/kube/client.ts';

const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

/**
 * Stands for the controllers while a row waits for one: whenever an object has a generation or a request that its status
 * does not know, it is told Ready, or failed when its name is `broken`.
 */
export function playControllers(client: KubeClient, signal: AbortSignal): void {
  for (const [apiVersion, kind] of [
    ['source.toolkit.fluxcd.io/v1', 'GitRepository'],
    ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization'],
  ] as const) {
    void play(client, { apiVersion, kind }, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

async function play(
  client: KubeClient,
  kind: { readonly apiVersion: string; readonly kind: string },
  signal: AbortSignal,
): Promise<void> {
  const listed = await client.list(kind);
  if (!listed.ok) throw new Error(listed.error.message);
  for (const object of listed.value.items) await settle(client, object);
  const { resourceVersion } = listed.value;
  for await (const event of client.watch(kind, { resourceVersion, signal })) {
    if (event.type === 'ADDED' || event.type === 'MODIFIED') await settle(client, event.object);
  }
}

async function settle(client: KubeClient, object: KubeObject): Promise<void> {
  const { generation = 1, annotations, name } = object.metadata;
  const requested = annotations?.[REQUESTED_AT];
  if (object.spec?.['suspend'] === true) return;
  const handled = object.status?.['lastHandledReconcileAt'];
  const known = object.status?.['observedGeneration'] === generation;
  if (known && (requested === undefined || handled === requested)) return;
  const broken = name === 'broken';
  const ready: Json = {
    type: 'Ready',
    status: broken ? 'False' : 'True',
    reason: broken ? 'Failed' : 'Succeeded',
    message: broken ? 'it is broken' : 'it works',
    observedGeneration: generation,
    lastTransitionTime: '2026-01-02T03:04:00Z',
  };
  const artifact = {
    digest: 'sha256:00',
    lastUpdateTime: '2026-01-02T03:04:00Z',
    path: 'x',
    revision: 'main@sha1:00',
    url: 'http://x',
  };
  const outcome = object.kind === 'GitRepository' ? { artifact } : { lastAppliedRevision: 'main@sha1:00' };
  const status: Json = {
    observedGeneration: generation,
    conditions: [ready],
    ...(requested === undefined ? {} : { lastHandledReconcileAt: requested }),
    ...outcome,
  };
  await client.patch(refOf(object), { status }, { type: 'merge', subresource: 'status' });
}

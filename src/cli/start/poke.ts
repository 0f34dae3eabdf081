import { stringAt } from '../../base/json.ts';
import type { KubeClient } from '../../kube/client.ts';

const SOURCE = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' } as const;

/** Asks for a reconciliation of every GitRepository that reads `repository` (`flux-tenant.git`). Failures are left to the interval. */
export async function poke(client: KubeClient, repository: string, token: string): Promise<void> {
  const listed = await client.list(SOURCE);
  if (!listed.ok) return;
  const readers = listed.value.items.filter(({ spec }) => stringAt(spec, 'url')?.endsWith(`/${repository}`));
  for (const { metadata } of readers) {
    const ref = {
      ...SOURCE,
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    };
    const annotations = { 'reconcile.fluxcd.io/requestedAt': token };
    await client.patch(ref, { metadata: { annotations } }, { type: 'merge', fieldManager: 'weir-git-server' });
  }
}

import type { AccountRef } from '../../../src/identity/principal.ts';
import type { KubeClient } from '../../../src/kube/client.ts';

/** What the service account `shop` of `default` is towards each cloud, by its annotations. */
export const ROLE = 'arn:aws:iam::1:role/shop';
export const TENANT = '11111111-2222-3333-4444-555555555555';
export const CLIENT = 'app-f';
export const PROVIDER = 'projects/7/locations/global/workloadIdentityPools/p/providers/k';
/** Whose its tokens are. */
export const SUBJECT = 'system:serviceaccount:default:shop';

export const shop: AccountRef = { kind: 'account', namespace: 'default', name: 'shop', isDefault: false };

export function createShopAccount(client: KubeClient): Promise<unknown> {
  return createAccount(client, 'shop', {
    'eks.amazonaws.com/role-arn': ROLE,
    'azure.workload.identity/tenant-id': TENANT,
    'azure.workload.identity/client-id': CLIENT,
    'gcp.auth.fluxcd.io/workload-identity-provider': PROVIDER,
  });
}

export function createAccount(
  client: KubeClient,
  name: string,
  annotations: Readonly<Record<string, string>>,
): Promise<unknown> {
  const metadata = { name, namespace: 'default', annotations };
  return client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
}

/** A token of a service account, as a pod would find it in a file. */
export async function accountToken(
  client: KubeClient,
  namespace: string,
  name: string,
  audiences: readonly string[] = [],
): Promise<string> {
  const answer = await client.raw('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences },
  });
  if (!answer.ok) throw new Error(answer.error.message);
  return (JSON.parse(answer.value) as { status: { token: string } }).status.token;
}

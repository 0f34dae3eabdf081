import { field, type JsonObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { CloudIdentity } from '../../identity/cloud-identity.ts';
import { type ClusterLogin, type ClusterRequest, canonicalAddress } from '../../identity/clusters/login.ts';
import { principalKey, principalOf, type ServiceAccounts } from '../../identity/principal.ts';
import { TokenCache } from '../../identity/token-cache.ts';
import type { KubeClient } from '../../kube/client.ts';

/** A cluster with the one who acts there: other credentials make another connection. */
export interface NamedLogin extends ClusterLogin {
  readonly identity: string;
}

const PROVIDERS = ['aws', 'azure', 'gcp', 'generic'] as const;
type Provider = (typeof PROVIDERS)[number];

/** Logs in to the clusters that ConfigMaps of `spec.kubeConfig` name. Source: fluxcd/pkg@auth/v0.54.0 auth/utils/restconfig.go. */
export class ConfiguredClusters {
  readonly #client: KubeClient;
  readonly #cloud: CloudIdentity | undefined;
  readonly #defaultServiceAccount: string;
  readonly #tokens: TokenCache<string> | undefined;

  constructor(client: KubeClient, cloud: CloudIdentity | undefined, defaultServiceAccount: string) {
    this.#client = client;
    this.#cloud = cloud;
    this.#defaultServiceAccount = defaultServiceAccount;
    if (cloud !== undefined) this.#tokens = new TokenCache({ ...cloud.ports.tokens, clock: cloud.ports.clock });
  }

  async login(namespace: string, name: string): Promise<Result<NamedLogin, string>> {
    const subject = `'${namespace}/${name}'`;
    const found = await this.#client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
    if (!found.ok) return err(`unable to read KubeConfig ConfigMap ${subject} error: ${found.error.message}`);
    const data = field(found.value as unknown as JsonObject, 'data');
    const text = (key: string): string => stringAt(data, key) ?? '';
    const provider = PROVIDERS.find((known) => known === text('provider'));
    if (provider === undefined) {
      return err(
        `provider '${text('provider')}' of KubeConfig ConfigMap ${subject} is not one of ${PROVIDERS.join(', ')}`,
      );
    }
    const audiences = text('audiences')
      .split('\n')
      .map((audience) => audience.trim());
    const request: ClusterRequest = {
      principal: principalOf(namespace, text('serviceAccountName'), this.#defaultServiceAccount),
      cluster: text('cluster'),
      address: text('address'),
      ca: text('ca.crt'),
      audiences: audiences.filter((audience) => audience !== ''),
    };
    const login = await this.#of(provider, request);
    if (!login.ok) return err(`KubeConfig ConfigMap ${subject}: ${login.error}`);
    return ok({ ...login.value, identity: `${provider}\n${principalKey(request.principal)}\n${request.cluster}` });
  }

  #of(provider: Provider, request: ClusterRequest): Promise<Result<ClusterLogin, string>> {
    const cloud = this.#cloud;
    const tokens = this.#tokens;
    if (cloud === undefined || tokens === undefined) {
      return Promise.resolve(err('clusters cannot be logged in to from here'));
    }
    if (provider === 'generic') return Promise.resolve(genericLogin(request, cloud.accounts, tokens));
    return cloud.clusters[provider].login(request);
  }
}

/**
 * The cluster trusts tokens of service accounts of this one. A token of the engine's own account is never sent: address and audience are
 * the object's to choose, and the engine's account may do everything here.
 */
function genericLogin(
  { principal, address, ca, audiences }: ClusterRequest,
  accounts: ServiceAccounts,
  tokens: TokenCache<string>,
): Result<ClusterLogin, string> {
  if (address === '') return err('cluster address is required to create a REST config');
  const server = canonicalAddress(address);
  if (!server.ok) return err(`failed to parse cluster address ${address}: ${server.error}`);
  if (principal.kind === 'engine')
    return err("it names no 'serviceAccountName', and the engine's own is not used here");
  const wanted = audiences.length > 0 ? audiences : [address];
  const key = `${principalKey(principal)}\n${wanted.join('\n')}`;
  return ok({
    server: server.value,
    ...(ca === '' ? {} : { ca }),
    token: () => tokens.get(key, () => accounts.token(principal, wanted)),
  });
}

import { Buffer } from 'node:buffer';
import { at, field, isArray, isObject, type Json, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseKubeconfig } from '../../kube/kubeconfig-schema.ts';
import { explainAnswer, jsonBody } from '../answers.ts';
import type { AzureIdentity } from '../azure/azure-identity.ts';
import { azureCloud, scopeOf } from '../azure/cloud.ts';
import type { CloudPorts } from '../cloud-ports.ts';
import { principalKey } from '../principal.ts';
import { type Expiring, TokenCache } from '../token-cache.ts';
import {
  type ClusterLogin,
  type ClusterRequest,
  canonicalAddress,
  type DescribedCluster,
  needsDescription,
  placeOf,
} from './login.ts';

const CLUSTER =
  /^\/subscriptions\/([^/?#]{36})\/resourceGroups\/([^/?#]{1,200})\/providers\/Microsoft\.ContainerService\/managedClusters\/([^/?#]{1,200})$/i;
/** The server application of AKS, the same in every tenant. */
const AKS_SCOPE = '6dae42f8-4368-4678-94ff-3960e28e3630/.default';
const API_VERSION = '2024-02-01';
const DESCRIBED_MS = 15 * 60_000;

/** Logs in to clusters of AKS that know Microsoft Entra ID. Source: fluxcd/pkg@auth/v0.54.0 auth/azure/provider.go NewRESTConfig. */
export class AksClusters {
  readonly #ports: CloudPorts;
  readonly #identity: AzureIdentity;
  readonly #described: TokenCache<readonly DescribedCluster[]>;

  constructor(ports: CloudPorts, identity: AzureIdentity) {
    this.#ports = ports;
    this.#identity = identity;
    this.#described = new TokenCache({ ...ports.tokens, clock: ports.clock });
  }

  async login(request: ClusterRequest): Promise<Result<ClusterLogin, string>> {
    const { principal, cluster, address } = request;
    const token = () => this.#identity.token(principal, AKS_SCOPE);
    if (!needsDescription(request)) {
      const place = placeOf(request, undefined);
      return place.ok ? ok({ ...place.value, token }) : place;
    }
    if (!CLUSTER.test(cluster)) return err(`invalid AKS cluster ID: '${cluster}'. must match ${CLUSTER.source}`);
    const key = `${principalKey(principal)}\n${cluster.toLowerCase()}`;
    const described = await this.#described.get(key, () => this.#describe(request));
    if (!described.ok) return described;
    const wanted = address === '' ? undefined : canonicalAddress(address);
    if (wanted !== undefined && !wanted.ok) return wanted;
    const found = described.value.find(({ addresses: [own = ''] }) => {
      const canonical = canonicalAddress(own);
      return wanted === undefined || (canonical.ok && canonical.value === wanted.value);
    });
    if (found === undefined) {
      const known = described.value.flatMap(({ addresses }) => addresses.map((one) => `'${one}'`)).join(', ');
      return err(
        `no kubeconfig found for AKS cluster ${cluster} matching the specified address '${address}'. cluster addresses: [${known}]`,
      );
    }
    const place = placeOf(request, found);
    return place.ok ? ok({ ...place.value, token }) : place;
  }

  async #describe({
    principal,
    cluster,
  }: ClusterRequest): Promise<Result<Expiring<readonly DescribedCluster[]>, string>> {
    const { clock } = this.#ports;
    const cloud = azureCloud(this.#ports);
    if (!cloud.ok) return cloud;
    const { managementUrl, managementAudience } = cloud.value;
    const token = await this.#identity.token(principal, scopeOf(managementAudience));
    if (!token.ok) return err(`failed to get access token for cluster: ${token.error}`);
    const ask = (method: 'GET' | 'POST', path: string) =>
      this.#ask(method, `${managementUrl}${encodeURI(cluster)}${path}?api-version=${API_VERSION}`, token.value);
    const resource = await ask('GET', '');
    if (!resource.ok) return err(`failed to describe AKS cluster: ${resource.error}`);
    if (!isObject(at(resource.value, 'properties', 'aadProfile'))) {
      return err(
        `AKS cluster ${cluster} does not have Microsoft Entra ID integration enabled. See docs for enabling: https://learn.microsoft.com/en-us/azure/aks/enable-authentication-microsoft-entra-id`,
      );
    }
    const listed = await ask('POST', '/listClusterUserCredential');
    if (!listed.ok) return err(`failed to list the kubeconfigs of AKS cluster ${cluster}: ${listed.error}`);
    const files = field(listed.value, 'kubeconfigs');
    const value: DescribedCluster[] = [];
    for (const [index, file] of (isArray(files) ? files : []).entries()) {
      const one = describedBy(stringAt(file, 'value') ?? '');
      if (one === undefined) return err(`failed to parse kubeconfig[${index}] of AKS cluster ${cluster}`);
      value.push(one);
    }
    if (value.length === 0) return err(`no kubeconfig found for AKS cluster ${cluster}`);
    return ok({ value, expiresAtMs: clock.now() + DESCRIBED_MS });
  }

  async #ask(method: 'GET' | 'POST', url: string, token: string): Promise<Result<Json, string>> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await this.#ports.web({ method, url, headers, ...(method === 'POST' ? { body: '' } : {}) });
    if (!answer.ok) return answer;
    return answer.value.status === 200 ? ok(jsonBody(answer.value)) : err(explainAnswer(answer.value));
  }
}

/** Address and authority of a kubeconfig; who logs in there is of no interest. */
function describedBy(encoded: string): DescribedCluster | undefined {
  const parsed = parseKubeconfig(Buffer.from(encoded, 'base64').toString('utf8'), 'AKS');
  if (!parsed.ok) return undefined;
  const { clusters, contexts, currentContext } = parsed.value;
  const named = stringAt(contexts.find(({ name }) => name === currentContext)?.value, 'cluster');
  const cluster = (clusters.find(({ name }) => name === named) ?? clusters[0])?.value;
  const server = stringAt(cluster, 'server');
  if (!server) return undefined;
  const ca = Buffer.from(stringAt(cluster, 'certificate-authority-data') ?? '', 'base64').toString('utf8');
  return { addresses: [server], ca };
}

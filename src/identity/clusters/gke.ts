import { Buffer } from 'node:buffer';
import { stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../answers.ts';
import type { CloudPorts } from '../cloud-ports.ts';
import type { GcpIdentity } from '../gcp/gcp-identity.ts';
import { principalKey } from '../principal.ts';
import { type Expiring, TokenCache } from '../token-cache.ts';
import { type ClusterLogin, type ClusterRequest, type DescribedCluster, needsDescription, placeOf } from './login.ts';

const CLUSTER = /^projects\/[^/?#]{1,200}\/locations\/[^/?#]{1,200}\/clusters\/[^/?#]{1,200}$/;
const DESCRIBED_MS = 15 * 60_000;

/** Logs in to clusters of GKE. Source: fluxcd/pkg@auth/v0.54.0 auth/gcp/provider.go NewRESTConfig. */
export class GkeClusters {
  readonly #ports: CloudPorts;
  readonly #identity: GcpIdentity;
  readonly #described: TokenCache<DescribedCluster>;

  constructor(ports: CloudPorts, identity: GcpIdentity) {
    this.#ports = ports;
    this.#identity = identity;
    this.#described = new TokenCache({ ...ports.tokens, clock: ports.clock });
  }

  async login(request: ClusterRequest): Promise<Result<ClusterLogin, string>> {
    const { principal, cluster } = request;
    const token = () => this.#identity.token(principal);
    if (!needsDescription(request)) {
      const place = placeOf(request, undefined);
      return place.ok ? ok({ ...place.value, token }) : place;
    }
    if (!CLUSTER.test(cluster)) return err(`invalid GKE cluster ID: '${cluster}'. must match ${CLUSTER.source}`);
    const key = `${principalKey(principal)}\n${cluster}`;
    const described = await this.#described.get(key, () => this.#describe(cluster, token));
    if (!described.ok) return described;
    const place = placeOf(request, described.value);
    return place.ok ? ok({ ...place.value, token }) : place;
  }

  async #describe(
    cluster: string,
    token: () => Promise<Result<string, string>>,
  ): Promise<Result<Expiring<DescribedCluster>, string>> {
    const own = await token();
    if (!own.ok) return err(`failed to get access token for cluster: ${own.error}`);
    const failed = `failed to describe GKE cluster '${cluster}'`;
    const path = cluster.split('/').map(encodeURIComponent).join('/');
    const url = `https://container.googleapis.com/v1/${path}`;
    const headers = { authorization: `Bearer ${own.value}` };
    const answer = await this.#ports.web({ method: 'GET', url, headers });
    if (!answer.ok) return err(`${failed}: ${answer.error}`);
    if (answer.value.status !== 200) return err(`${failed}: ${explainAnswer(answer.value)}`);
    const body = jsonBody(answer.value);
    const authority = stringAt(body, 'masterAuth', 'clusterCaCertificate');
    const addresses = [
      stringAt(body, 'endpoint'),
      stringAt(body, 'privateClusterConfig', 'privateEndpoint'),
      stringAt(body, 'privateClusterConfig', 'publicEndpoint'),
      stringAt(body, 'controlPlaneEndpointsConfig', 'ipEndpointsConfig', 'privateEndpoint'),
      stringAt(body, 'controlPlaneEndpointsConfig', 'ipEndpointsConfig', 'publicEndpoint'),
      stringAt(body, 'controlPlaneEndpointsConfig', 'dnsEndpointConfig', 'endpoint'),
    ].filter((address) => address !== undefined && address !== '');
    if (addresses.length === 0 || !authority) return err(`${failed}: it has no address yet`);
    const value = {
      addresses: [...new Set(addresses)] as string[],
      ca: Buffer.from(authority, 'base64').toString('utf8'),
    };
    return ok({ value, expiresAtMs: this.#ports.clock.now() + DESCRIBED_MS });
  }
}

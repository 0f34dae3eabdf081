import { Buffer } from 'node:buffer';
import { stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../answers.ts';
import type { AwsIdentity } from '../aws/aws-identity.ts';
import { awsEndpoint } from '../aws/endpoint.ts';
import { type AwsCredentials, presigned, signed } from '../aws/sign.ts';
import type { CloudPorts } from '../cloud-ports.ts';
import { principalKey } from '../principal.ts';
import { type Expiring, TokenCache } from '../token-cache.ts';
import { type ClusterLogin, type ClusterRequest, type DescribedCluster, needsDescription, placeOf } from './login.ts';

/** Stricter than Flux, as EKS is with names: the name is part of a path that is signed. */
const CLUSTER = /^arn:aws[\w-]*:eks:([^:]{1,100}):[0-9]{1,30}:cluster\/([0-9A-Za-z][\w-]{0,199})$/;
/** Source: EKS best practices, controlling access to EKS clusters; X-Amz-Expires of the token. */
const LIFE_MS = 15 * 60_000;

/** Logs in to clusters of EKS. Source: fluxcd/pkg@auth/v0.54.0 auth/aws/provider.go NewRESTConfig. */
export class EksClusters {
  readonly #ports: CloudPorts;
  readonly #identity: AwsIdentity;
  readonly #tokens: TokenCache<string>;
  readonly #described: TokenCache<DescribedCluster>;

  constructor(ports: CloudPorts, identity: AwsIdentity) {
    this.#ports = ports;
    this.#identity = identity;
    this.#tokens = new TokenCache({ ...ports.tokens, clock: ports.clock });
    this.#described = new TokenCache({ ...ports.tokens, clock: ports.clock });
  }

  async login(request: ClusterRequest): Promise<Result<ClusterLogin, string>> {
    const { principal, cluster } = request;
    const [, region = '', name = ''] = CLUSTER.exec(cluster) ?? [];
    if (name === '') return err(`invalid EKS cluster ARN: '${cluster}'. must match ${CLUSTER.source}`);
    const key = `${principalKey(principal)}\n${cluster}`;
    const credentials = () => this.#identity.credentials(principal, region);
    const described = needsDescription(request)
      ? await this.#described.get(key, () => this.#describe(cluster, region, name, credentials))
      : ok(undefined);
    if (!described.ok) return described;
    const place = placeOf(request, described.value);
    if (!place.ok) return place;
    return ok({ ...place.value, token: () => this.#tokens.get(key, () => this.#token(region, name, credentials)) });
  }

  async #describe(
    cluster: string,
    region: string,
    name: string,
    credentials: () => Promise<Result<AwsCredentials, string>>,
  ): Promise<Result<Expiring<DescribedCluster>, string>> {
    const { web, clock, env } = this.#ports;
    const endpoint = awsEndpoint('eks', region, env);
    if (!endpoint.ok) return endpoint;
    const own = await credentials();
    if (!own.ok) return err(`failed to get access token for cluster: ${own.error}`);
    const failed = `failed to describe EKS cluster '${cluster}'`;
    const request = { method: 'GET', url: `${endpoint.value}/clusters/${encodeURIComponent(name)}` } as const;
    const answer = await web(await signed(request, own.value, { service: 'eks', region }, clock));
    if (!answer.ok) return err(`${failed}: ${answer.error}`);
    if (answer.value.status !== 200) return err(`${failed}: ${explainAnswer(answer.value)}`);
    const body = jsonBody(answer.value);
    const address = stringAt(body, 'cluster', 'endpoint');
    const authority = stringAt(body, 'cluster', 'certificateAuthority', 'data');
    if (!address || !authority) return err(`${failed}: it has no address yet`);
    const value = { addresses: [address], ca: Buffer.from(authority, 'base64').toString('utf8') };
    return ok({ value, expiresAtMs: clock.now() + LIFE_MS });
  }

  /** The token is a request to STS that the cluster sends in our place, to learn who we are. */
  async #token(
    region: string,
    name: string,
    credentials: () => Promise<Result<AwsCredentials, string>>,
  ): Promise<Result<Expiring<string>, string>> {
    const { clock, env } = this.#ports;
    const endpoint = awsEndpoint('sts', region, env);
    if (!endpoint.ok) return endpoint;
    const own = await credentials();
    if (!own.ok) return err(`failed to get access token for cluster: ${own.error}`);
    const expiresAtMs = clock.now() + LIFE_MS;
    const query = new URLSearchParams({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Expires': String(LIFE_MS / 1000),
    });
    const request = {
      method: 'GET',
      url: `${endpoint.value}/?${query.toString()}`,
      headers: { 'x-k8s-aws-id': name },
    } as const;
    const url = await presigned(request, own.value, { service: 'sts', region }, clock);
    return ok({ value: `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`, expiresAtMs });
  }
}

import { at, field, isObject, type Json, type JsonObject, parseJson, stringAt } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { type CloudPorts, fileText } from './cloud-ports.ts';
import { readJwtPayload } from './jwt.ts';
import type { Expiring } from './token-cache.ts';

/** As whom a cloud is asked: as the engine itself, or as a service account in the namespace of an object. */
export type Principal = { readonly kind: 'engine' } | AccountRef;

export interface AccountRef {
  readonly kind: 'account';
  readonly namespace: string;
  readonly name: string;
  /** Named by a flag of the engine, not by the object. */
  readonly isDefault: boolean;
}

export const ENGINE: Principal = { kind: 'engine' };

/** A service account, as clouds know it: by its annotations. */
export interface Account extends AccountRef {
  readonly annotations: ReadonlyMap<string, string>;
}

/** The principal of an object that names `own`, where `fallback` is the engine's flag. Both may be ''. */
export function principalOf(namespace: string, own: string, fallback: string): Principal {
  const name = own || fallback;
  return name === '' ? ENGINE : { kind: 'account', namespace, name, isDefault: own === '' };
}

/** Identifies a principal in keys of caches. */
export function principalKey(principal: Principal): string {
  return principal.kind === 'engine' ? 'engine' : `${principal.namespace}/${principal.name}`;
}

const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** A token without a time of its own is taken for one of this age. Source: kubernetes@1.34 TokenRequest's default. */
const DEFAULT_LIFE_MS = 3_600_000;

/** Reads service accounts and asks for tokens that say who they are. Source: fluxcd/pkg@auth/v0.54.0 auth/access_token.go. */
export class ServiceAccounts {
  readonly #client: KubeClient;
  readonly #enabled: boolean;
  readonly #now: () => number;

  /** `enabled`: the feature gate ObjectLevelWorkloadIdentity. */
  constructor(client: KubeClient, enabled: boolean, now: () => number) {
    this.#client = client;
    this.#enabled = enabled;
    this.#now = now;
  }

  async read(ref: AccountRef): Promise<Result<Account, string>> {
    const { namespace, name } = ref;
    const found = await this.#client.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name });
    if (!found.ok) {
      const why =
        isNotFound(found.error) && ref.isDefault
          ? 'the specified default service account does not exist in the object namespace. your cluster is subject to multi-tenant workload identity lockdown, reach out to your cluster administrator for help'
          : found.error.message;
      return err(`failed to get service account '${namespace}/${name}': ${why}`);
    }
    const given = field(found.value.metadata as unknown as JsonObject, 'annotations');
    const annotations = new Map<string, string>();
    for (const [key, value] of isObject(given) ? Object.entries(given) : []) {
      if (typeof value === 'string') annotations.set(key, value);
    }
    return ok({ ...ref, annotations });
  }

  /** A token for `audiences`; the API server's own where there are none. */
  async token(ref: AccountRef, audiences: readonly string[]): Promise<Result<Expiring<string>, string>> {
    if (!this.#enabled) return err('ObjectLevelWorkloadIdentity feature gate is not enabled');
    return this.#request(ref, audiences);
  }

  /** A token of the account that the engine itself runs as. Source: fluxcd/pkg@auth/v0.54.0 auth/generic/provider.go. */
  async engineToken(ports: CloudPorts, audiences: readonly string[]): Promise<Result<Expiring<string>, string>> {
    const mounted = fileText(ports, 'the service account of the engine', TOKEN_FILE);
    if (typeof mounted !== 'string') return err(mounted.error);
    const [, , namespace, name] = (stringAt(readJwtPayload(mounted.trim()), 'sub') ?? '').split(':');
    if (!namespace || !name) return err('the token of the engine names no service account');
    return this.#request({ namespace, name }, audiences);
  }

  async #request(
    { namespace, name }: Pick<AccountRef, 'namespace' | 'name'>,
    audiences: readonly string[],
  ): Promise<Result<Expiring<string>, string>> {
    const answer = await this.#client.raw(
      'POST',
      `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`,
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [...audiences] } },
    );
    const subject = `service account '${namespace}/${name}'`;
    if (!answer.ok) return err(`failed to create kubernetes token for ${subject}: ${answer.error.message}`);
    const token = tokenOf(answer.value);
    if (token === undefined) return err(`failed to create kubernetes token for ${subject}: none came`);
    const expiry = field(readJwtPayload(token), 'exp');
    return ok({
      value: token,
      expiresAtMs: typeof expiry === 'number' ? expiry * 1000 : this.#now() + DEFAULT_LIFE_MS,
    });
  }
}

function tokenOf(text: string): string | undefined {
  let body: Json;
  try {
    body = parseJson(text);
  } catch {
    return undefined;
  }
  const token = at(body, 'status', 'token');
  return typeof token === 'string' && token !== '' ? token : undefined;
}

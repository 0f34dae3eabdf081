import type { GitRepository } from '../../api/kinds/git-repository.ts';
import { field, isObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient, KubeError } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { credentialsOf, type GitCredentials, type GitProxy, inspectIdentity } from '../../source/git/credentials.ts';
import { type GitUrl, parseGitUrl } from '../../source/git/url.ts';
import type { Failure } from './plan.ts';

export interface AccessPorts {
  readonly client: KubeClient;
}

/** How a repository is reached. */
export interface Access {
  readonly url: GitUrl;
  readonly credentials: GitCredentials;
  readonly proxy: GitProxy | undefined;
}

/** Reads address, proxy and credentials, in Flux's order. Source: source-controller@1.9 gitrepository_controller.go getAuthOpts. */
export async function access({ client }: AccessPorts, object: GitRepository): Promise<Result<Access, Failure>> {
  const { spec, metadata } = object;
  const { namespace = '' } = metadata;
  const refuse = (reason: string, message: string, policy: Failure['policy'] = 'retry'): Result<never, Failure> =>
    err({ type: 'FetchFailed', reason, message, policy });
  const denied = (message: string): Result<never, Failure> => refuse('AuthenticationFailed', message);

  let proxy: GitProxy | undefined;
  if (spec.proxySecretRef !== undefined) {
    const { name } = spec.proxySecretRef;
    const secret = await readSecret(client, namespace, name);
    if (!secret.ok) {
      const why = isNotFound(secret.error) ? `secret '${namespace}/${name}' not found` : secret.error.message;
      return denied(`failed to configure proxy options: ${why}`);
    }
    const read = proxyOf(secret.value);
    if (!read.ok) return denied(`failed to configure proxy options: secret '${namespace}/${name}': ${read.error}`);
    proxy = read.value;
  }

  const url = parseGitUrl(spec.url);
  if (!url.ok)
    return refuse('URLInvalid', `failed to parse url '${withoutUserInfo(spec.url)}': it ${url.error}`, 'stall');

  let data: SecretData = {};
  if (spec.secretRef !== undefined) {
    const secret = await readSecret(client, namespace, spec.secretRef.name);
    const what = `failed to get secret '${namespace}/${spec.secretRef.name}'`;
    if (!secret.ok) return denied(`${what}: ${what}: ${secret.error.message}`);
    data = secret.value;
  }
  const credentials = credentialsOf(url.value, data);
  if (!credentials.ok) return denied(`failed to configure authentication options: ${credentials.error}`);
  const { identity, passphrase } = credentials.value;
  const secretName = `'${namespace}/${spec.secretRef?.name ?? ''}'`;
  if (identity !== undefined && passphrase === undefined && inspectIdentity(identity) === 'encrypted') {
    return denied(`SSH identity key is encrypted but no 'password' field was provided in the secret ${secretName}`);
  }

  const invalidProvider = (message: string, policy: Failure['policy']): Result<never, Failure> =>
    refuse('InvalidProviderConfiguration', message, policy);
  const isApp = (data['githubAppID'] ?? '') !== '';
  switch (spec.provider) {
    case 'github':
      if (!isApp) {
        const message = 'secretRef with github app data must be specified when provider is set to github';
        return invalidProvider(message, spec.secretRef === undefined ? 'stall' : 'retry');
      }
      return invalidProvider(
        "provider 'github' is not supported yet: use a secret with username and password",
        'stall',
      );
    case 'aws':
    case 'azure':
      return invalidProvider(
        `provider '${spec.provider}' is not supported yet: use a secret with username and password`,
        'stall',
      );
    default:
      if (isApp) {
        return invalidProvider(
          `secretRef ${secretName} has github app data but provider is not set to github`,
          'retry',
        );
      }
  }
  return ok({ url: url.value, credentials: credentials.value, proxy });
}

export type SecretData = Readonly<Record<string, string>>;

/** The keys of a Secret, decoded. Values that are not UTF-8 are of no use here and come out garbled. */
export async function readSecret(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<Result<SecretData, KubeError>> {
  const found = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name });
  if (!found.ok) return found;
  const data = field(found.value as object as Parameters<typeof field>[0], 'data');
  const entries = isObject(data) ? Object.entries(data) : [];
  return ok(
    Object.fromEntries(
      entries.flatMap(([key, value]) =>
        typeof value === 'string' ? [[key, Buffer.from(value, 'base64').toString('utf8')]] : [],
      ),
    ),
  );
}

/** Keys `address`, `username`, `password`. Source: fluxcd/pkg runtime/secrets ProxyURLFromSecretRef. */
function proxyOf(data: SecretData): Result<GitProxy, string> {
  const address = data['address'] ?? '';
  if (address === '') return err("key 'address' is missing");
  if (!URL.canParse(address) || !/^(https?|socks5h?):$/.test(new URL(address).protocol)) {
    return err("key 'address' is not an http, https or socks5 address");
  }
  const { username, password } = data;
  if (/[\r\n]/.test(address)) return err("key 'address' has a line break");
  return ok({
    address,
    ...(username === undefined || username === '' ? {} : { username }),
    ...(password === undefined || password === '' ? {} : { password }),
  });
}

function withoutUserInfo(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

import type { KubeObject } from '../../api/object.ts';
import { at, isObject, type Json, parseJson, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { HttpCredentials } from '../../source/download.ts';
import { dataOf, isHidden, type KnownObjects } from './known-objects.ts';

/**
 * What a HelmRepository or an OCIRepository authenticates with: the Secrets that its `secretRef` and `certSecretRef` name.
 * Source: source-controller@1.9 internal/helm/getter/client_opts.go; fluxcd/pkg runtime/secrets.
 */
export async function credentialsOf(
  source: KubeObject,
  host: string,
  objects: KnownObjects,
): Promise<Result<HttpCredentials, string>> {
  const login = await secretOf(source, 'secretRef', objects);
  if (!login.ok) return login;
  const certificates = await secretOf(source, 'certSecretRef', objects);
  if (!certificates.ok) return certificates;
  const docker = fromDockerConfig(login.value.get('.dockerconfigjson'), host);
  const username = login.value.get('username') ?? docker.username;
  const password = login.value.get('password') ?? docker.password;
  const tls = (key: string, old: string): string | undefined =>
    certificates.value.get(key) ?? login.value.get(key) ?? login.value.get(old);
  const ca = tls('ca.crt', 'caFile');
  const clientCertificate = tls('tls.crt', 'certFile');
  const clientKey = tls('tls.key', 'keyFile');
  return ok({
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(clientKey !== undefined && { clientKey }),
  });
}

async function secretOf(
  source: KubeObject,
  reference: string,
  objects: KnownObjects,
): Promise<Result<ReadonlyMap<string, string>, string>> {
  const name = stringAt(source.spec, reference, 'name');
  if (name === undefined) return ok(new Map());
  const namespace = source.metadata.namespace ?? '';
  const secret = await objects.find({ apiVersion: 'v1', kind: 'Secret', namespace, name });
  if (!secret.ok) return secret;
  const what = `Secret/${namespace}/${name} of its ${reference}`;
  if (secret.value === undefined) return err(`${what} is not there`);
  if (isHidden(secret.value)) return err(`${what} is encrypted, and there is no cluster to ask`);
  return ok(dataOf(secret.value));
}

/** Login for `host` in a Docker configuration. */
function fromDockerConfig(
  text: string | undefined,
  host: string,
): { readonly username?: string; readonly password?: string } {
  let parsed: Json;
  try {
    parsed = parseJson(text ?? '{}');
  } catch {
    return {};
  }
  const entry = at(parsed, 'auths', host) ?? at(parsed, 'auths', `https://${host}`);
  if (!isObject(entry)) return {};
  const auth = stringAt(entry, 'auth');
  const decoded = auth === undefined ? '' : Buffer.from(auth, 'base64').toString();
  const colon = decoded.indexOf(':');
  const username = stringAt(entry, 'username') ?? (colon > 0 ? decoded.slice(0, colon) : undefined);
  const password = stringAt(entry, 'password') ?? (colon > 0 ? decoded.slice(colon + 1) : undefined);
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

import { readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { field, isArray, type JsonObject, stringAt } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Impersonation } from './client.ts';
import {
  type Kubeconfig,
  type KubeconfigError,
  mergeKubeconfigs,
  type NamedEntry,
  parseKubeconfig,
} from './kubeconfig-schema.ts';

/** How to reach one cluster as one user. Certificates and keys are PEM text. */
export interface ClusterAccess {
  /** `https://host:port`, perhaps with a path. */
  readonly server: string;
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
  /** Read again now and then: tokens of service accounts are rotated. */
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: ExecPlugin;
  readonly as?: Impersonation;
  /** The context's namespace. */
  readonly namespace?: string;
  readonly context?: string;
}

/** A program of the user's own that prints credentials. */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly provideClusterInfo: boolean;
  readonly installHint?: string;
}

/** What of the environment decides which cluster is meant. */
export interface KubeconfigEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Text of a file; undefined when there is none. Throws when it cannot be read. */
  readonly readFile?: (path: string) => string | undefined;
}

/** Command line flags, by kubectl's names. */
export interface KubeconfigOverrides {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly server?: string;
  readonly token?: string;
  readonly as?: string;
  readonly asGroups?: readonly string[];
  readonly asUid?: string;
  /** `key=value` of each extra. */
  readonly asExtra?: readonly string[];
  readonly namespace?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
}

type Read<T> = Result<T, KubeconfigError>;
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Text of a file; undefined when there is none. Throws for one that is unreadable or above 4 MiB. */
export function readTextFile(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
  return readFileSync(path, 'utf8');
}

/**
 * Finds the cluster that the user means: `--kubeconfig`, else the files of $KUBECONFIG, else the pod's service account, else
 * `~/.kube/config` (controller-runtime's order). Errors name file and field.
 */
export function loadClusterAccess(
  environment: KubeconfigEnvironment,
  overrides: KubeconfigOverrides = {},
): Read<ClusterAccess> {
  const { env } = environment;
  const named = overrides.kubeconfig !== undefined && overrides.kubeconfig !== '';
  if (!named && !env['KUBECONFIG'] && env['KUBERNETES_SERVICE_HOST'] && overrides.context === undefined) {
    return inCluster(environment, overrides);
  }
  const config = loadKubeconfig(environment, overrides.kubeconfig);
  if (!config.ok) return config;
  return resolveAccess(config.value, environment, overrides);
}

/** Paths of the kubeconfig files that count, in order of precedence. */
export function kubeconfigPaths({ env, home }: KubeconfigEnvironment, explicit?: string): readonly string[] {
  if (explicit !== undefined && explicit !== '') return [explicit];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(home, '.kube', 'config')];
}

/** Reads and merges the files. A file that `explicit` names must exist; of a list at least one must. */
export function loadKubeconfig(environment: KubeconfigEnvironment, explicit?: string): Read<Kubeconfig> {
  const configs: Kubeconfig[] = [];
  const paths = kubeconfigPaths(environment, explicit);
  for (const path of paths) {
    const text = readOrError(environment, path, path, undefined);
    if (!text.ok) {
      if (text.error.code === 'NotFound' && !explicit) continue;
      return text;
    }
    const parsed = parseKubeconfig(text.value, path);
    if (!parsed.ok) return parsed;
    configs.push(parsed.value);
  }
  if (configs.length === 0) {
    return fail('NotFound', `no kubeconfig found: ${paths.join(', ')} ${paths.length > 1 ? 'do' : 'does'} not exist`);
  }
  return ok(mergeKubeconfigs(configs));
}

/** What a kubeconfig that a tenant wrote may do beside naming a server. */
export interface UntrustedRules {
  readonly allowExec: boolean;
  readonly allowInsecureTls: boolean;
}

/** Reads a kubeconfig from a Secret: no file of ours is read for it. Errors: `Forbidden` beside the others. */
export function clusterAccessOf(text: string, subject: string, rules: UntrustedRules): Read<ClusterAccess> {
  const parsed = parseKubeconfig(text, subject);
  if (!parsed.ok) return parsed;
  const noFiles: KubeconfigEnvironment = { env: {}, home: '/', readFile: () => undefined };
  for (const { name, value } of [...parsed.value.clusters, ...parsed.value.users]) {
    for (const key of ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']) {
      if (stringAt(value, key)) return forbidden(subject, `${name}.${key}`, 'a path to a file is not allowed');
    }
  }
  const access = resolveAccess(parsed.value, noFiles, {});
  if (!access.ok) return access;
  if (access.value.exec !== undefined && !rules.allowExec) {
    return forbidden(subject, 'exec', 'is not allowed (--insecure-kubeconfig-exec)');
  }
  if (access.value.proxyUrl !== undefined && !rules.allowInsecureTls) {
    return forbidden(subject, 'proxy-url', 'is not allowed (--insecure-kubeconfig-tls)');
  }
  if (access.value.insecureSkipTlsVerify === true && !rules.allowInsecureTls) {
    return forbidden(subject, 'insecure-skip-tls-verify', 'is not allowed (--insecure-kubeconfig-tls)');
  }
  return access;
}

function resolveAccess(
  config: Kubeconfig,
  environment: KubeconfigEnvironment,
  overrides: KubeconfigOverrides,
): Read<ClusterAccess> {
  const contextName = overrides.context ?? config.currentContext;
  const context = config.contexts.find(({ name }) => name === contextName);
  if (contextName !== undefined && context === undefined && (overrides.context !== undefined || !overrides.server)) {
    return fail('Missing', `context ${JSON.stringify(contextName)} does not exist in the kubeconfig`, 'contexts');
  }
  const clusterName = overrides.cluster ?? stringAt(context?.value, 'cluster');
  const userName = overrides.user ?? stringAt(context?.value, 'user');
  const cluster = config.clusters.find(({ name }) => name === clusterName);
  const user = config.users.find(({ name }) => name === userName);
  if (cluster === undefined && !overrides.server) {
    return clusterName === undefined
      ? fail('Missing', 'the kubeconfig has no current-context', 'current-context')
      : fail('Missing', `cluster ${JSON.stringify(clusterName)} does not exist in the kubeconfig`, 'clusters');
  }
  if (userName !== undefined && userName !== '' && user === undefined && overrides.token === undefined) {
    return fail('Missing', `user ${JSON.stringify(userName)} does not exist in the kubeconfig`, 'users');
  }
  const connection = clusterPart(environment, cluster, overrides);
  if (!connection.ok) return connection;
  const credentials = userPart(environment, user, overrides);
  if (!credentials.ok) return credentials;
  const namespace = overrides.namespace ?? stringAt(context?.value, 'namespace');
  return ok({
    ...connection.value,
    ...credentials.value,
    ...(namespace ? { namespace } : {}),
    ...(contextName === undefined ? {} : { context: contextName }),
  });
}

function clusterPart(
  environment: KubeconfigEnvironment,
  entry: NamedEntry | undefined,
  overrides: KubeconfigOverrides,
): Read<ClusterAccess> {
  const value = entry?.value;
  const server = overrides.server ?? stringAt(value, 'server');
  if (!server) return fail('Missing', `cluster ${JSON.stringify(entry?.name)} has no server`, 'server', entry?.file);
  if (!URL.canParse(server) || !/^https?:/.test(server)) {
    return fail('Invalid', 'server is not an http or https URL', 'server', entry?.file);
  }
  const ca =
    overrides.certificateAuthority === undefined
      ? dataOrFile(environment, entry, 'certificate-authority')
      : readOrError(environment, overrides.certificateAuthority, '--certificate-authority', 'certificate-authority');
  if (!ca.ok) return ca;
  const insecure = overrides.insecureSkipTlsVerify ?? field(value, 'insecure-skip-tls-verify') === true;
  const tlsServerName = overrides.tlsServerName ?? stringAt(value, 'tls-server-name');
  const proxyUrl = stringAt(value, 'proxy-url');
  if (proxyUrl && !/^https?:\/\//.test(proxyUrl)) {
    return fail('Invalid', 'proxy-url is not an http or https URL', 'proxy-url', entry?.file);
  }
  return ok({
    server,
    ...(ca.value === undefined ? {} : { ca: ca.value }),
    ...(insecure ? { insecureSkipTlsVerify: true } : {}),
    ...(tlsServerName ? { tlsServerName } : {}),
    ...(proxyUrl ? { proxyUrl } : {}),
  });
}

/** The extras of an impersonated user; values of one key are kept together. */
function extraOf({ asExtra = [] }: KubeconfigOverrides): Pick<Impersonation, 'extra'> {
  const extra = new Map<string, string[]>();
  for (const text of asExtra) {
    const equals = text.indexOf('=');
    const key = text.slice(0, Math.max(0, equals)).toLowerCase();
    if (key !== '') extra.set(key, [...(extra.get(key) ?? []), text.slice(equals + 1)]);
  }
  return extra.size === 0 ? {} : { extra };
}

function userPart(
  environment: KubeconfigEnvironment,
  entry: NamedEntry | undefined,
  overrides: KubeconfigOverrides,
): Read<Omit<ClusterAccess, 'server'>> {
  const value = entry?.value;
  const asUser = overrides.as ?? stringAt(value, 'as');
  const groups = overrides.asGroups ?? texts(value, 'as-groups');
  const uid = overrides.asUid ?? stringAt(value, 'as-uid');
  const as = asUser ? { as: { user: asUser, groups, ...(uid ? { uid } : {}), ...extraOf(overrides) } } : {};
  // A token on the command line takes the place of whatever the user's entry says.
  if (overrides.token) return ok({ token: overrides.token, ...as });
  const certificate =
    overrides.clientCertificate === undefined
      ? dataOrFile(environment, entry, 'client-certificate')
      : readOrError(environment, overrides.clientCertificate, '--client-certificate', 'client-certificate');
  if (!certificate.ok) return certificate;
  const key =
    overrides.clientKey === undefined
      ? dataOrFile(environment, entry, 'client-key')
      : readOrError(environment, overrides.clientKey, '--client-key', 'client-key');
  if (!key.ok) return key;
  if ((certificate.value === undefined) !== (key.value === undefined)) {
    const missing = key.value === undefined ? 'client-key' : 'client-certificate';
    return fail('Missing', `user ${JSON.stringify(entry?.name)} has no ${missing}`, missing, entry?.file);
  }
  const exec = execPart(entry);
  if (!exec.ok) return exec;
  const tokenFile = stringAt(value, 'tokenFile');
  const [token, username, password] = ['token', 'username', 'password'].map((name) => stringAt(value, name));
  return ok({
    ...(certificate.value === undefined ? {} : { clientCertificate: certificate.value }),
    ...(key.value === undefined ? {} : { clientKey: key.value }),
    ...(token ? { token } : {}),
    ...(tokenFile ? { tokenFile: besideFile(entry, tokenFile) } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(exec.value === undefined ? {} : { exec: exec.value }),
    ...as,
  });
}

function execPart(entry: NamedEntry | undefined): Read<ExecPlugin | undefined> {
  const exec = field(entry?.value, 'exec');
  if (exec === undefined || exec === null) {
    if (field(entry?.value, 'auth-provider') === undefined) return ok(undefined);
    return fail('Invalid', 'auth-provider is no longer supported, use exec', 'auth-provider', entry?.file);
  }
  const command = stringAt(exec, 'command');
  const apiVersion = stringAt(exec, 'apiVersion');
  if (!command) return fail('Missing', 'exec.command is missing', 'exec.command', entry?.file);
  if (!apiVersion || !/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(apiVersion)) {
    return fail(
      'Invalid',
      'exec.apiVersion is not client.authentication.k8s.io/v1 or v1beta1',
      'exec.apiVersion',
      entry?.file,
    );
  }
  const env: Record<string, string> = {};
  const variables = field(exec, 'env');
  for (const variable of isArray(variables) ? variables : []) {
    const name = stringAt(variable, 'name');
    if (name !== undefined) env[name] = stringAt(variable, 'value') ?? '';
  }
  const installHint = stringAt(exec, 'installHint');
  return ok({
    apiVersion,
    command: command.includes('/') ? besideFile(entry, command) : command,
    args: texts(exec as JsonObject, 'args'),
    env,
    provideClusterInfo: field(exec, 'provideClusterInfo') === true,
    ...(installHint === undefined ? {} : { installHint }),
  });
}

/** Inline data wins over a path. */
function dataOrFile(
  environment: KubeconfigEnvironment,
  entry: NamedEntry | undefined,
  name: string,
): Read<string | undefined> {
  const data = stringAt(entry?.value, `${name}-data`);
  if (data) {
    const text = Buffer.from(data, 'base64').toString('utf8');
    if (!/^[A-Za-z0-9+/=\s]*$/.test(data) || !text.includes('-----BEGIN')) {
      return fail('Invalid', `${name}-data is not PEM in base64`, `${name}-data`, entry?.file);
    }
    return ok(text);
  }
  const path = stringAt(entry?.value, name);
  if (!path) return ok(undefined);
  return readOrError(environment, besideFile(entry, path), entry?.file ?? path, name);
}

function inCluster(environment: KubeconfigEnvironment, overrides: KubeconfigOverrides): Read<ClusterAccess> {
  const host = environment.env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment.env['KUBERNETES_SERVICE_PORT'] ?? '443';
  const ca = readOrError(environment, `${SERVICE_ACCOUNT}/ca.crt`, 'service account', 'ca.crt');
  if (!ca.ok) return ca;
  const namespace = readOrError(environment, `${SERVICE_ACCOUNT}/namespace`, 'service account', 'namespace');
  return ok({
    server: overrides.server ?? `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: ca.value,
    ...(overrides.token ? { token: overrides.token } : { tokenFile: `${SERVICE_ACCOUNT}/token` }),
    ...(namespace.ok ? { namespace: namespace.value.trim() } : {}),
    ...(overrides.as
      ? {
          as: {
            user: overrides.as,
            groups: overrides.asGroups ?? [],
            ...(overrides.asUid ? { uid: overrides.asUid } : {}),
            ...extraOf(overrides),
          },
        }
      : {}),
  });
}

function readOrError(
  { readFile = readTextFile }: KubeconfigEnvironment,
  path: string,
  file: string,
  at: string | undefined,
): Read<string> {
  const what = at === undefined ? `kubeconfig ${file}` : `kubeconfig ${file}: ${at}: ${path}`;
  let text: string | undefined;
  try {
    text = readFile(path);
  } catch (cause) {
    return fail('Unreadable', `${what} cannot be read: ${(cause as Error).message}`, at, file);
  }
  return text === undefined ? fail('NotFound', `${what} does not exist`, at, file) : ok(text);
}

function besideFile(entry: NamedEntry | undefined, path: string): string {
  return isAbsolute(path) || entry === undefined ? path : resolve(dirname(entry.file), path);
}

function texts(value: JsonObject | undefined, key: string): readonly string[] {
  const list = field(value, key);
  return isArray(list) ? list.filter((item) => typeof item === 'string') : [];
}

function forbidden(file: string, at: string, what: string): Result<never, KubeconfigError> {
  return fail('Forbidden', `kubeconfig ${file}: ${at}: ${what}`, at, file);
}

function fail(
  code: KubeconfigError['code'],
  message: string,
  at?: string,
  file?: string,
): Result<never, KubeconfigError> {
  const named = file === undefined || message.includes(file) ? message : `kubeconfig ${file}: ${message}`;
  return err({
    code,
    message: named,
    ...(at === undefined ? {} : { field: at }),
    ...(file === undefined ? {} : { file }),
  });
}

import { ok } from '../base/result.ts';
import { type CliResult, type FlagDefinition, type FlagReader, failed } from './command.ts';

export const DEFAULT_NAMESPACE = 'flux-system';

type Env = Readonly<Record<string, string | undefined>>;

/** Flags of every command; names and texts are Flux's and kubectl's. */
export function globalFlags(env: Env): readonly FlagDefinition[] {
  const follows = env['FLUX_NS_FOLLOWS_KUBE_CONTEXT'] === 'true' || env['FLUX_NS_FOLLOWS_KUBE_CONTEXT'] === '1';
  return [
    { name: 'timeout', type: 'duration', default: '5m0s', usage: 'timeout for this operation' },
    { name: 'verbose', type: 'bool', usage: 'print generated objects, and where an internal error came from' },
    {
      name: 'namespace',
      short: 'n',
      type: 'string',
      default: defaultNamespace(env),
      usage: 'If present, the namespace scope for this CLI request',
    },
    {
      name: 'ns-follows-kube-context',
      type: 'bool',
      default: follows ? 'true' : 'false',
      usage: 'When set to true, the default namespace is the one of the current kubeconfig context',
    },
    { name: 'kubeconfig', type: 'string', usage: 'Path to the kubeconfig file to use for CLI requests.' },
    { name: 'context', type: 'string', usage: 'The name of the kubeconfig context to use' },
    { name: 'cluster', type: 'string', usage: 'The name of the kubeconfig cluster to use' },
    { name: 'user', type: 'string', usage: 'The name of the kubeconfig user to use' },
    {
      name: 'as',
      type: 'string',
      usage:
        'Username to impersonate for the operation. User could be a regular user or a service account in a namespace.',
    },
    {
      name: 'as-group',
      type: 'strings',
      usage: 'Group to impersonate for the operation, this flag can be repeated to specify multiple groups.',
    },
    { name: 'as-uid', type: 'string', usage: 'UID to impersonate for the operation.' },
    {
      name: 'as-user-extra',
      type: 'strings',
      usage:
        'User extras to impersonate for the operation (key=value), this flag can be repeated to specify multiple values for the same key.',
    },
    { name: 'token', type: 'string', usage: 'Bearer token for authentication to the API server' },
    { name: 'server', type: 'string', usage: 'The address and port of the Kubernetes API server' },
    {
      name: 'insecure-skip-tls-verify',
      type: 'bool',
      usage:
        "If true, the Kubernetes API server's certificate will not be checked for validity. This will make your HTTPS connections insecure",
    },
    {
      name: 'certificate-authority',
      type: 'string',
      usage: 'Path to a cert file for the certificate authority to authenticate the Kubernetes API server',
    },
    {
      name: 'client-certificate',
      type: 'string',
      usage: 'Path to a client certificate file for TLS authentication to the Kubernetes API server',
    },
    {
      name: 'client-key',
      type: 'string',
      usage: 'Path to a client key file for TLS authentication to the Kubernetes API server',
    },
    {
      name: 'tls-server-name',
      type: 'string',
      usage:
        'Server name to use for server certificate validation. If it is not provided, the hostname used to contact the server is used',
    },
    {
      name: 'disable-compression',
      type: 'bool',
      default: 'true',
      usage: 'If true, opt-out of response compression for all requests to the server',
    },
    { name: 'cache-dir', type: 'string', usage: 'Default cache directory' },
    {
      name: 'kube-api-qps',
      type: 'string',
      default: '50',
      usage: 'The maximum queries-per-second of requests sent to the Kubernetes API.',
    },
    {
      name: 'kube-api-burst',
      type: 'int',
      default: '300',
      usage: 'The maximum burst queries-per-second of requests sent to the Kubernetes API.',
    },
  ];
}

function defaultNamespace(env: Env): string {
  const given = env['FLUX_SYSTEM_NAMESPACE'];
  return given !== undefined && isDnsLabel(given) ? given : DEFAULT_NAMESPACE;
}

/** The environment variable is ignored, with this warning, when it is not a namespace. */
export function environmentWarning(env: Env): string | undefined {
  const given = env['FLUX_SYSTEM_NAMESPACE'];
  if (given === undefined || given === '' || isDnsLabel(given)) return undefined;
  return ` ignoring invalid FLUX_SYSTEM_NAMESPACE: ${JSON.stringify(given)}`;
}

/** RFC 1123 label: names of namespaces. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);
}

/** RFC 1123 subdomain: names of most objects. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
}

export function namespaceOf(flags: FlagReader): CliResult<string> {
  const namespace = flags.string('namespace');
  return isDnsLabel(namespace)
    ? ok(namespace)
    : failed(`namespace must be a valid DNS label: ${JSON.stringify(namespace)}`);
}

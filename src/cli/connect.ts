import { homedir } from 'node:os';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeconfigOverrides, loadClusterAccess } from '../kube/kubeconfig.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { createSocketTransport, type SocketTransport } from '../kube/transport-socket.ts';
import { type CliResult, type ConnectOptions, type FlagReader, failed } from './command.ts';

import { VERSION } from './version.ts';

/** Kubeconfig flags, by kubectl's names, as overrides; a flag that was not given overrides nothing. */
function overridesOf(flags: FlagReader): KubeconfigOverrides {
  const overrides: Record<string, unknown> = {};
  const set = (flag: string, field: string, value: () => unknown): void => {
    if (flags.changed(flag)) overrides[field] = value();
  };
  const strings: Readonly<Record<string, string>> = {
    kubeconfig: 'kubeconfig',
    context: 'context',
    cluster: 'cluster',
    user: 'user',
    server: 'server',
    token: 'token',
    as: 'as',
    'as-uid': 'asUid',
    'certificate-authority': 'certificateAuthority',
    'client-certificate': 'clientCertificate',
    'client-key': 'clientKey',
    'tls-server-name': 'tlsServerName',
  };
  for (const [flag, field] of Object.entries(strings)) set(flag, field, () => flags.string(flag));
  set('as-group', 'asGroups', () => flags.list('as-group'));
  set('as-user-extra', 'asExtra', () => flags.list('as-user-extra'));
  set('insecure-skip-tls-verify', 'insecureSkipTlsVerify', () => flags.bool('insecure-skip-tls-verify'));
  return overrides as KubeconfigOverrides;
}

/** The client of the cluster that flags, KUBECONFIG or the pod's service account name. */
export function connect(
  { flags, env }: ConnectOptions,
  onTransport: (transport: SocketTransport) => void,
): CliResult<KubeClient> {
  const access = loadClusterAccess({ env, home: env['HOME'] ?? homedir() }, overridesOf(flags));
  if (!access.ok) return failed(`kubernetes client initialization failed: ${access.error.message}`);
  const transport = createSocketTransport(access.value, { env });
  onTransport(transport);
  const { as: impersonated } = access.value;
  return ok(
    createKubeClient({
      handler: transport.handler,
      userAgent: `weir/${VERSION}`,
      ...(impersonated === undefined ? {} : { as: impersonated }),
    }),
  );
}

/** Namespace of the current context, if it names one. */
export function contextNamespace({ flags, env }: ConnectOptions): string | undefined {
  const access = loadClusterAccess({ env, home: env['HOME'] ?? homedir() }, overridesOf(flags));
  return access.ok ? access.value.namespace : undefined;
}

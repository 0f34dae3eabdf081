import { X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '../../base/result.ts';
import type { Principal } from '../principal.ts';

/** What a ConfigMap of `spec.kubeConfig` says about a cluster. Absent fields are ''. */
export interface ClusterRequest {
  readonly principal: Principal;
  /** The cloud's own name of the cluster. */
  readonly cluster: string;
  readonly address: string;
  /** PEM of the authority that signs the cluster's certificates. */
  readonly ca: string;
  readonly audiences: readonly string[];
}

/** How a cluster is reached. */
export interface ClusterLogin {
  readonly server: string;
  readonly ca?: string;
  /** A token to use now: kept, and renewed before it ends. */
  readonly token: () => Promise<Result<string, string>>;
}

/** What the cloud says about a cluster. */
export interface DescribedCluster {
  /** All addresses it has; the first is the usual one. */
  readonly addresses: readonly string[];
  readonly ca: string;
}

/** `https://host:port` in one form. Source: fluxcd/pkg@auth/v0.54.0 auth/restconfig.go ParseClusterAddress. */
export function canonicalAddress(address: string): Result<string, string> {
  const text = address.startsWith('http') ? address : `https://${address}`;
  if (address === '' || !URL.canParse(text)) {
    return err(`failed to parse Kubernetes API server address '${address}'`);
  }
  const { protocol, hostname, port, username, password } = new URL(text);
  if (protocol !== 'https:') {
    return err(`the Kubernetes API server address '${text}' must use https scheme`);
  }
  if (username !== '' || password !== '') return err('the Kubernetes API server address must hold no credentials');
  return ok(`https://${hostname.toLowerCase()}:${port === '' ? '443' : port}`);
}

/** Whether the cloud has to be asked where the cluster is. */
export function needsDescription({ principal, address, ca }: ClusterRequest): boolean {
  return principal.kind === 'engine' || address === '' || ca === '';
}

/**
 * Where the token goes. With an identity of the object's own namespace that is where the object says. The engine's own token only goes
 * to an address that the cloud names for this cluster, checked against the authority that the cloud names: who writes a ConfigMap
 * would otherwise be handed a token that opens every cluster the engine may use.
 */
export function placeOf(
  { principal, cluster, address, ca }: ClusterRequest,
  described: DescribedCluster | undefined,
): Result<{ readonly server: string; readonly ca: string }, string> {
  const wanted = address === '' ? undefined : canonicalAddress(address);
  if (wanted !== undefined && !wanted.ok) return wanted;
  if (principal.kind === 'account' && wanted !== undefined && described === undefined) {
    return ok({ server: wanted.value, ca });
  }
  const [first = ''] = described?.addresses ?? [];
  const known = (described?.addresses ?? []).map(canonicalAddress);
  const server = wanted ?? canonicalAddress(first);
  if (!server.ok) return err(`cluster '${cluster}': ${server.error}`);
  if (principal.kind === 'account') return ok({ server: server.value, ca: ca === '' ? (described?.ca ?? '') : ca });
  if (!known.some((one) => one.ok && one.value === server.value)) {
    return err(
      `'${address}' is none of the addresses of cluster '${cluster}' (${(described?.addresses ?? []).join(', ')}): the engine's own token is not sent there, name a service account`,
    );
  }
  if (ca !== '' && !isSameAuthority(ca, described?.ca ?? '')) {
    return err(
      `'ca.crt' is not the authority of cluster '${cluster}': the engine's own token is not sent there, name a service account`,
    );
  }
  return ok({ server: server.value, ca: described?.ca ?? '' });
}

function isSameAuthority(one: string, other: string): boolean {
  try {
    return new X509Certificate(one).fingerprint256 === new X509Certificate(other).fingerprint256;
  } catch {
    return false;
  }
}

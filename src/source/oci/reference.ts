/** A repository in a registry: `oci://host:port/path`. */
export interface OciRepository {
  /** Host, with its port where one is given. */
  readonly registry: string;
  readonly repository: string;
}

const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Reads `oci://registry/repository`; undefined when it is none. Source: OCI distribution-spec v1.1. */
export function parseOciUrl(url: string): OciRepository | undefined {
  if (!url.startsWith('oci://')) return undefined;
  const rest = url.slice('oci://'.length).replace(/\/+$/, '');
  const slash = rest.indexOf('/');
  if (slash < 0) return undefined;
  const registry = rest.slice(0, slash);
  const repository = rest.slice(slash + 1);
  return HOST.test(registry) && PATH.test(repository) ? { registry, repository } : undefined;
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether `text` is a SHA-256 digest, the only kind that is taken. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

import { groupOf } from '../api/object.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { KubeError, ResourceInfo } from './client.ts';

/** Root of an API version: `/api/v1`, `/apis/apps/v1`. */
export function versionPath(apiVersion: string): string {
  return groupOf(apiVersion) === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
}

/**
 * Path of a collection, an object or a subresource. The namespace is left out for cluster-scoped kinds; an object of a
 * namespace without one is for the server to refuse, who may not even look for it to some.
 * Errors, which no server sees: `BadRequest` (code 0) for a name that cannot be a path segment (kubernetes@1.34 apimachinery
 * api/validation/path).
 */
export function resourcePath(
  info: ResourceInfo,
  target: { readonly namespace?: string | undefined; readonly name?: string; readonly subresource?: string },
): Result<string, KubeError> {
  let path = versionPath(info.apiVersion);
  const { namespace, name, subresource } = target;
  if (info.namespaced && namespace !== undefined && namespace !== '') {
    const segment = pathSegment(namespace);
    if (!segment.ok) return segment;
    path += `/namespaces/${segment.value}`;
  }
  path += `/${info.plural}`;
  if (name === undefined) return ok(path);
  if (name === '') return bad('resource name may not be empty');
  const segment = pathSegment(name);
  if (!segment.ok) return segment;
  return ok(`${path}/${segment.value}${subresource === undefined ? '' : `/${subresource}`}`);
}

/** `path` with the parameters that have a value. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(value as string)}`);
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

function pathSegment(name: string): Result<string, KubeError> {
  const problem = name === '.' || name === '..' ? name : ['/', '%'].find((part) => name.includes(part));
  if (problem !== undefined) {
    const rule = problem === name ? 'be' : 'contain';
    return bad(`invalid resource name ${JSON.stringify(name)}: [may not ${rule} '${problem}']`);
  }
  return ok(encodeURIComponent(name));
}

function bad(message: string): Result<never, KubeError> {
  return err({ code: 0, reason: 'BadRequest', message });
}

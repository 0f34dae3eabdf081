import { groupOf } from '../api/object.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { KubeError, ResourceInfo } from './client.ts';

/** Root of an API version: `/api/v1`, `/apis/apps/v1`. */
export function versionPath(apiVersion: string): string {
  return groupOf(apiVersion) === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
}

/**
 * Path of a collection, an object or a subresource. The namespace is left out for cluster-scoped kinds.
 * Errors: `BadRequest` for a name that cannot be a path segment (kubernetes@1.34 apimachinery api/validation/path).
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
  } else if (info.namespaced && name !== undefined) {
    return bad('an empty namespace may not be set when a resource name is provided');
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
  if (name === '.' || name === '..' || name.includes('/') || name.includes('%')) {
    return bad(`invalid resource name ${JSON.stringify(name)}`);
  }
  return ok(encodeURIComponent(name));
}

function bad(message: string): Result<never, KubeError> {
  return err({ code: 400, reason: 'BadRequest', message });
}

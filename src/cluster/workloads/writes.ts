import type { KubeObject } from '../../api/object.ts';
import { equal, type Json } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import type { GroupResource, Registry, StatusError } from '../registry.ts';
import { plain, type Stored } from './shapes.ts';

/** A write that the API server refused: it ends the sync, and the queue comes again with back-off, as in kube-controller-manager. */
export class WriteFailed extends Error {
  readonly status: StatusError;

  constructor(status: StatusError) {
    super(status.message);
    this.name = 'WriteFailed';
    this.status = status;
  }
}

/**
 * The value of a write.
 * @throws WriteFailed when the API server refused it.
 */
export function written<T>(result: Result<T, StatusError>): T {
  if (!result.ok) throw new WriteFailed(result.error);
  return result.value;
}

/** As {@link written}, but an object that is gone already is no failure. */
export function writtenOrGone<T>(result: Result<T, StatusError>): T | undefined {
  if (!result.ok && result.error.code === 404) return undefined;
  return written(result);
}

/**
 * Writes `status` when it differs from what the object has, and resolves to the object as it is then.
 * @throws WriteFailed when the API server refused it.
 */
export async function writeStatus<T extends Stored<unknown, unknown>>(
  registry: Registry,
  resource: GroupResource,
  object: T,
  status: T['status'],
  manager: string,
): Promise<T> {
  if (equal(object.status as Json | undefined, status as Json | undefined)) return object;
  const next = { ...object, status };
  return written(await registry.update(resource, plain(next), manager, 'status')) as unknown as T;
}

/** Deletes exactly this object: a newer one of the same name stays. */
export async function deleteObject(
  registry: Registry,
  resource: GroupResource,
  object: KubeObject | Stored<unknown, unknown>,
  options?: { readonly gracePeriodSeconds?: number; readonly propagation?: 'Background' | 'Foreground' | 'Orphan' },
): Promise<void> {
  const { namespace, name, uid } = object.metadata;
  const result = await registry.delete(resource, namespace, name, {
    ...(uid === undefined ? {} : { uid }),
    ...options,
  });
  // 409 here means that another object took the name: the one meant is gone.
  if (!result.ok && result.error.code !== 404 && result.error.code !== 409) throw new WriteFailed(result.error);
}

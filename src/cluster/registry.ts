import type { KubeObject } from '../api/object.ts';
import type { Json } from '../base/json.ts';
import type { Result } from '../base/result.ts';

/** A Kubernetes Status failure inside the control plane; the API server turns it into a `Status` body. */
export interface StatusError {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: { readonly [key: string]: Json };
  /** Answered as this text: what the real server refuses before it knows about Statuses. */
  readonly plain?: string;
}

/** Names a resource: `{ group: 'apps', version: 'v1', plural: 'deployments' }`. */
export interface GroupResource {
  readonly group: string;
  readonly plural: string;
}

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  readonly previous?: KubeObject;
}

/**
 * The control plane seen from its own controllers (workloads, garbage collection, namespaces): the same validation,
 * admission and storage as a request over the wire, without HTTP. Objects are read-only and shared: never change one.
 * Every object comes in its storage version.
 */
export interface Registry {
  get(resource: GroupResource, namespace: string | undefined, name: string): KubeObject | undefined;
  list(resource: GroupResource, namespace?: string): readonly KubeObject[];
  /** Every change after now, in commit order, called synchronously after each commit; returns the unsubscribe function. */
  watch(resource: GroupResource, listen: (change: Change) => void): () => void;
  /** Every change of every resource, for garbage collection. */
  watchAll(listen: (resource: GroupResource, change: Change) => void): () => void;
  create(resource: GroupResource, object: KubeObject, manager: string): Promise<Result<KubeObject, StatusError>>;
  /** Fails with 409 when `object.metadata.resourceVersion` is not the current one. */
  update(
    resource: GroupResource,
    object: KubeObject,
    manager: string,
    subresource?: string,
  ): Promise<Result<KubeObject, StatusError>>;
  delete(
    resource: GroupResource,
    namespace: string | undefined,
    name: string,
    options?: {
      readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
      readonly uid?: string;
      readonly gracePeriodSeconds?: number;
    },
  ): Promise<Result<void, StatusError>>;
  /** All resources now served, CRDs included. */
  resources(): readonly (GroupResource & {
    readonly version: string;
    readonly kind: string;
    readonly namespaced: boolean;
  })[];
}

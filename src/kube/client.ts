import type { KubeObject, ObjectRef } from '../api/object.ts';
import type { Json, JsonObject } from '../base/json.ts';
import type { Result } from '../base/result.ts';

/** A failed API request, as the server's Status says it. `reason` is Kubernetes' (`NotFound`, `Conflict`, `Invalid`, ...). */
export interface KubeError {
  /** HTTP status; 0 when there was no answer. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: JsonObject;
  readonly retryAfterMs?: number;
}
export type KubeResult<T> = Result<T, KubeError>;

/** A kind as discovery tells it. */
export interface ResourceInfo {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
  /** Asks the server to end the stream after this time. */
  readonly timeoutSeconds?: number;
}

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}
export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
}
export interface PatchOptions extends WriteOptions {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply';
  readonly subresource?: string;
  readonly force?: boolean;
}
export interface DeleteOptions {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly dryRun?: boolean;
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd?: boolean }
  | { readonly type: 'ERROR'; readonly error: KubeError };

/** Who requests are made as; absent for the credentials' own user. */
export interface Impersonation {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  /** What an authenticator knows besides: `scopes` -> values. */
  readonly extra?: ReadonlyMap<string, readonly string[]>;
}

/**
 * The cluster. Every method resolves to a `KubeResult`; it throws only when `signal` is aborted.
 * Kinds are found by discovery, cached, and looked up anew once when a kind is unknown (`reason: 'NoMatch'`, code 404).
 */
export interface KubeClient {
  get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeResult<KubeObject>>;
  list(
    kind: { readonly apiVersion: string; readonly kind: string },
    options?: ListOptions,
  ): Promise<KubeResult<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }>>;
  /**
   * Events after `resourceVersion`, until the server ends the stream or `signal` aborts (both end the iteration). A refusal
   * comes as one ERROR event; code 0 says that the connection failed.
   */
  watch(kind: { readonly apiVersion: string; readonly kind: string }, options: WatchOptions): AsyncIterable<WatchEvent>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeResult<KubeObject>>;
  update(
    object: KubeObject,
    options?: WriteOptions & { readonly subresource?: string },
  ): Promise<KubeResult<KubeObject>>;
  patch(ref: ObjectRef, body: Json, options: PatchOptions): Promise<KubeResult<KubeObject>>;
  /** Server-side apply. */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeResult<KubeObject>>;
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<KubeResult<void>>;
  resource(kind: { readonly apiVersion: string; readonly kind: string }): Promise<KubeResult<ResourceInfo>>;
  resources(): Promise<KubeResult<readonly ResourceInfo[]>>;
  /** A plain request (subresource logs, version, eviction...): the raw answer as text. */
  raw(method: string, path: string, body?: Json, signal?: AbortSignal): Promise<KubeResult<string>>;
  /** Chunks of a streaming answer (logs -f). Throws a `KubeStreamError` (src/kube/errors.ts) when the server refuses. */
  stream(path: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The same cluster seen as another user: impersonation headers on every request. */
  as(user: Impersonation): KubeClient;
}

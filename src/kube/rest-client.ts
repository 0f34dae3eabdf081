import type { KubeObject, ObjectRef } from '../api/object.ts';
import { refOf } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import type { HttpHandler, HttpRequest } from '../base/http.ts';
import { isArray, isObject, type Json, type JsonObject, parseJson, stringAt, stringifyJson } from '../base/json.ts';
import { err, ok } from '../base/result.ts';
import type {
  ApplyOptions,
  DeleteOptions,
  Impersonation,
  KubeClient,
  KubeResult,
  ListOptions,
  PatchOptions,
  ResourceInfo,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { Discovery } from './discovery.ts';
import { isExpired, isNoMatch, KubeStreamError } from './errors.ts';
import { type RateLimit, RequestLimiter } from './request-limiter.ts';
import { resourcePath, withQuery } from './rest-path.ts';
import { type Answer, openStream, type Repeat, type SendOptions, sendRequest } from './send.ts';
import { systemClock } from './system-clock.ts';
import { readWatch } from './watch-stream.ts';

export interface KubeClientOptions {
  readonly handler: HttpHandler;
  /** `weir/0.1.0`; the server takes the part before `/` as field manager where a write names none. */
  readonly userAgent: string;
  readonly as?: Impersonation;
  readonly clock?: Clock;
  /** In [0, 1): jitter of retries. */
  readonly random?: () => number;
  /** No limit when absent. */
  readonly rateLimit?: RateLimit;
  /** Longest time for one request that is not a stream; default 90 s (an API server gives up after 60 s itself). */
  readonly requestTimeoutMs?: number;
  /** Called after each answer, for metrics. */
  readonly observe?: (request: { readonly method: string; readonly code: number }) => void;
}

/** Objects asked for at once. Source: client-go@0.34 tools/pager defaultPageSize. */
const PAGE_SIZE = 500;
const MAX_PAGES = 10_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 90_000;

const PATCH_TYPES: Readonly<Record<PatchOptions['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** Makes the client of a cluster that is reached through `handler`, over a socket or in process. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const clock = options.clock ?? systemClock;
  const send: SendOptions = {
    handler: options.handler,
    clock,
    random: options.random ?? Math.random,
    limiter: options.rateLimit === undefined ? undefined : new RequestLimiter(options.rateLimit, clock),
    requestTimeoutMs: options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
    observe: options.observe,
  };
  const headers = { 'user-agent': options.userAgent, accept: 'application/json' };
  // Discovery is asked as the credentials' own user: an impersonated tenant need not be allowed to.
  const discovery = new Discovery(async (path, extra) => {
    const answer = await sendRequest(
      send,
      { method: 'GET', path, headers: { ...headers, ...extra } },
      'idempotent',
      undefined,
    );
    if (!answer.ok) return answer;
    return ok({ status: answer.value.status, etag: answer.value.headers['etag'], text: answer.value.text });
  });
  return new RestClient(send, discovery, headers, options.as);
}

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

class RestClient implements KubeClient {
  readonly #send: SendOptions;
  readonly #discovery: Discovery;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #plainHeaders: Readonly<Record<string, string>>;

  constructor(
    send: SendOptions,
    discovery: Discovery,
    headers: Readonly<Record<string, string>>,
    as: Impersonation | undefined,
  ) {
    this.#send = send;
    this.#discovery = discovery;
    this.#plainHeaders = headers;
    this.#headers = as === undefined ? headers : { ...headers, ...impersonationHeaders(as) };
  }

  as(user: Impersonation): KubeClient {
    return new RestClient(this.#send, this.#discovery, this.#plainHeaders, user);
  }

  resource(kind: Kind): Promise<KubeResult<ResourceInfo>> {
    return this.#discovery.find(kind);
  }

  resources(): Promise<KubeResult<readonly ResourceInfo[]>> {
    return this.#discovery.all();
  }

  get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeResult<KubeObject>> {
    return this.#object(ref, { method: 'GET', query: {} }, 'idempotent', signal);
  }

  create(object: KubeObject, options: WriteOptions = {}): Promise<KubeResult<KubeObject>> {
    const { apiVersion, kind, metadata } = object;
    return this.#onKind({ apiVersion, kind }, async (info) => {
      if (info.namespaced && !metadata.namespace) {
        return err({
          code: 400,
          reason: 'BadRequest',
          message: 'an empty namespace may not be set during creation',
        });
      }
      const path = resourcePath(info, { namespace: metadata.namespace });
      if (!path.ok) return path;
      return this.#answer(
        { method: 'POST', path: withQuery(path.value, writeQuery(options)), body: object as unknown as Json },
        'refused-only',
        options.signal,
        object,
      );
    });
  }

  update(
    object: KubeObject,
    options: WriteOptions & { readonly subresource?: string } = {},
  ): Promise<KubeResult<KubeObject>> {
    return this.#object(
      refOf(object),
      { method: 'PUT', query: writeQuery(options), body: object as unknown as Json, subresource: options.subresource },
      'idempotent',
      options.signal,
    );
  }

  patch(ref: ObjectRef, body: Json, options: PatchOptions): Promise<KubeResult<KubeObject>> {
    return this.#object(
      ref,
      {
        method: 'PATCH',
        query: { ...writeQuery(options), force: options.force === true ? 'true' : undefined },
        body,
        contentType: PATCH_TYPES[options.type],
        subresource: options.subresource,
      },
      // A JSON patch may add to a list twice; the others come to the same.
      options.type === 'json' ? 'refused-only' : 'idempotent',
      options.signal,
    );
  }

  apply(object: KubeObject, options: ApplyOptions): Promise<KubeResult<KubeObject>> {
    return this.patch(refOf(object), object as unknown as Json, { ...options, type: 'apply' });
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<KubeResult<void>> {
    const { propagation, uid, resourceVersion, dryRun } = options;
    const body: JsonObject = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
      ...(dryRun === true ? { dryRun: ['All'] } : {}),
      ...(uid === undefined && resourceVersion === undefined
        ? {}
        : {
            preconditions: {
              ...(uid === undefined ? {} : { uid }),
              ...(resourceVersion === undefined ? {} : { resourceVersion }),
            },
          }),
    };
    const deleted = await this.#object(ref, { method: 'DELETE', query: {}, body }, 'idempotent', undefined);
    return deleted.ok ? ok(undefined) : deleted;
  }

  list(
    kind: Kind,
    options: ListOptions = {},
  ): Promise<KubeResult<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }>> {
    return this.#onKind(kind, async (info) => {
      const path = resourcePath(info, { namespace: options.namespace });
      if (!path.ok) return path;
      const paged = await this.#pages(info, path.value, options, PAGE_SIZE);
      // The snapshot that a continue token stands for expires: then the whole list in one answer (client-go tools/pager).
      if (!paged.ok && isExpired(paged.error)) return this.#pages(info, path.value, options, undefined);
      return paged;
    });
  }

  async *watch(kind: Kind, options: WatchOptions): AsyncGenerator<WatchEvent> {
    const { signal } = options;
    if (signal.aborted) return;
    const opened = await this.#onKind(kind, async (info) => {
      const path = resourcePath(info, { namespace: options.namespace });
      if (!path.ok) return path;
      const query = withQuery(path.value, {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: options.resourceVersion,
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        timeoutSeconds: options.timeoutSeconds?.toString(),
      });
      return openStream(this.#send, { method: 'GET', path: query, headers: this.#headers }, signal);
    }).catch((cause: unknown) => {
      if (signal.aborted) return undefined;
      throw cause;
    });
    if (opened === undefined) return;
    if (!opened.ok) yield { type: 'ERROR', error: opened.error };
    else yield* readWatch(opened.value.body, kind, signal);
  }

  async raw(method: string, path: string, body?: Json, signal?: AbortSignal): Promise<KubeResult<string>> {
    const request = this.#request({ method, path, ...(body === undefined ? {} : { body }) });
    const repeat = method === 'GET' || method === 'HEAD' ? 'idempotent' : 'never';
    const answer = await sendRequest(this.#send, request, repeat, signal);
    return answer.ok ? ok(answer.value.text) : answer;
  }

  async *stream(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const opened = await openStream(
      this.#send,
      { method: 'GET', path, headers: { ...this.#headers, accept: '*/*' } },
      signal,
    );
    if (!opened.ok) throw new KubeStreamError(opened.error);
    yield* opened.value.body;
  }

  async #pages(
    info: ResourceInfo,
    path: string,
    options: ListOptions,
    limit: number | undefined,
  ): Promise<KubeResult<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }>> {
    const items: KubeObject[] = [];
    let next: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await this.#json(
        {
          method: 'GET',
          path: withQuery(path, {
            labelSelector: options.labelSelector,
            fieldSelector: options.fieldSelector,
            limit: limit?.toString(),
            continue: next,
          }),
        },
        'idempotent',
        options.signal,
      );
      if (!answer.ok) return answer;
      const found = isObject(answer.value) ? answer.value['items'] : undefined;
      // Items of a list carry no kind of their own on a real API server.
      for (const item of isArray(found) ? found : []) {
        if (isObject(item)) {
          items.push({ ...item, apiVersion: info.apiVersion, kind: info.kind } as unknown as KubeObject);
        }
      }
      next = stringAt(answer.value, 'metadata', 'continue');
      if (next === undefined || next === '') {
        return ok({ items, resourceVersion: stringAt(answer.value, 'metadata', 'resourceVersion') ?? '' });
      }
    }
    return err({ code: 0, reason: 'InvalidAnswer', message: `the list has more than ${MAX_PAGES} pages` });
  }

  #object(
    ref: ObjectRef,
    request: {
      readonly method: string;
      readonly query: Readonly<Record<string, string | undefined>>;
      readonly body?: Json;
      readonly contentType?: string;
      readonly subresource?: string | undefined;
    },
    repeat: Repeat,
    signal: AbortSignal | undefined,
  ): Promise<KubeResult<KubeObject>> {
    const { method, query, body, contentType, subresource } = request;
    return this.#onKind(ref, async (info) => {
      const path = resourcePath(info, {
        namespace: ref.namespace,
        name: ref.name,
        ...(subresource === undefined ? {} : { subresource }),
      });
      if (!path.ok) return path;
      return this.#answer(
        {
          method,
          path: withQuery(path.value, query),
          ...(body === undefined ? {} : { body }),
          ...(contentType === undefined ? {} : { contentType }),
        },
        repeat,
        signal,
        ref,
      );
    });
  }

  /**
   * Runs `work` with the kind's resource. A 404 without details means that the path itself is gone (a CRD was deleted or
   * changed its versions): discovery is read anew, and the kind may turn out to be unknown.
   */
  async #onKind<T>(kind: Kind, work: (info: ResourceInfo) => Promise<KubeResult<T>>): Promise<KubeResult<T>> {
    const info = await this.#discovery.find(kind);
    if (!info.ok) return info;
    const result = await work(info.value);
    if (result.ok || result.error.code !== 404 || result.error.details?.['name'] !== undefined) return result;
    const refreshed = await this.#discovery.refresh();
    if (!refreshed.ok) return result;
    const again = await this.#discovery.find(kind);
    return !again.ok && isNoMatch(again.error) ? again : result;
  }

  async #answer(
    request: PlainRequest,
    repeat: Repeat,
    signal: AbortSignal | undefined,
    kind: Kind,
  ): Promise<KubeResult<KubeObject>> {
    const answer = await this.#json(request, repeat, signal);
    if (!answer.ok) return answer;
    if (!isObject(answer.value)) {
      return err({ code: 0, reason: 'InvalidAnswer', message: `the answer about ${kind.kind} is not an object` });
    }
    return ok(answer.value as unknown as KubeObject);
  }

  async #json(request: PlainRequest, repeat: Repeat, signal: AbortSignal | undefined): Promise<KubeResult<Json>> {
    const answer = await sendRequest(this.#send, this.#request(request), repeat, signal);
    return answer.ok ? parseAnswer(answer.value) : answer;
  }

  #request({ method, path, body, contentType }: PlainRequest): Omit<HttpRequest, 'signal'> {
    if (body === undefined) return { method, path, headers: this.#headers };
    return {
      method,
      path,
      headers: { ...this.#headers, 'content-type': contentType ?? 'application/json' },
      body: Buffer.from(stringifyJson(body)),
    };
  }
}

interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: Json;
  readonly contentType?: string;
}

function parseAnswer({ text }: Answer): KubeResult<Json> {
  try {
    return ok(parseJson(text));
  } catch (cause) {
    return err({ code: 0, reason: 'InvalidAnswer', message: `the answer is not JSON: ${(cause as Error).message}` });
  }
}

/**
 * Nobody reads the server's warnings about unknown and repeated fields, and without them it need not read a body a second time for
 * them: of an apply that is YAML for it (apiserver@0.34 pkg/endpoints/handlers/patch.go). What it refuses stays the same.
 */
function writeQuery(options: WriteOptions): Readonly<Record<string, string | undefined>> {
  return {
    fieldManager: options.fieldManager,
    dryRun: options.dryRun === true ? 'All' : undefined,
    fieldValidation: 'Ignore',
  };
}

/** Repeated headers are joined with `, `, as node joins those it receives; the socket transport sends them apart. */
function impersonationHeaders({ user, groups, uid, extra }: Impersonation): Readonly<Record<string, string>> {
  const extras = [...(extra ?? [])].map(([key, values]) => [`impersonate-extra-${key}`, values.join(', ')] as const);
  return {
    ...Object.fromEntries(extras),
    'impersonate-user': user,
    ...(uid === undefined ? {} : { 'impersonate-uid': uid }),
    ...(groups === undefined || groups.length === 0 ? {} : { 'impersonate-group': groups.join(', ') }),
  };
}

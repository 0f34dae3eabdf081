import type { KubeObject } from '../../src/api/object.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../src/base/http.ts';
import { clone, equal, isObject, type Json, type JsonObject, put } from '../../src/base/json.ts';

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
}
interface Event {
  readonly version: number;
  readonly type: string;
  readonly kind: Kind;
  readonly object: Json;
}

/** The least of an API server that a watching client needs: namespaced objects in memory, merge patches, finalizers, watches. */
export class TinyApi {
  readonly handler: HttpHandler = (request) => Promise.resolve(this.#answer(request));
  /** `METHOD path` of every write, with its body. */
  readonly writes: { readonly method: string; readonly path: string; readonly body: Json }[] = [];
  /** Watches beginning before this version are told 410. */
  oldest = 0;
  /** Answers instead of the server while it gives something. */
  intercept: ((request: HttpRequest) => HttpResponse | undefined) | undefined;
  readonly #kinds: Kind[];
  readonly #objects = new Map<string, KubeObject>();
  readonly #history: Event[] = [];
  #wake = new Set<() => void>();
  #cut = 0;
  #version = 0;
  #uid = 0;

  constructor(kinds: readonly Kind[]) {
    this.#kinds = [...kinds];
  }

  /** The last version given. */
  get version(): number {
    return this.#version;
  }

  serve(kind: Kind): void {
    this.#kinds.push(kind);
  }

  /** Ends every open watch without a word. */
  cutWatches(): void {
    this.#cut++;
    this.#wakeAll();
  }

  get(kind: string, name: string, namespace = 'a'): KubeObject | undefined {
    return this.#objects.get(`${kind}/${namespace}/${name}`);
  }

  list(kind: string): KubeObject[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind);
  }

  /** Writes an object as a user would: generation and resource version are the server's. */
  put(given: KubeObject): KubeObject {
    const { apiVersion, kind, metadata } = given;
    const key = `${kind}/${metadata.namespace ?? 'a'}/${metadata.name}`;
    const old = this.#objects.get(key);
    const changed = old === undefined || !equal(given.spec ?? null, old.spec ?? null);
    const object = {
      ...given,
      metadata: {
        ...metadata,
        namespace: metadata.namespace ?? 'a',
        uid: old?.metadata.uid ?? `u${++this.#uid}`,
        generation: (old?.metadata.generation ?? 0) + (changed ? 1 : 0),
        resourceVersion: String(++this.#version),
      },
    };
    const served = this.#kinds.find((other) => other.apiVersion === apiVersion && other.kind === kind) as Kind;
    if (object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0) {
      this.#objects.delete(key);
      this.#emit(served, 'DELETED', object);
    } else {
      this.#objects.set(key, object);
      this.#emit(served, old === undefined ? 'ADDED' : 'MODIFIED', object);
    }
    return object;
  }

  delete(kind: string, name: string, namespace = 'a'): void {
    const object = this.get(kind, name, namespace);
    if (object !== undefined) {
      this.put({ ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    }
  }

  #emit(kind: Kind, type: string, object: KubeObject): void {
    this.#history.push({ version: this.#version, type, kind, object: clone(object as unknown as Json) });
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake) wake();
    this.#wake = new Set();
  }

  #answer(request: HttpRequest): HttpResponse {
    const intercepted = this.intercept?.(request);
    if (intercepted !== undefined) return intercepted;
    const url = new URL(request.path, 'http://x');
    if (url.pathname === '/api' || url.pathname === '/apis') return json(200, this.#discovery(url.pathname));
    const match =
      /^\/(?:api|apis)\/((?:[^/]+\/)?v[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(\/status)?$/.exec(
        url.pathname,
      );
    const kind = this.#kinds.find(({ apiVersion, plural }) => apiVersion === match?.[1] && plural === match?.[3]);
    if (match === null || kind === undefined) return plain(404, '404 page not found');
    const [, , namespace, , name, status] = match;
    if (url.searchParams.get('watch') === 'true') return this.#watch(request, kind, namespace, url);
    const body = request.body === undefined ? null : (JSON.parse(Buffer.from(request.body).toString()) as Json);
    if (request.method !== 'GET') this.writes.push({ method: request.method, path: request.path, body });
    if (name === undefined) {
      if (request.method === 'POST') return json(201, this.put(body as unknown as KubeObject) as unknown as Json);
      const items = this.list(kind.kind).filter(
        ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
      );
      return json(200, {
        metadata: { resourceVersion: String(this.#version) },
        items: items as unknown as Json[],
      });
    }
    const found = this.get(kind.kind, name, namespace);
    if (found === undefined) return failure(404, 'NotFound', `${kind.plural} "${name}" not found`, name);
    if (request.method === 'GET') return json(200, found as unknown as Json);
    if (request.method === 'DELETE') {
      this.delete(kind.kind, name, namespace);
      return json(200, { kind: 'Status', status: 'Success' });
    }
    const merged = request.method === 'PUT' ? body : merge(found as unknown as Json, body);
    const wanted = merged as unknown as KubeObject;
    const { uid, resourceVersion } = wanted.metadata;
    if (uid !== found.metadata.uid || resourceVersion !== found.metadata.resourceVersion) {
      return failure(409, 'Conflict', 'the object has been modified', name);
    }
    const next = status === undefined ? { ...wanted, status: found.status } : { ...found, status: wanted.status };
    return json(200, this.put(next as KubeObject) as unknown as Json);
  }

  #watch(request: HttpRequest, kind: Kind, namespace: string | undefined, url: URL): HttpResponse {
    const from = Number(url.searchParams.get('resourceVersion'));
    if (from < this.oldest) return failure(410, 'Expired', 'too old resource version');
    return { status: 200, headers: {}, body: this.#events(request.signal, kind, namespace, from) };
  }

  async *#events(
    signal: HttpRequest['signal'],
    kind: Kind,
    namespace: string | undefined,
    from: number,
  ): AsyncGenerator<Uint8Array> {
    const cut = this.#cut;
    let at = this.#history.findIndex(({ version }) => version > from);
    if (at < 0) at = this.#history.length;
    while (!signal?.aborted && cut === this.#cut) {
      for (; at < this.#history.length; at++) {
        const event = this.#history[at] as Event;
        const inside =
          namespace === undefined || (event.object as unknown as KubeObject).metadata.namespace === namespace;
        if (event.kind === kind && inside) {
          yield Buffer.from(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
        }
      }
      await new Promise<void>((resolve) => {
        this.#wake.add(resolve);
        signal?.addEventListener('abort', resolve, { once: true });
      });
    }
  }

  #discovery(root: string): Json {
    const kinds = this.#kinds.filter(({ apiVersion }) => apiVersion.includes('/') === (root === '/apis'));
    return {
      kind: 'APIGroupDiscoveryList',
      items: kinds.map(({ apiVersion, kind, plural }) => {
        const [version, group = ''] = apiVersion.split('/').toReversed() as [string, string?];
        const resource = {
          resource: plural,
          responseKind: { kind },
          scope: 'Namespaced',
          verbs: ['get', 'list', 'watch'],
        };
        return { metadata: { name: group }, versions: [{ version, resources: [resource] }] };
      }),
    };
  }
}

/** RFC 7386. */
function merge(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const out: { [key: string]: Json } = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else put(out, key, merge((target as JsonObject | undefined)?.[key] ?? null, value));
  }
  return out;
}

function json(status: number, body: Json): HttpResponse {
  return plain(status, JSON.stringify(body));
}

function plain(status: number, text: string): HttpResponse {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  return { status, headers: {}, body: chunks() };
}

export function failure(code: number, reason: string, message: string, name?: string): HttpResponse {
  return json(code, { kind: 'Status', code, reason, message, ...(name === undefined ? {} : { details: { name } }) });
}

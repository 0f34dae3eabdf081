import type { KubeClient, KubeResult } from './client.ts';

/** A request that was answered; code 200 stands for every success. */
export interface ObservedRequest {
  readonly method: string;
  readonly code: number;
}

/** A client that tells of each request it makes; a watch counts when it begins. */
export function observedClient(client: KubeClient, observe: (request: ObservedRequest) => void): KubeClient {
  const tell = async <T>(method: string, work: Promise<KubeResult<T>>): Promise<KubeResult<T>> => {
    const result = await work;
    observe({ method, code: result.ok ? 200 : (result.error.code ?? 0) });
    return result;
  };
  return {
    get: (ref, signal) => tell('GET', client.get(ref, signal)),
    list: (kind, options) => tell('GET', client.list(kind, options)),
    watch: (kind, options) => {
      observe({ method: 'GET', code: 200 });
      return client.watch(kind, options);
    },
    create: (object, options) => tell('POST', client.create(object, options)),
    update: (object, options) => tell('PUT', client.update(object, options)),
    patch: (ref, body, options) => tell('PATCH', client.patch(ref, body, options)),
    apply: (object, options) => tell('PATCH', client.apply(object, options)),
    delete: (ref, options) => tell('DELETE', client.delete(ref, options)),
    resource: (kind) => client.resource(kind),
    resources: () => client.resources(),
    raw: (method, path, body, signal) => tell(method, client.raw(method, path, body, signal)),
    stream: (path, signal) => {
      observe({ method: 'GET', code: 200 });
      return client.stream(path, signal);
    },
    as: (user) => observedClient(client.as(user), observe),
  };
}

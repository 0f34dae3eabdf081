import type { KubeClient } from './client.ts';

/** A client that writes only while `mayWrite` says so; a write at another time throws. */
export function fencedClient(client: KubeClient, mayWrite: () => boolean): KubeClient {
  const fenced =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (!mayWrite()) throw new Error('not the leader any more: nothing is written');
      return work(...args);
    };
  return {
    ...reads(client),
    create: fenced((object, options) => client.create(object, options)),
    update: fenced((object, options) => client.update(object, options)),
    patch: fenced((ref, body, options) => client.patch(ref, body, options)),
    apply: fenced((object, options) => client.apply(object, options)),
    delete: fenced((ref, options) => client.delete(ref, options)),
    as: (user) => fencedClient(client.as(user), mayWrite),
  };
}

function reads(
  client: KubeClient,
): Pick<KubeClient, 'get' | 'list' | 'watch' | 'resource' | 'resources' | 'raw' | 'stream'> {
  return {
    get: (ref, signal) => client.get(ref, signal),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    resource: (kind) => client.resource(kind),
    resources: () => client.resources(),
    raw: (method, path, body, signal) => client.raw(method, path, body, signal),
    stream: (path, signal) => client.stream(path, signal),
  };
}

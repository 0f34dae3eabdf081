import type { KubeObject } from '../../api/object.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { Change, GroupResource, Registry, StatusError } from '../registry.ts';
import type { StoreEvent } from '../store/window.ts';
import { deleteObject } from './deletion.ts';
import type { Kernel } from './kernel.ts';
import type { Operation } from './operation.ts';
import type { ResourceType } from './resource-type.ts';
import { storageOf } from './resource-type.ts';
import { pathNotFound } from './status.ts';
import { SYSTEM } from './user.ts';

/** The control plane for its own controllers: no HTTP, no authorization, everything else as over the wire. */
export function registryOf(kernel: Kernel): Registry {
  const { store, table, objects } = kernel;
  const typeOf = ({ group, plural }: GroupResource): ResourceType | undefined => table.stored(group, plural);
  const operation = (
    type: ResourceType,
    verb: Operation['verb'],
    namespace: string | undefined,
    name: string,
    manager: string,
    subresource?: string,
  ): Operation => ({
    type,
    namespace: namespace === '' ? undefined : namespace,
    name,
    subresource,
    verb,
    user: { ...SYSTEM, name: `system:${manager}` },
    dryRun: false,
    manager,
    warn: () => undefined,
  });
  return {
    get: (resource, namespace, name) => {
      const type = typeOf(resource);
      return type === undefined ? undefined : objects.entry(type, namespace, name)?.object;
    },
    list: ({ group, plural }, namespace) =>
      store.list(storageOf(group, plural), namespace === undefined || namespace === '' ? '' : `${namespace}/`),
    watch: ({ group, plural }, listen) => store.listen(storageOf(group, plural), (event) => listen(change(event))),
    watchAll: (listen) =>
      store.listenAll((event) => {
        const slash = event.resource.indexOf('/');
        listen({ group: event.resource.slice(0, slash), plural: event.resource.slice(slash + 1) }, change(event));
      }),
    create: async (resource, object, manager) => {
      const type = typeOf(resource);
      if (type === undefined) return err(pathNotFound());
      const ready = read(kernel, type, object);
      if (!ready.ok) return ready;
      return objects.create(operation(type, 'create', object.metadata.namespace, '', manager), ready.value);
    },
    update: async (resource, object, manager, subresource) => {
      const type = typeOf(resource);
      if (type === undefined) return err(pathNotFound());
      const { namespace, name } = object.metadata;
      const ready = read(kernel, type, object);
      if (!ready.ok) return ready;
      const what = operation(type, 'update', namespace, name, manager, subresource);
      return objects.update(what, name, () => ready);
    },
    delete: async (resource, namespace, name, options = {}) => {
      const type = typeOf(resource);
      if (type === undefined) return err(pathNotFound());
      const deleted = await deleteObject(
        objects,
        operation(type, 'delete', namespace, name, 'controller'),
        name,
        options,
      );
      return deleted.ok ? ok(undefined) : deleted;
    },
    resources: () => {
      const seen = new Set<string>();
      return table.all().filter((type) => {
        if (seen.has(type.storage) || !type.verbs.includes('list')) return false;
        seen.add(type.storage);
        return true;
      });
    },
  };
}

/** Types and defaults of an object that a controller made. */
function read(kernel: Kernel, type: ResourceType, object: KubeObject): Result<KubeObject, StatusError> {
  const decoded = kernel.codec.decode(type, { value: object as never, duplicates: [] });
  return decoded.ok ? ok(kernel.codec.default(type, decoded.value.object)) : decoded;
}

function change({ type, object, previous }: StoreEvent): Change {
  return { type, object, ...(previous === undefined ? {} : { previous }) };
}

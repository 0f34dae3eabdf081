import type { KubeObject } from '../api/object.ts';
import { stringifyJson } from '../base/json.ts';
import type { Result } from '../base/result.ts';
import { err, ok } from '../base/result.ts';
import { convert } from './apiserver/convert.ts';
import { json } from './apiserver/draft.ts';
import { ResourceTable } from './apiserver/resource-table.ts';
import { keyOf } from './apiserver/resource-type.ts';
import { optionalGroups } from './data/optional-groups.ts';
import type { Store } from './store/store.ts';

const DEFINITION = 'CustomResourceDefinition';

/**
 * Puts objects into `store` whole: uid, resourceVersion, managedFields, finalizers, deletionTimestamp and status stay as they are, nothing is
 * defaulted, validated or admitted. Returns how many there were; the error names the first object that cannot be kept.
 * The store must not be served yet: nobody is told, there is no history, and nothing reaches a disk (`importObjects` of store/disk.ts does).
 * Custom resources need their definition, either among `objects` or in the store. An object without a resourceVersion gets the next one.
 */
export function restoreObjects(store: Store, objects: readonly KubeObject[]): Result<number, string> {
  // What the server will serve is not known here.
  const table = new ResourceTable(Object.keys(optionalGroups()));
  for (const definition of store.list('apiextensions.k8s.io/customresourcedefinitions')) table.define(definition);
  for (const object of objects) if (object.kind === DEFINITION) table.define(object);
  let newest = store.revision;
  for (const object of objects) newest = Math.max(newest, versionOf(object) ?? 0);
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    const name = metadata?.name ?? '';
    const shown = `${kind ?? ''} ${name}`.trim();
    if (name === '') return err(`${shown}: an object needs a kind and a metadata.name`);
    const type = table.byKind(apiVersion, kind);
    if (type === undefined || !type.verbs.includes('list'))
      return err(`${shown}: no kind ${JSON.stringify(kind)} is served in version ${JSON.stringify(apiVersion)}`);
    if (type.namespaced !== ((metadata.namespace ?? '') !== ''))
      return err(`${shown}: ${type.namespaced ? 'a namespace is missing' : 'this kind has no namespace'}`);
    const version = versionOf(object) ?? ++newest;
    const kept = convert(
      { ...object, metadata: { ...metadata, resourceVersion: String(version) } },
      type,
      type.storageApiVersion,
    );
    store.restore(type.storage, keyOf(metadata.namespace, name), kept, stringifyJson(json(kept)).length);
  }
  store.advance(newest);
  return ok(objects.length);
}

/** What an object says its version is; undefined when that is none of ours. */
function versionOf({ metadata }: KubeObject): number | undefined {
  const text = metadata?.resourceVersion ?? '';
  const version = Number(text);
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(version) ? version : undefined;
}

import { isArray, isObject, type Json, type MutableJsonObject, put } from '../../base/json.ts';
import { dereference, NO_REFERENCES, type ResolveSchema, type Schema } from './schema.ts';

export interface Pruned {
  readonly value: Json;
  /** Paths of what was dropped, in the order the server warns about them: put `unknown field "` and `"` around each. */
  readonly unknown: readonly string[];
}

const OBJECT_META = new Set([
  'annotations',
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'generation',
  'labels',
  'managedFields',
  'name',
  'namespace',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/**
 * Drops the fields that a custom resource's structural schema does not declare. `value` is a whole object: its apiVersion,
 * kind and known metadata stay, as do those of embedded resources. (apiextensions-apiserver@0.34 schema/pruning/algorithm.go)
 */
export function pruneUnknown(value: Json, schema: Schema, resolve: ResolveSchema = NO_REFERENCES): Pruned {
  const unknown: string[] = [];
  const meta: string[] = [];
  const pruned = prune(value, dereference(schema, resolve), '', true, resolve, { unknown, meta });
  return { value: pruned, unknown: [...unknown.toSorted(), ...meta.toSorted()] };
}

interface Dropped {
  readonly unknown: string[];
  readonly meta: string[];
}

function prune(
  value: Json,
  schema: Schema | undefined,
  path: string,
  isResource: boolean,
  resolve: ResolveSchema,
  dropped: Dropped,
): Json {
  if (isArray(value)) {
    const items = schema?.items === undefined ? undefined : dereference(schema.items, resolve);
    if (items === undefined && schema?.['x-kubernetes-preserve-unknown-fields'] === true) return value;
    return value.map((item, index) =>
      prune(item, items, `${path}[${index}]`, items?.['x-kubernetes-embedded-resource'] === true, resolve, dropped),
    );
  }
  if (!isObject(value)) return value;
  const { properties, additionalProperties } = schema ?? {};
  const out: MutableJsonObject = {};
  for (const name of Object.keys(value)) {
    const child = value[name] as Json;
    const inner = path === '' ? name : `${path}.${name}`;
    if (isResource && (name === 'apiVersion' || name === 'kind')) put(out, name, child);
    else if (isResource && name === 'metadata') put(out, name, pruneMeta(child, inner, dropped));
    else if (properties !== undefined && Object.hasOwn(properties, name)) {
      const declared = dereference(properties[name] as Schema, resolve);
      put(
        out,
        name,
        prune(child, declared, inner, declared['x-kubernetes-embedded-resource'] === true, resolve, dropped),
      );
    } else if (typeof additionalProperties === 'object') {
      const declared = dereference(additionalProperties, resolve);
      put(
        out,
        name,
        prune(child, declared, inner, declared['x-kubernetes-embedded-resource'] === true, resolve, dropped),
      );
    } else if (additionalProperties === true || schema?.['x-kubernetes-preserve-unknown-fields'] === true)
      put(out, name, child);
    else dropped.unknown.push(inner);
  }
  return out;
}

function pruneMeta(value: Json, path: string, dropped: Dropped): Json {
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const name of Object.keys(value)) {
    if (OBJECT_META.has(name)) put(out, name, value[name] as Json);
    else dropped.meta.push(`${path}.${name}`);
  }
  return out;
}

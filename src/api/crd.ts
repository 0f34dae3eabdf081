import type { Json, JsonObject, MutableJsonObject } from '../base/json.ts';
import { isArray, isObject, put } from '../base/json.ts';
import type { Kind } from './kind.ts';
import { servedBefore } from './legacy.ts';
import type { KubeObject } from './object.ts';

/** Schema keywords that mean the same in a structural schema. */
const KEPT: readonly string[] = [
  'description',
  'type',
  'default',
  'enum',
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
];

/**
 * Turns a JSON schema as TypeBox builds it into a structural schema: records become `additionalProperties`, enums get
 * their type, properties and required names are sorted as controller-gen does. `x-kubernetes-*` is kept as it is.
 * @throws TypeError for a keyword that has no structural form: a mistake in a kind's definition.
 */
export function structural(schema: Json): JsonObject {
  if (!isObject(schema)) throw new TypeError('a schema must be an object');
  const out: MutableJsonObject = {};
  for (const key of Object.keys(schema).sort()) {
    const value = schema[key] as Json;
    if (key === 'properties') put(out, key, structuralProperties(value));
    else if (key === 'items') put(out, key, structural(value));
    else if (key === 'patternProperties') put(out, 'additionalProperties', structuralRecord(value));
    else if (key === 'required') put(out, key, [...(value as readonly string[])].sort());
    else if (KEPT.includes(key) || key.startsWith('x-kubernetes-')) put(out, key, value);
    else throw new TypeError(`the schema keyword ${key} has no structural form`);
  }
  if (out['type'] === undefined && isArray(out['enum'])) put(out, 'type', 'string');
  return out;
}

function structuralProperties(properties: Json): JsonObject {
  const out: MutableJsonObject = {};
  if (!isObject(properties)) return out;
  for (const name of Object.keys(properties).sort()) put(out, name, structural(properties[name] as Json));
  return out;
}

/** TypeBox writes a record with string keys as the one pattern `^.*$`. */
function structuralRecord(patterns: Json): JsonObject {
  const values = isObject(patterns) ? Object.values(patterns) : [];
  if (values.length !== 1) throw new TypeError('a record must have one pattern');
  return structural(values[0] as Json);
}

/** The CustomResourceDefinition of a kind. `labels` are added to its metadata. */
export function crdOf(kind: Kind<unknown, unknown>, labels: Readonly<Record<string, string>> = {}): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${kind.group}`,
      // Its descriptions may hold ${...}: variables in a CRD are not to be replaced when it is applied from Git.
      annotations: { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' },
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
    spec: {
      group: kind.group,
      names: {
        categories: [...kind.categories],
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        ...(kind.shortNames.length > 0 ? { shortNames: [...kind.shortNames] } : {}),
        singular: kind.kind.toLowerCase(),
      },
      scope: 'Namespaced',
      versions: [
        {
          additionalPrinterColumns: kind.printerColumns.map(({ name, type, jsonPath }) => ({ jsonPath, name, type })),
          name: kind.version,
          schema: { openAPIV3Schema: objectSchema(kind) },
          served: true,
          storage: true,
          subresources: { status: {} },
        },
        ...oldVersions(kind),
      ],
    },
  };
}

/** Versions that Flux served before: objects written in them are taken, and kept in the current one. */
function oldVersions(kind: Kind<unknown, unknown>): readonly JsonObject[] {
  const before = servedBefore(kind.group, kind.kind);
  if (before === undefined) return [];
  const schema = objectSchema(kind);
  const { spec, ...properties } = schema['properties'] as { readonly [name: string]: JsonObject };
  const fields = { ...(spec?.['properties'] as JsonObject), ...before.fields };
  return before.versions.map((name) => ({
    additionalPrinterColumns: kind.printerColumns.map((column) => ({
      jsonPath: column.jsonPath,
      name: column.name,
      type: column.type,
    })),
    deprecated: true,
    deprecationWarning: `${name} ${kind.kind} is deprecated, upgrade to ${kind.version}`,
    name,
    schema: { openAPIV3Schema: { ...schema, properties: { ...properties, spec: { ...spec, properties: fields } } } },
    served: true,
    storage: false,
    subresources: { status: {} },
  }));
}

/** The `openAPIV3Schema` of a kind. */
export function objectSchema(kind: Kind<unknown, unknown>): JsonObject {
  return {
    description: kind.description,
    properties: {
      apiVersion: {
        description: `Version of the API that the object is written in: ${kind.apiVersion}.`,
        type: 'string',
      },
      kind: { description: `Kind of the object: ${kind.kind}.`, type: 'string' },
      metadata: { type: 'object' },
      spec: structural(kind.specSchema as unknown as Json),
      status: structural(kind.statusSchema as unknown as Json),
    },
    type: 'object',
  };
}

import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, put, stringAt } from '../../base/json.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { PathTemplate } from '../data/openapi-documents.ts';
import type { ResourceType } from './resource-type.ts';

/** How a kind that a CRD defines is published. Source: kubernetes@1.34 apiextensions-apiserver/pkg/controller/openapi/builder/builder.go. */

type Version = 'v2' | 'v3';

const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const TYPE_META: JsonObject = {
  apiVersion: {
    description: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${CONVENTIONS}#resources`,
    type: 'string',
  },
  kind: {
    description: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
    type: 'string',
  },
};
const EMBEDDED_TYPE_META: JsonObject = {
  apiVersion: {
    description: `apiVersion defines the versioned schema of this representation of an object. More info: ${CONVENTIONS}#resources`,
    type: 'string',
  },
  kind: {
    description: `kind is a string value representing the type of this object. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
    type: 'string',
  },
};
/** Scalars of a schema, in the order in which kube-openapi writes them; the others follow by {@link published}. */
const BEFORE = ['description', 'type', 'nullable', 'format', 'title', 'default', 'maximum', 'exclusiveMaximum'];
const MIDDLE = ['minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems'];
const AFTER = ['uniqueItems', 'multipleOf', 'enum', 'maxProperties', 'minProperties', 'required'];
const SCALARS: readonly string[] = [...BEFORE, ...MIDDLE, ...AFTER];
const FLAGS = new Set(['nullable', 'exclusiveMaximum', 'exclusiveMinimum', 'uniqueItems']);
const EXTENSIONS = [
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
];
const RULE_KEYS = ['rule', 'message', 'messageExpression', 'reason', 'fieldPath', 'optionalOldSelf'];

/** `org.example.v1.Widget`. */
export function definitionNameOf({ group, version }: ResourceType, kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

/** The definitions of a kind and of its list, by name. */
export function customDefinitions(type: ResourceType, schema: Schema | undefined, version: Version): JsonObject {
  const own = definitionNameOf(type, type.kind);
  const out: MutableJsonObject = {};
  put(out, own, { ...wholeKind(type, schema, version), ...extensions(type, type.kind) });
  put(out, definitionNameOf(type, type.listKind), {
    description: `${type.listKind} is a list of ${type.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: TYPE_META['apiVersion'] as Json,
      items: {
        description: `List of ${type.plural}. More info: ${CONVENTIONS}`,
        type: 'array',
        items: { $ref: prefix(version) + own },
      },
      kind: TYPE_META['kind'] as Json,
      metadata: reference(version, 'ListMeta', `Standard list metadata. More info: ${CONVENTIONS}#types-kinds`),
    },
    ...extensions(type, type.listKind),
  });
  return out;
}

function wholeKind(type: ResourceType, schema: Schema | undefined, version: Version): JsonObject {
  const keeps =
    schema?.['x-kubernetes-preserve-unknown-fields'] === true ||
    field(type.definition?.spec, 'preserveUnknownFields') === true;
  // kubectl would take missing properties for forbidden ones.
  if (schema === undefined || (version === 'v2' && keeps)) return { type: 'object' };
  const written = published(schema, version);
  const properties = {
    ...(written['properties'] as JsonObject | undefined),
    ...TYPE_META,
    metadata: objectMeta(version),
  };
  return ordered({ ...written, properties: sorted(properties) });
}

function extensions(type: ResourceType, kind: string): JsonObject {
  const { group, version } = type;
  const versions = field(type.definition?.spec, 'versions');
  const own = isArray(versions) ? versions.find((one) => stringAt(one, 'name') === version) : undefined;
  const selectable = at(own, 'selectableFields');
  return {
    'x-kubernetes-group-version-kind': [{ group, kind, version }],
    ...(isArray(selectable) && selectable.length > 0
      ? {
          'x-kubernetes-selectable-fields': selectable.map((one) => ({
            fieldPath: (stringAt(one, 'jsonPath') ?? '').replace(/^\./, ''),
          })),
        }
      : {}),
  };
}

function prefix(version: Version): string {
  return version === 'v3' ? '#/components/schemas/' : '#/definitions/';
}

function reference(version: Version, name: string, description: string): Json {
  const $ref = prefix(version) + META + name;
  return version === 'v3' ? { description, allOf: [{ $ref }] } : { description, $ref };
}

function objectMeta(version: Version): Json {
  return reference(version, 'ObjectMeta', `Standard object's metadata. More info: ${CONVENTIONS}#metadata`);
}

/** One schema as it is shown: v2 has no junctors, defaults and nullable values, and cannot tell of unknown fields. */
function published(schema: Schema, version: Version): JsonObject {
  const source = schema as unknown as JsonObject;
  const out: MutableJsonObject = {};
  const v2 = version === 'v2';
  const open = v2 && (schema.nullable === true || schema['x-kubernetes-preserve-unknown-fields'] === true);
  for (const key of SCALARS) {
    const value = source[key];
    if (value === undefined || (FLAGS.has(key) && value !== true) || (key === 'required' && isEmpty(value))) continue;
    if (v2 && (key === 'nullable' || key === 'default')) continue;
    put(out, key, value);
  }
  const { properties, items, additionalProperties } = schema;
  if (v2) {
    const untyped =
      schema.nullable === true ||
      (open && schema.type === 'object') ||
      (schema.type === 'array' && (open || items === undefined));
    if (untyped) delete out['type'];
    dropNullable(out, schema);
  }
  if (items !== undefined && !open) put(out, 'items', published(items, version));
  if (!v2) {
    for (const key of ['allOf', 'oneOf', 'anyOf'] as const) {
      const parts = schema[key];
      if (parts !== undefined && parts.length > 0)
        put(
          out,
          key,
          parts.map((part) => published(part, version)),
        );
    }
    if (schema['x-kubernetes-int-or-string'] === true && schema.anyOf === undefined && schema.allOf === undefined)
      put(out, 'anyOf', [{ type: 'integer' }, { type: 'string' }]);
    if (schema.not !== undefined) put(out, 'not', published(schema.not, version));
  }
  if (properties !== undefined && !open) {
    const shown: MutableJsonObject = {};
    for (const name of Object.keys(properties).sort()) put(shown, name, published(properties[name] as Schema, version));
    put(out, 'properties', shown);
  }
  if (additionalProperties !== undefined)
    put(
      out,
      'additionalProperties',
      typeof additionalProperties === 'boolean' ? additionalProperties : published(additionalProperties, version),
    );
  if (schema['x-kubernetes-embedded-resource'] === true && !open) embed(out, version);
  for (const key of EXTENSIONS) {
    const value = source[key];
    if (value === undefined || value === false) continue;
    put(out, key, key === 'x-kubernetes-validations' && isArray(value) ? value.map((rule) => rules(rule, v2)) : value);
  }
  return ordered(out);
}

function isEmpty(value: Json): boolean {
  return isArray(value) && value.length === 0;
}

/** kubectl would miss a required field that is null. */
function dropNullable(out: MutableJsonObject, { properties, additionalProperties, required }: Schema): void {
  if (required === undefined) return;
  const inner = typeof additionalProperties === 'object' && additionalProperties.nullable === true;
  const left = inner ? [] : required.filter((name) => properties?.[name]?.nullable !== true);
  if (left.length === 0) delete out['required'];
  else put(out, 'required', left);
}

function embed(out: MutableJsonObject, version: Version): void {
  const own = isObject(out['properties']) ? out['properties'] : {};
  put(out, 'properties', sorted({ ...own, ...EMBEDDED_TYPE_META, metadata: objectMeta(version) }));
  const required = isArray(out['required']) ? out['required'] : [];
  put(out, 'required', [...required, ...['kind', 'apiVersion'].filter((name) => !required.includes(name))]);
}

/** v2 has been through Go maps, which are written in the order of their keys. */
function rules(rule: Json, v2: boolean): Json {
  const out: MutableJsonObject = {};
  for (const key of v2 ? RULE_KEYS.toSorted() : RULE_KEYS) {
    const value = field(rule, key);
    if (value !== undefined && value !== '') put(out, key, value);
  }
  return out;
}

const ORDER: readonly string[] = [
  ...SCALARS,
  'items',
  'allOf',
  'oneOf',
  'anyOf',
  'not',
  'properties',
  'additionalProperties',
  ...EXTENSIONS,
];

function ordered(schema: JsonObject): JsonObject {
  const out: MutableJsonObject = {};
  for (const key of ORDER) {
    const value = schema[key];
    if (value !== undefined) put(out, key, value);
  }
  return out;
}

function sorted(map: JsonObject): JsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(map).sort()) put(out, key, map[key] as Json);
  return out;
}

/** The paths of a kind as JSON texts by path, from the template of its scope. */
export function customPaths(type: ResourceType, template: PathTemplate): ReadonlyMap<string, string> {
  const { group, version, kind, listKind, plural } = type;
  const names: Readonly<Record<string, string>> = {
    group,
    version,
    kind,
    listKind,
    plural,
    package: definitionNameOf(type, '').slice(0, -1),
    tag: identifier(`${group}_${version}`),
    operation: capital(identifier(group)) + capital(identifier(version)),
    article: article(kind),
  };
  const fill = (text: string): string => text.replace(/@(\w+)@/g, (whole, name: string) => names[name] ?? whole);
  const out = new Map<string, string>();
  for (const [path, text] of Object.entries(template)) {
    const [, sub] = /\{name\}\/(\w+)$/.exec(path) ?? [];
    if (sub === undefined || type.subresources.has(sub)) out.set(fill(path), fill(text));
  }
  return out;
}

/** Source: kubernetes@1.34 apiserver/pkg/endpoints/openapi/openapi.go ToValidOperationID. */
function identifier(text: string): string {
  return text
    .split(/[^A-Za-z0-9_]+/)
    .map((part, index) => (index === 0 ? part : capital(part)))
    .join('');
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** With its space. Source: kubernetes@1.34 apiserver/pkg/endpoints/installer.go GetArticleForNoun; a plural has none. */
function article(noun: string): string {
  if (noun.endsWith('s') && !noun.endsWith('ss')) return '';
  return /^[aeiou]/i.test(noun) ? 'an ' : 'a ';
}

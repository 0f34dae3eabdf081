import { isArray, isObject, type Json, type MutableJsonObject, put } from '../base/json.ts';
import { formatG } from '../engine/yaml/value.ts';

/** Which parts of a value are strings: the value itself, all of a map's or a list's, or those of named fields. */
type Shape = 'string' | { readonly each: Shape } | { readonly [field: string]: Shape };

const STRINGS: Shape = { each: 'string' };
const GVK: Shape = { group: 'string', version: 'string', kind: 'string', name: 'string', namespace: 'string' };
const SELECTOR: Shape = { ...GVK, labelSelector: 'string', annotationSelector: 'string' };
const METADATA: Shape = { labels: STRINGS, annotations: STRINGS };
const PATCHES: Shape = { each: { path: 'string', patch: 'string', target: SELECTOR } };
const FIELD_OPTIONS: Shape = { delimiter: 'string' };
const GENERATOR: Shape = {
  each: {
    name: 'string',
    namespace: 'string',
    behavior: 'string',
    type: 'string',
    env: 'string',
    envs: STRINGS,
    files: STRINGS,
    literals: STRINGS,
    options: METADATA,
  },
};

/** Strings of kustomize's type. Source: kustomize api@0.21.1 types/kustomization.go. */
const KUSTOMIZATION: Shape = {
  apiVersion: 'string',
  kind: 'string',
  metadata: { name: 'string', namespace: 'string', ...METADATA },
  openapi: STRINGS,
  namePrefix: 'string',
  nameSuffix: 'string',
  namespace: 'string',
  commonLabels: STRINGS,
  commonAnnotations: STRINGS,
  labels: { each: { pairs: STRINGS } },
  patchesStrategicMerge: STRINGS,
  patchesJson6902: PATCHES,
  patches: PATCHES,
  images: { each: { name: 'string', newName: 'string', tagSuffix: 'string', newTag: 'string', digest: 'string' } },
  replicas: { each: { name: 'string' } },
  replacements: {
    each: {
      path: 'string',
      source: { ...GVK, fieldPath: 'string', options: FIELD_OPTIONS },
      targets: {
        each: { select: SELECTOR, reject: { each: SELECTOR }, fieldPaths: STRINGS, options: FIELD_OPTIONS },
      },
    },
  },
  vars: { each: { name: 'string', objref: GVK, fieldref: { fieldpath: 'string' } } },
  resources: STRINGS,
  components: STRINGS,
  bases: STRINGS,
  crds: STRINGS,
  configMapGenerator: GENERATOR,
  secretGenerator: GENERATOR,
  generatorOptions: METADATA,
  configurations: STRINGS,
  generators: STRINGS,
  transformers: STRINGS,
  validators: STRINGS,
  buildMetadata: STRINGS,
};

/**
 * A kustomization as sigs.k8s.io/yaml reads it into kustomize's type, which Flux does with the file that it edits: numbers and
 * booleans become text where the type has text (`newTag: 1.27`). kustomize itself refuses them. Source: sigs.k8s.io/yaml@1.6.0
 * convertToJSONableObject.
 */
export function withStrings(kustomization: Json): Json {
  return read(kustomization, KUSTOMIZATION);
}

function read(value: Json, shape: Shape): Json {
  if (shape === 'string') return text(value);
  if (isArray(value)) {
    const item = shape['each'];
    return item === undefined ? value : value.map((entry) => read(entry, item));
  }
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) {
    const inner = shape['each'] ?? (Object.hasOwn(shape, key) ? (shape as Record<string, Shape>)[key] : undefined);
    put(out, key, inner === undefined ? (value[key] as Json) : read(value[key] as Json, inner));
  }
  return out;
}

function text(value: Json): Json {
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') return value;
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : formatG(value);
}

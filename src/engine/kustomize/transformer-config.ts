import type { Json } from '../../base/json.ts';
import { DEFAULT_FIELD_SPECS, DEFAULT_NAME_REFERENCES } from './default-field-specs.ts';
import { fail, wrapped } from './failure.ts';
import { type GoType, sliceOf, struct } from './go-decode.ts';
import { FIELD_SPECS, GVK_FIELDS, type FieldSpec as ReadFieldSpec, unmarshal } from './kustomization-type.ts';
import { splitPath } from './node-edit.ts';
import { compareGvk, type Gvk, gvkEquals, isSelected } from './resource-id.ts';

/** One field of one kind, or of all kinds where the selector is empty. */
export interface FieldSpec extends Gvk {
  readonly path: string;
  readonly create: boolean;
  /** `path` in steps. */
  readonly steps: readonly string[];
}

/** The fields in which objects of a kind are named. */
export interface NameReference extends Gvk {
  readonly fields: readonly FieldSpec[];
}

const LISTS = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonAnnotations',
  'commonLabels',
  'labels',
  'templateLabels',
  'varReference',
  'images',
  'replicas',
] as const;
type ListName = (typeof LISTS)[number];
/** As Go's messages call them. */
const GO_NAMES: Readonly<Record<ListName | 'nameReference', string>> = {
  namePrefix: 'NamePrefix',
  nameSuffix: 'NameSuffix',
  namespace: 'NameSpace',
  commonAnnotations: 'CommonAnnotations',
  commonLabels: 'CommonLabels',
  labels: 'Labels',
  templateLabels: 'TemplateLabels',
  varReference: 'VarReference',
  images: 'Images',
  replicas: 'Replicas',
  nameReference: 'NameReference',
};

/** Which fields the transformers of an accumulator touch. */
export type TransformerConfig = Readonly<Record<ListName, readonly FieldSpec[]>> & {
  readonly nameReference: readonly NameReference[];
  /** It holds all of the default configuration, so that merging that again changes nothing. */
  readonly hasDefaults: boolean;
};

export const EMPTY_CONFIG: TransformerConfig = makeConfig(() => [], [], false);

function makeConfig(
  list: (name: ListName) => readonly FieldSpec[],
  nameReference: readonly NameReference[],
  hasDefaults: boolean,
): TransformerConfig {
  const lists = Object.fromEntries(LISTS.map((name) => [name, list(name)])) as Record<ListName, readonly FieldSpec[]>;
  return { ...lists, nameReference, hasDefaults };
}

export function fieldSpec(spec: ReadFieldSpec): FieldSpec {
  const path = spec.path ?? '';
  return {
    group: spec.group ?? '',
    version: spec.version ?? '',
    kind: spec.kind ?? '',
    path,
    create: spec.create === true,
    steps: splitPath(path, '/'),
  };
}

function parseLine(line: string): FieldSpec {
  const create = line.startsWith('+');
  const [path = '', kind = '-', group = '-', version = '-'] = (create ? line.slice(1) : line).split(' ');
  const part = (text: string): string => (text === '-' ? '' : text);
  return fieldSpec({ path, create, kind: part(kind), group: part(group), version: part(version) });
}

let defaults: TransformerConfig | undefined;

/** kustomize's own configuration. */
export function defaultConfig(): TransformerConfig {
  if (defaults !== undefined) return defaults;
  const references: { kind: string; group: string; version: string; fields: FieldSpec[] }[] = [];
  for (const line of DEFAULT_NAME_REFERENCES.trim().split('\n')) {
    if (line.startsWith('# ')) {
      const [kind = '', group = '-', version = '-'] = line.slice(2).split(' ');
      references.push({ kind, group: group === '-' ? '' : group, version: version === '-' ? '' : version, fields: [] });
    } else references.at(-1)?.fields.push(parseLine(line));
  }
  const raw = makeConfig(
    (name) =>
      sorted(
        (DEFAULT_FIELD_SPECS[name] ?? '')
          .trim()
          .split('\n')
          .filter((line) => line !== '')
          .map(parseLine),
      ),
    sorted(references),
    false,
  );
  defaults = { ...mergeConfigs(EMPTY_CONFIG, raw), hasDefaults: true };
  return defaults;
}

function sorted<T extends Gvk>(list: readonly T[]): readonly T[] {
  return [...list].sort(compareGvk);
}

/** @throws KustomizeFailure where both say something else of the same field */
export function mergeConfigs(into: TransformerConfig, added: TransformerConfig): TransformerConfig {
  if (added === defaults && into.hasDefaults) return into;
  if (into === EMPTY_CONFIG && added === defaults) return added;
  if (added === EMPTY_CONFIG) return into;
  return makeConfig(
    (name) =>
      sorted(wrapped(`failed to merge ${GO_NAMES[name]} fieldSpec`, () => mergeFieldSpecs(into[name], added[name]))),
    sorted(
      wrapped(`failed to merge ${GO_NAMES.nameReference} fieldSpec`, () =>
        mergeReferences(into.nameReference, added.nameReference),
      ),
    ),
    into.hasDefaults || added.hasDefaults,
  );
}

export function mergeFieldSpecs(into: readonly FieldSpec[], added: readonly FieldSpec[]): readonly FieldSpec[] {
  if (added.length === 0) return into;
  const out = [...into];
  const byPath = new Map<string, FieldSpec[]>();
  for (const spec of out) byPath.set(spec.path, [...(byPath.get(spec.path) ?? []), spec]);
  for (const spec of added) {
    const same = byPath.get(spec.path)?.find((one) => isSelected(one, spec));
    if (same === undefined) {
      out.push(spec);
      byPath.set(spec.path, [...(byPath.get(spec.path) ?? []), spec]);
    } else if (same.create !== spec.create) fail('conflicting fieldspecs');
  }
  return out;
}

export function mergeReferences(
  into: readonly NameReference[],
  added: readonly NameReference[],
): readonly NameReference[] {
  let out = [...into];
  for (const reference of added) {
    let found = false;
    out = out.map((one) => {
      if (!gvkEquals(one, reference)) return one;
      found = true;
      return { ...one, fields: mergeFieldSpecs(one.fields, reference.fields) };
    });
    if (!found) out.push(reference);
  }
  return out;
}

const CONFIG: GoType = struct('builtinconfig.TransformerConfig', {
  ...Object.fromEntries(LISTS.map((name) => [name, { ...FIELD_SPECS, go: 'types.FsSlice' }])),
  nameReference: sliceOf(
    struct('builtinconfig.NameBackReferences', {
      ...GVK_FIELDS,
      fieldSpecs: { ...FIELD_SPECS, go: 'types.FsSlice' },
    }),
    'builtinconfig.nbrSlice',
  ),
});

/** Reads a file of the `configurations` field. @throws KustomizeFailure */
export function readConfig(text: string): TransformerConfig {
  const read = (unmarshal(text, CONFIG, true) ?? {}) as Readonly<Record<string, Json>>;
  const specs = (list: Json | undefined): FieldSpec[] => ((list ?? []) as readonly ReadFieldSpec[]).map(fieldSpec);
  const references = ((read['nameReference'] ?? []) as readonly (ReadFieldSpec & { fieldSpecs?: Json })[]).map(
    (one) => ({
      group: one.group ?? '',
      version: one.version ?? '',
      kind: one.kind ?? '',
      fields: specs(one.fieldSpecs),
    }),
  );
  return makeConfig((name) => sorted(specs(read[name])), sorted(references), false);
}

/** A configuration that holds just these lists. */
export function configOf(parts: {
  readonly namePrefix: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly nameReference: readonly NameReference[];
}): TransformerConfig {
  return { ...EMPTY_CONFIG, ...parts, hasDefaults: false };
}

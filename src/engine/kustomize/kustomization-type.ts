import type { Json, JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { printYamlError } from '../yaml/error.ts';
import { parseYaml } from '../yaml/parse.ts';
import { fail, KustomizeFailure, withPrefix } from './failure.ts';
import {
  ANY_MAP,
  BOOL,
  embed,
  type Fields,
  type GoType,
  goDecode,
  INT,
  INT64,
  STRING,
  STRING_MAP,
  STRINGS,
  sliceOf,
  struct,
} from './go-decode.ts';

export interface FieldSpec {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly path?: string;
  readonly create?: boolean;
}

export interface Selector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly annotationSelector?: string;
  readonly labelSelector?: string;
}

export interface PatchOptions {
  readonly allowNameChange?: boolean;
  readonly allowKindChange?: boolean;
}

export interface Patch {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: Selector;
  readonly options?: PatchOptions;
}

export interface Image {
  readonly name?: string;
  readonly newName?: string;
  readonly tagSuffix?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

export interface Replica {
  readonly name?: string;
  readonly count?: number | bigint;
}

export interface Label {
  readonly pairs?: Readonly<Record<string, string>>;
  readonly includeSelectors?: boolean;
  readonly includeTemplates?: boolean;
  readonly fields?: readonly FieldSpec[];
}

export interface GeneratorOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly disableNameSuffixHash?: boolean;
  readonly immutable?: boolean;
}

export interface GeneratorArgs {
  readonly name?: string;
  readonly namespace?: string;
  readonly behavior?: string;
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
  readonly envs?: readonly string[];
  readonly env?: string;
  readonly options?: GeneratorOptions;
  /** Of a Secret. */
  readonly type?: string;
}

export interface ReplacementOptions {
  readonly delimiter?: string;
  readonly index?: number;
  readonly encoding?: string;
  readonly create?: boolean;
}

export interface ReplacementTarget {
  readonly select?: Selector;
  readonly reject?: readonly Selector[];
  readonly fieldPaths?: readonly string[];
  readonly options?: ReplacementOptions;
}

export interface Replacement {
  readonly path?: string;
  readonly source?: Selector & { readonly fieldPath?: string; readonly options?: ReplacementOptions };
  readonly sourceValue?: string;
  readonly targets?: readonly ReplacementTarget[];
}

export interface Var {
  readonly name?: string;
  readonly objref?: {
    readonly apiVersion?: string;
    readonly group?: string;
    readonly version?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
  readonly fieldref?: { readonly fieldPath?: string };
}

export interface SortOptions {
  readonly order?: string;
  readonly legacySortOptions?: { readonly orderFirst?: readonly string[]; readonly orderLast?: readonly string[] };
}

/** A kustomization.yaml, as read. */
export interface Kustomization {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: JsonObject;
  readonly openapi?: Readonly<Record<string, string>>;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly labels?: readonly Label[];
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly patchesStrategicMerge?: readonly string[];
  readonly patchesJson6902?: readonly Patch[];
  readonly patches?: readonly Patch[];
  readonly images?: readonly Image[];
  readonly imageTags?: readonly Image[];
  readonly replacements?: readonly Replacement[];
  readonly replicas?: readonly Replica[];
  readonly vars?: readonly Var[];
  readonly sortOptions?: SortOptions;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly crds?: readonly string[];
  readonly bases?: readonly string[];
  readonly configMapGenerator?: readonly GeneratorArgs[];
  readonly secretGenerator?: readonly GeneratorArgs[];
  readonly helmGlobals?: JsonObject;
  readonly helmCharts?: readonly JsonObject[];
  readonly helmChartInflationGenerator?: readonly JsonObject[];
  readonly generatorOptions?: GeneratorOptions;
  readonly configurations?: readonly string[];
  readonly generators?: readonly string[];
  readonly transformers?: readonly string[];
  readonly validators?: readonly string[];
  readonly buildMetadata?: readonly string[];
}

export const GVK_FIELDS: Fields = embed('Gvk', { group: STRING, version: STRING, kind: STRING });
const ID_FIELDS: Fields = { ...GVK_FIELDS, name: STRING, namespace: STRING };
export const OBJECT_META: GoType = struct('types.ObjectMeta', {
  name: STRING,
  namespace: STRING,
  labels: STRING_MAP,
  annotations: STRING_MAP,
});
export const FIELD_SPEC: GoType = struct('types.FieldSpec', {
  ...GVK_FIELDS,
  path: STRING,
  create: BOOL,
});
export const FIELD_SPECS: GoType = sliceOf(FIELD_SPEC);
const SELECTOR = struct('types.Selector', {
  ...embed('ResId', ID_FIELDS),
  annotationSelector: STRING,
  labelSelector: STRING,
});
export const TARGET: GoType = SELECTOR;
const PATCH_ARGS = struct('types.PatchArgs', { allowNameChange: BOOL, allowKindChange: BOOL });
export const PATCH_FIELDS: Fields = { path: STRING, patch: STRING, target: SELECTOR, options: PATCH_ARGS };
export const PATCH: GoType = struct('types.Patch', PATCH_FIELDS);
export const IMAGE: GoType = struct('types.Image', {
  name: STRING,
  newName: STRING,
  tagSuffix: STRING,
  newTag: STRING,
  digest: STRING,
});
export const REPLICA: GoType = struct('types.Replica', { name: STRING, count: INT64 }, ['count']);
const GENERATOR_OPTIONS = struct('types.GeneratorOptions', {
  labels: STRING_MAP,
  annotations: STRING_MAP,
  disableNameSuffixHash: BOOL,
  immutable: BOOL,
});
export const GENERATOR_FIELDS: Fields = {
  name: STRING,
  namespace: STRING,
  behavior: STRING,
  ...embed('KvPairSources', { literals: STRINGS, files: STRINGS, envs: STRINGS, env: STRING }),
  options: GENERATOR_OPTIONS,
};
/** Of a generator of either kind. */
export const GENERATOR_ARGS: GoType = struct('types.GeneratorArgs', { ...GENERATOR_FIELDS, type: STRING });
const FIELD_OPTIONS = struct('types.FieldOptions', { delimiter: STRING, index: INT, encoding: STRING, create: BOOL });
const TARGET_SELECTOR = struct(
  'types.TargetSelector',
  {
    select: SELECTOR,
    reject: sliceOf(SELECTOR, '[]*types.Selector'),
    fieldPaths: STRINGS,
    options: FIELD_OPTIONS,
  },
  ['select'],
);
const REPLACEMENT_FIELDS: Fields = {
  source: struct('types.SourceSelector', { ...embed('ResId', ID_FIELDS), fieldPath: STRING, options: FIELD_OPTIONS }),
  sourceValue: STRING,
  targets: sliceOf(TARGET_SELECTOR, '[]*types.TargetSelector'),
};
export const REPLACEMENT: GoType = struct('types.Replacement', REPLACEMENT_FIELDS);
export const REPLACEMENT_LIST: GoType = sliceOf(
  struct('types.ReplacementField', { path: STRING, ...embed('Replacement', REPLACEMENT_FIELDS) }),
);
export const SORT_OPTIONS: GoType = struct('types.SortOptions', {
  order: { t: 'string', go: 'types.SortOrder' },
  legacySortOptions: struct('types.LegacySortOptions', { orderFirst: STRINGS, orderLast: STRINGS }, [
    'orderFirst',
    'orderLast',
  ]),
});
export const HELM_CHART_FIELDS: Fields = {
  name: STRING,
  version: STRING,
  repo: STRING,
  releaseName: STRING,
  namespace: STRING,
  additionalValuesFiles: STRINGS,
  valuesFile: STRING,
  valuesInline: ANY_MAP,
  valuesMerge: STRING,
  includeCRDs: BOOL,
  skipHooks: BOOL,
  apiVersions: STRINGS,
  kubeVersion: STRING,
  nameTemplate: STRING,
  skipTests: BOOL,
  debug: BOOL,
  devel: BOOL,
};
export const HELM_GLOBAL_FIELDS: Fields = { chartHome: STRING, configHome: STRING };

export const KUSTOMIZATION: GoType = struct('types.Kustomization', {
  ...embed('TypeMeta', { kind: STRING, apiVersion: STRING }),
  metadata: OBJECT_META,
  openapi: STRING_MAP,
  namePrefix: STRING,
  nameSuffix: STRING,
  namespace: STRING,
  commonLabels: STRING_MAP,
  labels: sliceOf(
    struct('types.Label', { pairs: STRING_MAP, includeSelectors: BOOL, includeTemplates: BOOL, fields: FIELD_SPECS }),
  ),
  commonAnnotations: STRING_MAP,
  patchesStrategicMerge: sliceOf({ t: 'string', go: 'types.PatchStrategicMerge' }),
  patchesJson6902: sliceOf(PATCH),
  patches: sliceOf(PATCH),
  images: sliceOf(IMAGE),
  imageTags: sliceOf(IMAGE),
  replacements: REPLACEMENT_LIST,
  replicas: sliceOf(REPLICA),
  vars: sliceOf(
    struct(
      'types.Var',
      {
        name: STRING,
        objref: struct('types.Target', { apiVersion: STRING, ...ID_FIELDS }, ['name']),
        fieldref: struct('types.FieldSelector', { fieldPath: STRING }),
      },
      ['name', 'objref', 'fieldref'],
    ),
  ),
  sortOptions: SORT_OPTIONS,
  resources: STRINGS,
  components: STRINGS,
  crds: STRINGS,
  bases: STRINGS,
  configMapGenerator: sliceOf(struct('types.ConfigMapArgs', embed('GeneratorArgs', GENERATOR_FIELDS))),
  secretGenerator: sliceOf(struct('types.SecretArgs', { ...embed('GeneratorArgs', GENERATOR_FIELDS), type: STRING })),
  helmGlobals: struct('types.HelmGlobals', HELM_GLOBAL_FIELDS),
  helmCharts: sliceOf(struct('types.HelmChart', HELM_CHART_FIELDS)),
  helmChartInflationGenerator: sliceOf(
    struct('types.HelmChartArgs', {
      chartName: STRING,
      chartVersion: STRING,
      chartRepoUrl: STRING,
      chartHome: STRING,
      chartRepoName: STRING,
      helmBin: STRING,
      helmHome: STRING,
      values: STRING,
      valuesLocal: ANY_MAP,
      valuesMerge: STRING,
      releaseName: STRING,
      releaseNamespace: STRING,
      extraArgs: STRINGS,
    }),
  ),
  generatorOptions: GENERATOR_OPTIONS,
  configurations: STRINGS,
  generators: STRINGS,
  transformers: STRINGS,
  validators: STRINGS,
  buildMetadata: STRINGS,
});

export const FILE_NAMES: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
export const KUSTOMIZATION_VERSION = 'kustomize.config.k8s.io/v1beta1';
export const COMPONENT_VERSION = 'kustomize.config.k8s.io/v1alpha1';

/** Reads the text of a kustomization file. @throws KustomizeFailure */
export function readKustomization(text: string): Kustomization {
  const read = parseYaml(text);
  if (!read.ok) fail(`invalid Kustomization: ${printYamlError(read.error)}`);
  try {
    return (goDecode(read.value, KUSTOMIZATION, { strict: true, coerce: false }) ?? {}) as Kustomization;
  } catch (failure) {
    throw failure instanceof KustomizeFailure ? withPrefix('invalid Kustomization', failure) : failure;
  }
}

/** Reads text into a Go type as sigs.k8s.io/yaml's Unmarshal does. @throws KustomizeFailure */
export function unmarshal(text: string, type: GoType, strict = false): Json | undefined {
  const read = parseYaml(text, { strict });
  if (!read.ok) fail(`error converting YAML to JSON: ${printYamlError(read.error)}`);
  return decodeInto(read.value, type, strict);
}

export function decodeInto(value: Json, type: GoType, strict = false): Json | undefined {
  try {
    return goDecode(value, type, { strict, coerce: true });
  } catch (failure) {
    throw withPrefix('error unmarshaling JSON: while decoding JSON', failure);
  }
}

/** What reading a value into kustomize's type leaves of it: unknown fields go, numbers and booleans become texts where texts stand. */
export function decodeKustomization(value: Json): Result<JsonObject, string> {
  try {
    return ok((decodeInto(value, KUSTOMIZATION) ?? {}) as JsonObject);
  } catch (failure) {
    if (failure instanceof KustomizeFailure) return err(failure.message);
    throw failure;
  }
}

const EDIT_FIX = "Run 'kustomize edit fix' to update your Kustomization automatically.";

/** The warnings that kustomize prints for fields it would rather not see. */
export function deprecationWarnings(k: Kustomization): readonly string[] {
  const warn = (field: string, instead: string, fix = EDIT_FIX): string =>
    `# Warning: '${field}' is deprecated. Please use '${instead}' instead. ${fix}`;
  return [
    ...(k.bases === undefined ? [] : [warn('bases', 'resources')]),
    ...(k.commonLabels === undefined ? [] : [warn('commonLabels', 'labels')]),
    ...(k.imageTags === undefined ? [] : [warn('imageTags', 'images')]),
    ...(k.patchesJson6902 === undefined ? [] : [warn('patchesJson6902', 'patches')]),
    ...(k.patchesStrategicMerge === undefined ? [] : [warn('patchesStrategicMerge', 'patches')]),
    ...(k.vars === undefined ? [] : [warn('vars', 'replacements', `[EXPERIMENTAL] ${EDIT_FIX}`)]),
  ];
}

/** The same kustomization with defaults set and old fields moved to the ones that replaced them. */
export function fixKustomization(k: Kustomization): Kustomization {
  const { bases, imageTags, helmChartInflationGenerator, ...rest } = k;
  const kind = k.kind === undefined || k.kind === '' ? 'Kustomization' : k.kind;
  const version = kind === 'Component' ? COMPONENT_VERSION : KUSTOMIZATION_VERSION;
  const fixGenerators = (list: readonly GeneratorArgs[] | undefined): { list: readonly GeneratorArgs[] } | undefined =>
    list === undefined
      ? undefined
      : {
          list: list.map(({ env, ...args }) =>
            env === undefined || env === '' ? args : { ...args, envs: [...(args.envs ?? []), env] },
          ),
        };
  const configMaps = fixGenerators(k.configMapGenerator);
  const secrets = fixGenerators(k.secretGenerator);
  const old = helmChartInflationGenerator ?? [];
  const globals: { chartHome?: Json; configHome?: Json } = {};
  for (const chart of old) {
    if (chart['helmHome'] !== undefined && chart['helmHome'] !== '') globals.configHome = chart['helmHome'];
    if (chart['chartHome'] !== undefined && chart['chartHome'] !== '') globals.chartHome = chart['chartHome'];
  }
  const charts = [...(k.helmCharts ?? []), ...old.map(modernChart)];
  const resources = [...(k.resources ?? []), ...(bases ?? [])];
  const images = [...(k.images ?? []), ...(imageTags ?? [])];
  return {
    ...rest,
    kind,
    apiVersion: k.apiVersion === undefined || k.apiVersion === '' ? version : k.apiVersion,
    ...(resources.length > 0 && { resources }),
    ...(images.length > 0 && { images }),
    ...(configMaps !== undefined && { configMapGenerator: configMaps.list }),
    ...(secrets !== undefined && { secretGenerator: secrets.list }),
    ...(k.helmGlobals === undefined && Object.keys(globals).length > 0 && { helmGlobals: globals as JsonObject }),
    ...(charts.length > 0 && { helmCharts: charts }),
  };
}

function modernChart(old: JsonObject): JsonObject {
  const names: readonly (readonly [string, string])[] = [
    ['chartName', 'name'],
    ['chartVersion', 'version'],
    ['chartRepoUrl', 'repo'],
    ['values', 'valuesFile'],
    ['valuesLocal', 'valuesInline'],
    ['valuesMerge', 'valuesMerge'],
    ['releaseName', 'releaseName'],
  ];
  return Object.fromEntries(
    names.flatMap(([from, to]) => (old[from] === undefined ? [] : [[to, old[from]]])),
  ) as JsonObject;
}

/** Whether nothing but kind and version is set; an empty list in the file counts as set, as in Go. */
export function isEmptyKustomization(k: Kustomization): boolean {
  return Object.entries(k).every(
    ([name, value]) => name === 'kind' || name === 'apiVersion' || value === undefined || value === '',
  );
}

export function fieldProblems(k: Kustomization): readonly string[] {
  const kind = k.kind ?? '';
  const problems: string[] = [];
  if (kind !== '' && kind !== 'Kustomization' && kind !== 'Component')
    problems.push('kind should be Kustomization or Component');
  const version = kind === 'Component' ? COMPONENT_VERSION : KUSTOMIZATION_VERSION;
  if (k.apiVersion !== undefined && k.apiVersion !== '' && k.apiVersion !== version) {
    problems.push(`apiVersion for ${kind} should be ${version}`);
  }
  return problems;
}

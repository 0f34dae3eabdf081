import { utf8Text } from '../../base/files.ts';
import { isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { printYamlError } from '../yaml/error.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { INT_TAG, MAP_TAG, STR_TAG, scalarNode, type YamlNode } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse.ts';
import { fail, wrapped } from './failure.ts';
import { applyFieldSpec, applyFieldSpecs, setEntry, specFits } from './field-filter.ts';
import { generate } from './generate.ts';
import { BOOL, embed, type GoType, INT, STRING, STRING_MAP, sliceOf, struct } from './go-decode.ts';
import { nameHash } from './hash.ts';
import { applyImage } from './images.ts';
import {
  decodeInto,
  FIELD_SPECS,
  GENERATOR_FIELDS,
  type GeneratorArgs,
  HELM_CHART_FIELDS,
  HELM_GLOBAL_FIELDS,
  IMAGE,
  type Image,
  OBJECT_META,
  PATCH_FIELDS,
  type Patch,
  REPLACEMENT,
  REPLACEMENT_LIST,
  REPLICA,
  type FieldSpec as ReadFieldSpec,
  type Replacement,
  type Replica,
  type Selector,
  TARGET,
  unmarshal,
} from './kustomization-type.ts';
import type { Loader } from './load.ts';
import { isNull, lookup, requireKind, setScalar } from './node-edit.ts';
import { json6902Transformer, mergeTransformer, patchTransformer, type Transform } from './patches.ts';
import { readResources } from './read-resources.ts';
import { applyReplacements } from './replacements.ts';
import type { Resource } from './resource.ts';
import { isSelected, printGvk } from './resource-id.ts';
import type { ResourceMap } from './resource-map.ts';
import type { SchemaStore } from './schema.ts';
import { setNamespaces } from './set-namespace.ts';
import { type FieldSpec, fieldSpec } from './transformer-config.ts';

/** What a plugin may use while it is configured. */
export interface PluginHelpers {
  readonly loader: Loader;
  readonly schemas: SchemaStore;
  readonly sha256: (bytes: Uint8Array) => string;
  /** Renders a chart; undefined when Helm is off. */
  readonly inflate: ((chart: JsonObject, loader: Loader) => string) | undefined;
}

export type Generate = () => readonly Resource[];
/** Takes a plugin's configuration (an object, and its YAML for messages). @throws KustomizeFailure */
type Configure<T> = (config: Json, yaml: string, helpers: PluginHelpers) => T;

function decode<T>(config: Json, type: GoType): T {
  return (decodeInto(config, type) ?? {}) as T;
}

const specsOf = (list: readonly ReadFieldSpec[] | undefined): readonly FieldSpec[] => (list ?? []).map(fieldSpec);

function configureGenerator(kind: 'ConfigMap' | 'Secret'): Configure<Generate> {
  const fields = { ...embed('GeneratorArgs', GENERATOR_FIELDS), ...(kind === 'Secret' && { type: STRING }) };
  const type = struct(`builtins.${kind}GeneratorPlugin`, { metadata: OBJECT_META, ...embed(`${kind}Args`, fields) });
  return (config, _yaml, { loader, schemas }) => {
    const args = decode<GeneratorArgs & { metadata?: { name?: string; namespace?: string } }>(config, type);
    const name = args.name === undefined || args.name === '' ? args.metadata?.name : args.name;
    const namespace = args.namespace === undefined || args.namespace === '' ? args.metadata?.namespace : args.namespace;
    const full = { ...args, ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) };
    return () => [generate(kind, full, loader, schemas)];
  };
}

const HELM = struct('builtins.HelmChartInflationGeneratorPlugin', {
  ...embed('HelmGlobals', HELM_GLOBAL_FIELDS),
  ...embed('HelmChart', HELM_CHART_FIELDS),
});

const configureHelm: Configure<Generate> = (config, _yaml, { inflate, loader, schemas }) => {
  if (inflate === undefined) return fail('must specify --enable-helm');
  const chart = decode<JsonObject>(config, HELM);
  if ((chart['name'] ?? '') === '') fail('chart name cannot be empty');
  const merge = chart['valuesMerge'] ?? '';
  if (merge !== '' && merge !== 'merge' && merge !== 'override' && merge !== 'replace') {
    fail('valuesMerge must be one of [merge override replace]');
  }
  for (const file of (chart['additionalValuesFiles'] ?? []) as readonly string[]) {
    wrapped('could not load additionalValuesFile', () => loader.load(file));
  }
  const text = (name: string): string => (chart[name] ?? '') as string;
  return () => {
    // As kustomize's loader reads it: within the root only.
    if (text('valuesFile') !== '') loader.load(text('valuesFile'));
    const home = text('chartHome') === '' ? 'charts' : text('chartHome');
    if (loader.folder(home) === undefined) fail(`security; chartHome '${home}' is outside of the tree`);
    const resources = readResources(inflate(chart, loader), schemas);
    for (const resource of resources) resource.markHelmGenerated();
    return resources;
  };
};

const IAM = struct(
  'builtins.IAMPolicyGeneratorPlugin',
  embed('IAMPolicyGeneratorArgs', {
    cloud: { t: 'string', go: 'types.Cloud' },
    kubernetesService: struct('types.KubernetesService', { name: STRING, namespace: STRING }),
    serviceAccount: struct('types.ServiceAccount', { name: STRING, projectId: STRING }),
  }),
);

const configureIam: Configure<Generate> = (config, _yaml, { schemas }) => {
  const {
    cloud = '',
    kubernetesService = {},
    serviceAccount = {},
  } = decode<{
    cloud?: string;
    kubernetesService?: { name?: string; namespace?: string };
    serviceAccount?: { name?: string; projectId?: string };
  }>(config, IAM);
  return () => {
    if (cloud !== 'gke') fail(`cloud provider ${cloud} not supported yet`);
    const { name = '', namespace = '' } = kubernetesService;
    const account = `${serviceAccount.name ?? ''}@${serviceAccount.projectId ?? ''}.iam.gserviceaccount.com`;
    return readResources(
      `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  annotations:\n    iam.gke.io/gcp-service-account: ${account}\n  name: ${name}\n${namespace === '' ? '' : `  namespace: ${namespace}\n`}`,
      schemas,
    );
  };
};

export const GENERATORS: ReadonlyMap<string, Configure<Generate>> = new Map([
  ['ConfigMapGenerator', configureGenerator('ConfigMap')],
  ['SecretGenerator', configureGenerator('Secret')],
  ['HelmChartInflationGenerator', configureHelm],
  ['IAMPolicyGenerator', configureIam],
]);

const ANNOTATIONS = struct('builtins.AnnotationsTransformerPlugin', {
  annotations: STRING_MAP,
  fieldSpecs: FIELD_SPECS,
});
const LABELS = struct('builtins.LabelTransformerPlugin', { labels: STRING_MAP, fieldSpecs: FIELD_SPECS });

/** Sets entries of a string map, such as labels, in all fields of `specs`. */
export function setEntries(
  resource: Resource,
  entries: Readonly<Record<string, string>>,
  specs: readonly FieldSpec[],
): void {
  const { kind, group, version } = resource.gvk();
  const own = specs.filter((spec) => specFits(spec, kind, group, version));
  for (const key of Object.keys(entries).sort()) {
    const set = setEntry(key, entries[key] as string, STR_TAG);
    for (const spec of own) applyFieldSpec(resource, spec, { set, createKind: 'map', createTag: MAP_TAG });
  }
}

const configureEntries =
  (type: GoType, field: 'annotations' | 'labels'): Configure<Transform> =>
  (config) => {
    const read = decode<{
      annotations?: Record<string, string>;
      labels?: Record<string, string>;
      fieldSpecs?: readonly ReadFieldSpec[];
    }>(config, type);
    const entries = read[field] ?? {};
    const specs = specsOf(read.fieldSpecs);
    return (resources) => {
      if (Object.keys(entries).length === 0) return;
      for (const resource of resources.list) setEntries(resource, entries, specs);
      resources.touch();
    };
  };

const NAMESPACE = struct('builtins.NamespaceTransformerPlugin', {
  metadata: OBJECT_META,
  fieldSpecs: FIELD_SPECS,
  unsetOnly: BOOL,
  setRoleBindingSubjects: { t: 'string', go: 'namespace.RoleBindingSubjectMode' },
});

const configureNamespace: Configure<Transform> = (config) => {
  const read = wrapped('unmarshalling NamespaceTransformer config', () =>
    decode<{
      metadata?: { namespace?: string };
      fieldSpecs?: readonly ReadFieldSpec[];
      unsetOnly?: boolean;
      setRoleBindingSubjects?: string;
    }>(config, NAMESPACE),
  );
  const mode = read.setRoleBindingSubjects ?? '';
  const subjects = mode === '' ? 'defaultOnly' : mode;
  if (subjects !== 'defaultOnly' && subjects !== 'none' && subjects !== 'allServiceAccounts') {
    fail(
      `invalid value ${quoted(mode)} for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"`,
    );
  }
  const options = {
    namespace: read.metadata?.namespace ?? '',
    specs: specsOf(read.fieldSpecs),
    unsetOnly: read.unsetOnly === true,
    subjects,
  } as const;
  return (resources) => setNamespaces(resources, options);
};

/** Kinds whose names are not changed. */
const UNRENAMED = [
  { group: '', version: '', kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', version: '', kind: 'APIService' },
  { group: '', version: '', kind: 'Namespace' },
];

const configureRename =
  (end: 'prefix' | 'suffix'): Configure<Transform> =>
  (config) => {
    const type = struct(`builtins.${end === 'prefix' ? 'Prefix' : 'Suffix'}TransformerPlugin`, {
      [end]: STRING,
      fieldSpecs: FIELD_SPECS,
    });
    const read = decode<{ prefix?: string; suffix?: string; fieldSpecs?: readonly ReadFieldSpec[] }>(config, type);
    if (read.fieldSpecs === undefined) fail('fieldSpecs is not expected to be nil');
    const text = read[end] ?? '';
    const specs = specsOf(read.fieldSpecs);
    const set = (node: YamlNode): void =>
      setScalar(node, scalarNode(end === 'prefix' ? text + node.value : node.value + text));
    return (resources) => {
      for (const resource of resources.list) {
        const id = resource.originalId();
        if (UNRENAMED.some((gvk) => isSelected(id, gvk))) continue;
        for (const spec of specs) {
          if (!isSelected(id, spec)) continue;
          if (spec.path === 'metadata/name') {
            if (end === 'prefix') resource.addPrefix(text);
            else resource.addSuffix(text);
            if (text !== '') resource.storePreviousId();
          }
          applyFieldSpecs(resource, [spec], { set, createKind: 'scalar', createTag: STR_TAG });
        }
      }
      resources.touch();
    };
  };

const PATCH = struct('builtins.PatchTransformerPlugin', PATCH_FIELDS);
const MERGE = struct('builtins.PatchStrategicMergeTransformerPlugin', {
  paths: sliceOf({ t: 'string', go: 'types.PatchStrategicMerge' }),
  patches: STRING,
});
const JSON_6902 = struct('builtins.PatchJson6902TransformerPlugin', { target: TARGET, path: STRING, jsonOp: STRING });
const IMAGES = struct('builtins.ImageTagTransformerPlugin', { imageTag: IMAGE, fieldSpecs: FIELD_SPECS });
const REPLICAS = struct('builtins.ReplicaCountTransformerPlugin', { replica: REPLICA, fieldSpecs: FIELD_SPECS });
const REPLACEMENTS = struct('builtins.ReplacementTransformerPlugin', { replacements: REPLACEMENT_LIST });
const VALUE_TARGETS = sliceOf(
  struct('builtins.Target', { selector: TARGET, fieldPath: STRING, filePathPosition: INT }),
);
const VALUE_ADD = struct('builtins.ValueAddTransformerPlugin', {
  value: STRING,
  targets: VALUE_TARGETS,
  targetFilePath: STRING,
});

const configureReplicas: Configure<Transform> = (config) => {
  const { replica = {}, fieldSpecs } = decode<{ replica?: Replica; fieldSpecs?: readonly ReadFieldSpec[] }>(
    config,
    REPLICAS,
  );
  const specs = specsOf(fieldSpecs);
  const name = replica.name ?? '';
  return (resources) => {
    let found = false;
    for (const spec of specs) {
      for (const resource of resources.namedLike(name)) {
        const ids = [...resource.previousIds(), resource.id()];
        if (!ids.some((id) => id.name === name && isSelected(id, spec))) continue;
        found = true;
        applyFieldSpecs(resource, [spec], {
          set: setEntry('', String(replica.count ?? 0), INT_TAG),
          createKind: 'scalar',
          createTag: INT_TAG,
        });
      }
    }
    if (!found && !resources.partial) {
      fail(
        `resource with name ${name} does not match a config with the following GVK [${specs.map(printGvk).join(' ')}]`,
      );
    }
  };
};

const configureReplacements: Configure<Transform> = (config, _yaml, { loader }) => {
  const { replacements = [] } = decode<{ replacements?: readonly Replacement[] }>(config, REPLACEMENTS);
  const all: Replacement[] = [];
  for (const one of replacements) {
    const path = one.path ?? '';
    if (path === '') {
      all.push(one);
      continue;
    }
    if (one.source !== undefined || (one.targets ?? []).length > 0)
      fail('cannot specify both path and inline replacement');
    const text = utf8Text(loader.load(path)) ?? '';
    const read = parseYaml(text);
    if (!read.ok) return fail(`error converting YAML to JSON: ${printYamlError(read.error)}`);
    if (isArray(read.value)) all.push(...(decodeInto(read.value, sliceOf(REPLACEMENT)) as readonly Replacement[]));
    else if (isObject(read.value)) all.push(decode<Replacement>(read.value, REPLACEMENT));
    else fail(`unsupported replacement type encountered within replacement path: ${goKind(read.value)}`);
  }
  return (resources) => {
    applyReplacements(resources.list, all);
    resources.touch();
    resources.dropEmpties();
  };
};

function goKind(value: Json): string {
  return value === null
    ? 'invalid'
    : typeof value === 'string'
      ? 'string'
      : typeof value === 'boolean'
        ? 'bool'
        : 'float64';
}

interface ValueTarget {
  readonly selector?: Selector;
  readonly fieldPath?: string;
  readonly filePathPosition?: number;
}

const configureValueAdd: Configure<Transform> = (config, _yaml, { loader }) => {
  const read = decode<{ value?: string; targets?: readonly ValueTarget[]; targetFilePath?: string }>(config, VALUE_ADD);
  const trimmed = (read.value ?? '').trim();
  const value = trimmed === '' ? loader.root.slice(loader.root.lastIndexOf('/') + 1) : trimmed;
  const targets = [...(read.targets ?? [])];
  if (read.targetFilePath !== undefined && read.targetFilePath !== '') {
    const file =
      unmarshal(utf8Text(loader.load(read.targetFilePath)) ?? '', struct('', { targets: VALUE_TARGETS })) ?? {};
    targets.push(...((file as { targets?: readonly ValueTarget[] }).targets ?? []));
  }
  if (targets.length === 0) fail('must specify at least one target');
  for (const { fieldPath = '', filePathPosition = 0 } of targets) {
    if (fieldPath === '') fail('fieldPath cannot be empty');
    if (filePathPosition < 0) fail(`value of FilePathPosition (${filePathPosition}) cannot be negative`);
  }
  return (resources) => {
    for (const { selector, fieldPath = '', filePathPosition = 0 } of targets) {
      const selected = selector === undefined ? resources.list : resources.select(selector);
      for (const resource of selected) {
        if (fieldPath === 'metadata/namespace') addNamespace(resource, value);
        else addValue(resource, value, fieldPath, filePathPosition);
      }
    }
    resources.touch();
  };
};

function addNamespace(resource: Resource, value: string): void {
  if (resource.schemas.isClusterScoped(resource.apiVersion(), resource.kind())) return;
  applyFieldSpec(resource, fieldSpec({ path: 'metadata/namespace', create: true }), {
    set: setEntry('', value, STR_TAG),
    createKind: 'scalar',
  });
}

function addValue(resource: Resource, value: string, fieldPath: string, position: number): void {
  const steps: string[] = [];
  for (const step of fieldPath.split('/')) {
    const last = steps.at(-1);
    if (last?.endsWith('\\') === true) steps[steps.length - 1] = `${last.slice(0, -1)}/${step}`;
    else steps.push(step);
  }
  const node = lookup(resource.node, steps, 'scalar');
  if (node === undefined) return;
  requireKind(node, 'scalar');
  if (isNull(node)) return;
  setScalar(node, scalarNode(position > 0 ? insertPathPart(node.value, position - 1, value) : value));
}

/** Puts `part` into a path at a position, counted without the leading slash (kyaml filesys InsertPathPart). */
function insertPathPart(path: string, position: number, part: string): string {
  if (part === '') return path;
  const absolute = path.startsWith('/');
  const steps = path.split('/').filter((step) => step !== '');
  steps.splice(Math.min(position, steps.length), 0, part);
  return (absolute ? '/' : '') + steps.join('/');
}

const both =
  (...configures: readonly Configure<Transform>[]): Configure<Transform> =>
  (config, yaml, helpers) => {
    const transforms = configures.map((configure) => configure(config, yaml, helpers));
    return (resources: ResourceMap) => {
      for (const transform of transforms) transform(resources);
    };
  };

export const TRANSFORMERS: ReadonlyMap<string, Configure<Transform>> = new Map<string, Configure<Transform>>([
  ['AnnotationsTransformer', configureEntries(ANNOTATIONS, 'annotations')],
  ['LabelTransformer', configureEntries(LABELS, 'labels')],
  ['NamespaceTransformer', configureNamespace],
  ['PrefixTransformer', configureRename('prefix')],
  ['SuffixTransformer', configureRename('suffix')],
  ['PrefixSuffixTransformer', both(configureRename('prefix'), configureRename('suffix'))],
  [
    'PatchTransformer',
    (config, yaml, { loader, schemas }) => patchTransformer(decode<Patch>(config, PATCH), loader, schemas, yaml),
  ],
  [
    'PatchStrategicMergeTransformer',
    (config, _yaml, { loader, schemas }) => {
      const { paths = [], patches = '' } = decode<{ paths?: readonly string[]; patches?: string }>(config, MERGE);
      return mergeTransformer(paths, patches, loader, schemas);
    },
  ],
  ['PatchJson6902Transformer', (config, _yaml, { loader }) => json6902Transformer(decode(config, JSON_6902), loader)],
  [
    'ImageTagTransformer',
    (config) => {
      const { imageTag = {}, fieldSpecs } = decode<{ imageTag?: Image; fieldSpecs?: readonly ReadFieldSpec[] }>(
        config,
        IMAGES,
      );
      const specs = specsOf(fieldSpecs);
      return (resources) => applyImage(resources.list, imageTag, specs);
    },
  ],
  ['ReplicaCountTransformer', configureReplicas],
  ['ReplacementTransformer', configureReplacements],
  ['ValueAddTransformer', configureValueAdd],
  ['HashTransformer', (_config, _yaml, helpers) => (resources) => addHashes(resources, helpers.sha256)],
]);

/** Gives generated objects the names that their content asks for. */
export function addHashes(resources: ResourceMap, sha256: (bytes: Uint8Array) => string): void {
  let changed = false;
  for (const resource of resources.list) {
    if (!resource.needsHashSuffix()) continue;
    const hash = nameHash(resource, sha256);
    resource.storePreviousId();
    resource.setName(`${resource.name()}-${hash}`);
    changed = true;
  }
  if (changed) resources.touch();
}

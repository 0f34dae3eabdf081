import {
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
  stringAt,
  stringifyJson,
} from '../base/json.ts';
import type { KubeObject } from './object.ts';

/** A kind as Flux served it before v1. */
interface LegacyKind {
  /** Version that is served now. */
  readonly current: string;
  /** Versions that old releases served, newest first; `alpha` ones are only read in files. */
  readonly versions: readonly string[];
  /** Spec of an old version as the current one has it. */
  upgrade(spec: JsonObject): JsonObject;
  /** Schemas of the fields that only old versions have. */
  readonly fields: JsonObject;
}

const anyObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Source: kustomize-controller@1.7 api/v1beta2, @1.6 api/v1beta1; source-controller@1.7 api/v1beta2, @1.6 api/v1beta1. */
const LEGACY: Readonly<Record<string, LegacyKind>> = {
  'kustomize.toolkit.fluxcd.io/Kustomization': {
    current: 'v1',
    versions: ['v1beta2', 'v1beta1', 'v1alpha1'],
    upgrade: upgradeKustomization,
    fields: {
      patchesStrategicMerge: {
        description: 'Strategic merge patches; `patches` in v1.',
        type: 'array',
        items: anyObject,
      },
      patchesJson6902: {
        description: 'JSON 6902 patches; `patches` in v1.',
        type: 'array',
        items: {
          type: 'object',
          required: ['patch', 'target'],
          properties: { patch: { type: 'array', items: anyObject }, target: anyObject },
        },
      },
      validation: {
        description: 'Without effect: objects are always validated by the API server.',
        type: 'string',
        enum: ['none', 'client', 'server'],
      },
    },
  },
  'source.toolkit.fluxcd.io/GitRepository': {
    current: 'v1',
    versions: ['v1beta2', 'v1beta1', 'v1alpha1'],
    upgrade: (spec) => without(spec, ['gitImplementation', 'accessFrom']),
    fields: {
      gitImplementation: {
        description: 'Without effect: there is one implementation.',
        type: 'string',
        enum: ['go-git', 'libgit2'],
      },
      accessFrom: { description: 'Without effect, as in every release of Flux.', ...anyObject },
    },
  },
};

/** Old versions of a kind that a cluster can serve beside the current one, and the fields that only they have. */
export function servedBefore(group: string, kind: string): Pick<LegacyKind, 'versions' | 'fields'> | undefined {
  const legacy = LEGACY[`${group}/${kind}`];
  if (legacy === undefined) return undefined;
  return { fields: legacy.fields, versions: legacy.versions.filter((version) => !version.includes('alpha')) };
}

/**
 * An object that is written in a version which Flux no longer serves, in the one that it does; undefined when there is nothing to
 * change. Nothing that had an effect is lost.
 */
export function upgraded(object: KubeObject): KubeObject | undefined {
  const [group = '', version = ''] = object.apiVersion.split('/');
  const legacy = LEGACY[`${group}/${object.kind}`];
  if (legacy === undefined || !legacy.versions.includes(version)) return undefined;
  const { spec } = object;
  return {
    ...object,
    apiVersion: `${group}/${legacy.current}`,
    ...(isObject(spec) ? { spec: legacy.upgrade(spec) } : {}),
  };
}

/** kustomize applies strategic merge patches first and JSON 6902 patches last: `patches` keeps that order. */
function upgradeKustomization(spec: JsonObject): JsonObject {
  const list = (key: string): readonly Json[] => {
    const value = field(spec, key);
    return isArray(value) ? value : [];
  };
  const patches: Json[] = [
    ...list('patchesStrategicMerge').map((patch) => ({ patch: stringifyJson(patch) })),
    ...list('patches'),
    ...list('patchesJson6902').map((patch) => ({
      patch: stringifyJson(field(patch, 'patch') ?? []),
      target: field(patch, 'target') ?? {},
    })),
  ];
  const account = stringAt(spec, 'serviceAccount', 'name');
  const rest = without(spec, ['patchesStrategicMerge', 'patchesJson6902', 'validation', 'serviceAccount', 'patches']);
  return {
    ...rest,
    ...(patches.length === 0 ? {} : { patches }),
    ...(account === undefined || field(spec, 'serviceAccountName') !== undefined
      ? {}
      : { serviceAccountName: account }),
  };
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(object)) if (!names.includes(key)) put(out, key, object[key] as Json);
  return out;
}

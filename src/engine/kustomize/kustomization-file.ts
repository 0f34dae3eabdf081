import type { Json, JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { printYaml } from '../yaml/print.ts';
import { KustomizeFailure } from './failure.ts';
import { type GoType, goEncode } from './go-decode.ts';
import { fixKustomization, KUSTOMIZATION, type Kustomization, readKustomization } from './kustomization-type.ts';

/** Fields in the order in which new ones are written (kustomize commands/internal/kustfile). */
const FIELD_ORDER: readonly (keyof Kustomization)[] = [
  'apiVersion',
  'kind',
  'metadata',
  'sortOptions',
  'resources',
  'bases',
  'namePrefix',
  'nameSuffix',
  'namespace',
  'crds',
  'commonLabels',
  'labels',
  'commonAnnotations',
  'patchesStrategicMerge',
  'patchesJson6902',
  'patches',
  'configMapGenerator',
  'secretGenerator',
  'helmCharts',
  'helmChartInflationGenerator',
  'helmGlobals',
  'generatorOptions',
  'vars',
  'images',
  'replacements',
  'replicas',
  'configurations',
  'generators',
  'transformers',
  'validators',
  'components',
  'openapi',
  'buildMetadata',
];

interface WrittenField {
  readonly field: keyof Kustomization;
  /** Comments and blank lines that are printed before it. */
  readonly comment: string;
}

/** A kustomization file that is to be changed: what it says, and how it was written. */
export interface KustomizationFile {
  readonly kustomization: Kustomization;
  readonly written: readonly WrittenField[];
}

/** Reads a kustomization file for editing; old fields are moved to those that replaced them. The error is kustomize's. */
export function parseKustomizationFile(text: string): Result<KustomizationFile, string> {
  try {
    return ok({ kustomization: fixKustomization(readKustomization(text)), written: writtenFields(text) });
  } catch (failure) {
    if (failure instanceof KustomizeFailure) return err(failure.message);
    throw failure;
  }
}

function writtenFields(text: string): readonly WrittenField[] {
  const found: { field: keyof Kustomization; comment: string }[] = [];
  let comments = '';
  // The last line counts only when it ends with a line break.
  for (const line of text.split('\n').slice(0, -1)) {
    const trimmed = line.replace(/^ +/, '');
    if (trimmed === '' || trimmed.startsWith('#')) {
      comments += `${line}\n`;
      continue;
    }
    const name = /^[A-Za-z0-9]+(?=:)/.exec(line)?.[0].toLowerCase();
    const field = FIELD_ORDER.find((one) => one.toLowerCase() === name);
    const last = found.at(-1);
    if (field !== undefined) {
      found.push({ field, comment: comments });
      comments = '';
    } else if (comments !== '' && last !== undefined) {
      last.comment += comments;
      comments = '';
    }
  }
  return found;
}

/** The file's new text: fields in the order of the old, its comments before them, new fields behind. */
export function printKustomizationFile({ kustomization, written }: KustomizationFile): string {
  const before = new Set(written.map(({ field }) => field));
  return [
    ...written.map(({ field, comment }) => comment + printField(field, kustomization)),
    ...FIELD_ORDER.filter((field) => !before.has(field)).map((field) => printField(field, kustomization)),
  ].join('');
}

function printField(field: keyof Kustomization, kustomization: Kustomization): string {
  const value = kustomization[field] as Json | undefined;
  if (value === undefined || value === '') return '';
  if (Array.isArray(value) && value.length === 0) return '';
  const type = (KUSTOMIZATION as GoType & { t: 'struct' }).fields()[field] as GoType;
  const encoded = goEncode(value, type);
  if (type.t === 'map' && Object.keys(encoded as JsonObject).length === 0) return '';
  return printYaml({ [field]: encoded });
}

/** Moves the fields that `kustomize edit fix` moves. @param isFile whether an entry of patchesStrategicMerge names a file */
export function modernize(k: Kustomization, isFile: (path: string) => boolean): Result<Kustomization, string> {
  const { patchesJson6902 = [], patchesStrategicMerge = [], commonLabels = {}, ...rest } = k;
  const patches = [
    ...(k.patches ?? []),
    ...patchesJson6902,
    ...patchesStrategicMerge.map((entry) => (isFile(entry) ? { path: entry } : { patch: entry })),
  ];
  const labels = [...(k.labels ?? [])];
  if (Object.keys(commonLabels).length > 0) {
    for (const { pairs = {} } of labels) {
      for (const name of Object.keys(pairs)) {
        if (Object.hasOwn(commonLabels, name))
          return err(`label name '${name}' exists in both commonLabels and labels`);
      }
    }
    labels.push({ pairs: commonLabels, includeSelectors: true });
  }
  return ok({ ...rest, ...(patches.length > 0 && { patches }), ...(labels.length > 0 && { labels }) });
}

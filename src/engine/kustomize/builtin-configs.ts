import type { Json, JsonObject } from '../../base/json.ts';
import { wrapped } from './failure.ts';
import { goEncode } from './go-decode.ts';
import { IMAGE, type Kustomization, PATCH, REPLACEMENT_LIST } from './kustomization-type.ts';
import { type FieldSpec, fieldSpec, mergeFieldSpecs, type TransformerConfig } from './transformer-config.ts';

/** A built-in transformer, configured as its plugin would be. */
export interface BuiltinConfig {
  readonly kind: string;
  readonly config: JsonObject;
}

/** The transformers that the fields of `k` ask for, in the order in which they run (kusttarget_configplugin.go). */
export function builtinConfigs(k: Kustomization, config: TransformerConfig): readonly BuiltinConfig[] {
  const out: BuiltinConfig[] = [];
  const add = (kind: string, plugin: object): void => {
    out.push({ kind, config: plugin as JsonObject });
  };
  if ((k.patchesStrategicMerge ?? []).length > 0)
    add('PatchStrategicMergeTransformer', { paths: k.patchesStrategicMerge });
  for (const patch of k.patches ?? []) add('PatchTransformer', goEncode(patch as Json, PATCH) as JsonObject);
  if ((k.namespace ?? '') !== '') {
    add('NamespaceTransformer', { FieldSpecs: specsJson(config.namespace), metadata: { namespace: k.namespace } });
  }
  if ((k.namePrefix ?? '') !== '') {
    add('PrefixTransformer', { prefix: k.namePrefix, fieldSpecs: specsJson(config.namePrefix) });
  }
  if ((k.nameSuffix ?? '') !== '') {
    add('SuffixTransformer', { suffix: k.nameSuffix, fieldSpecs: specsJson(config.nameSuffix) });
  }
  for (const label of k.labels ?? []) {
    const specs = wrapped('failed to merge labels', () => labelSpecs(label, config));
    add('LabelTransformer', { FieldSpecs: specsJson(specs), Labels: label.pairs ?? null });
  }
  // Kustomize also configures (and records) the transformer of commonLabels when there are only labels.
  if ((k.labels ?? []).length > 0 || Object.keys(k.commonLabels ?? {}).length > 0) {
    add('LabelTransformer', { FieldSpecs: specsJson(config.commonLabels), Labels: k.commonLabels ?? null });
  }
  if (Object.keys(k.commonAnnotations ?? {}).length > 0) {
    add('AnnotationsTransformer', {
      Annotations: k.commonAnnotations,
      FieldSpecs: specsJson(config.commonAnnotations),
    });
  }
  for (const { path, patch, target } of k.patchesJson6902 ?? []) {
    add('PatchJson6902Transformer', {
      ...(target !== undefined && { target }),
      ...((path ?? '') !== '' && { path }),
      ...((patch ?? '') !== '' && { jsonOp: patch }),
    });
  }
  for (const replica of k.replicas ?? []) {
    add('ReplicaCountTransformer', { FieldSpecs: specsJson(config.replicas), Replica: replica });
  }
  for (const image of k.images ?? []) {
    add('ImageTagTransformer', { FieldSpecs: specsJson(config.images), ImageTag: goEncode(image as Json, IMAGE) });
  }
  if ((k.replacements ?? []).length > 0) {
    add('ReplacementTransformer', { Replacements: goEncode(k.replacements as Json, REPLACEMENT_LIST) });
  }
  return out;
}

const LABELS_FIELD = fieldSpec({ path: 'metadata/labels', create: true });

function labelSpecs(
  label: NonNullable<Kustomization['labels']>[number],
  config: TransformerConfig,
): readonly FieldSpec[] {
  let specs = mergeFieldSpecs((label.fields ?? []).map(fieldSpec), config.labels);
  if (label.includeSelectors === true) return mergeFieldSpecs(specs, config.commonLabels);
  if (label.includeTemplates === true) {
    const before = specs;
    specs = wrapped('failed to merge template fieldSpec', () => mergeFieldSpecs(before, config.templateLabels));
  }
  return mergeFieldSpecs(specs, [LABELS_FIELD]);
}

function specsJson(specs: readonly FieldSpec[]): readonly Json[] {
  return specs.map(({ group, version, kind, path, create }) => ({
    ...(create && { create }),
    ...(group !== '' && { group }),
    ...(kind !== '' && { kind }),
    ...(path !== '' && { path }),
    ...(version !== '' && { version }),
  }));
}

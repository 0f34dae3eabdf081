import { utf8Text } from '../../base/files.ts';
import { goJson } from '../../base/go-json.ts';
import { parseJson } from '../../base/json.ts';
import { jsonSyntaxError } from '../../base/json-syntax.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { fail, KustomizeFailure, withPrefix } from './failure.ts';
import { applyJsonPatch, asOperations, decodeJsonPatch, type JsonPatch, patchJson } from './json-patch.ts';
import { goList } from './key-values.ts';
import type { Patch, Selector } from './kustomization-type.ts';
import type { Loader } from './load.ts';
import { readResources } from './read-resources.ts';
import type { Resource } from './resource.ts';
import { printId } from './resource-id.ts';
import type { ResourceMap } from './resource-map.ts';
import type { SchemaStore } from './schema.ts';

export type Transform = (resources: ResourceMap) => void;

function loadText(loader: Loader, path: string): string {
  return utf8Text(loader.load(path)) ?? '';
}

/** The transformer of one entry of `patches`. @param config its configuration as YAML, for messages. @throws KustomizeFailure */
export function patchTransformer(patch: Patch, loader: Loader, schemas: SchemaStore, config: string): Transform {
  const inline = (patch.patch ?? '').trim();
  const path = patch.path ?? '';
  if (inline === '' && path === '') fail(`must specify one of patch and path in\n${config}`);
  if (inline !== '' && path !== '') fail(`patch and path can't be set at the same time\n${config}`);
  let text = inline;
  if (path !== '') {
    try {
      text = loadText(loader, path);
    } catch (failure) {
      throw withPrefix(`failed to get the patch file from path(${path})`, failure);
    }
  }
  const source = path === '' ? `[patch: ${quoted(text)}]` : `[path: ${quoted(path)}]`;
  const merges = attempt(() => readResources(text, schemas));
  const operations = attempt(() => jsonOperations(text));
  if (merges.ok && operations.ok && merges.value.length > 0 && operations.value.length > 0) {
    fail(`illegally qualifies as both an SM and JSON patch: ${source}`);
  }
  if (!merges.ok && !operations.ok) fail(`unable to parse SM or JSON patch from ${source}`);
  if (merges.ok) {
    for (const one of merges.value) {
      if (patch.options?.allowNameChange === true) one.allowNameChange();
      if (patch.options?.allowKindChange === true) one.allowKindChange();
    }
    return (resources) => applyMerges(resources, merges.value, patch.target, source);
  }
  const list = operations.ok ? operations.value : [];
  return (resources) => {
    const { target } = patch;
    if (target === undefined) fail(`must specify a target for JSON patch ${source}`);
    for (const resource of resources.select(target)) {
      resource.storePreviousId();
      patchKeepingAnnotations(resource, list);
    }
    resources.touch();
  };
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: KustomizeFailure };

function attempt<T>(act: () => T): Attempt<T> {
  try {
    return { ok: true, value: act() };
  } catch (failure) {
    if (failure instanceof KustomizeFailure) return { ok: false, failure };
    throw failure;
  }
}

/** Text that begins with a bracket must be JSON; all else may be YAML. */
function jsonOperations(text: string): JsonPatch {
  if (text === '') return fail('empty json patch operations');
  if (!text.startsWith('[')) return decodeJsonPatch(text);
  try {
    return asOperations(parseJson(text));
  } catch (failure) {
    if (failure instanceof SyntaxError || failure instanceof RangeError) return fail(jsonSyntaxError(text));
    throw failure;
  }
}

function printSelector({
  group = '',
  version = '',
  kind = '',
  name = '',
  namespace = '',
  ...selector
}: Selector): string {
  const id = printId({ group, version, kind, name, namespace });
  return `${id}:a=${selector.annotationSelector ?? ''}:l=${selector.labelSelector ?? ''}`;
}

function applyMerges(
  resources: ResourceMap,
  patches: readonly Resource[],
  target: Selector | undefined,
  source: string,
): void {
  if (target !== undefined) {
    if (patches.length > 1) {
      fail(
        `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${source}`,
      );
    }
    const [patch] = patches;
    let selected: readonly Resource[];
    try {
      selected = resources.select(target);
    } catch (failure) {
      throw withPrefix(`unable to find patch target ${quoted(printSelector(target))} in \`resources\``, failure);
    }
    if (patch !== undefined) applyToAll(resources, selected, patch);
    return;
  }
  for (const patch of patches) {
    const id = patch.originalId();
    let resource: Resource | undefined;
    try {
      resource = resources.byIdIfMade(id);
    } catch (failure) {
      throw withPrefix(`no resource matches strategic merge patch ${quoted(printId(id))}`, failure);
    }
    if (resource !== undefined) applyToOne(resources, resource, patch.copy());
  }
}

function applyToOne(resources: ResourceMap, resource: Resource, patch: Resource): void {
  const before = resource.idKey();
  const changes = patch.mayChangeName() || patch.mayChangeKind();
  resource.applyStrategicMerge(patch);
  if (changes || resource.isNilOrEmpty() || resource.idKey() !== before) resources.touch();
}

/** Patches the selected resources with copies that have their name and kind; empty ones are dropped (resmap ApplySmPatch). */
function applyToAll(resources: ResourceMap, selected: readonly Resource[], patch: Resource): void {
  const kind = patch.kind();
  const chosen = new Set(selected);
  for (const resource of resources.list) {
    if (!chosen.has(resource)) continue;
    const copy = patch.copy();
    copy.copyMergeMetadata(patch);
    copy.setGvk(resource.gvk());
    copy.setKind(kind);
    resource.applyStrategicMerge(copy);
  }
  const { list } = resources;
  resources.list = [];
  resources.touch();
  resources.appendAll(list.filter((resource) => !resource.isNilOrEmpty()));
}

/** The transformer of `patchesStrategicMerge`: files or inline patches, each for the one resource of its name. */
export function mergeTransformer(
  paths: readonly string[],
  inline: string,
  loader: Loader,
  schemas: SchemaStore,
): Transform {
  if (paths.length === 0 && inline === '') fail('empty file path and empty patch content');
  const patches: Resource[] = [];
  for (const path of paths) {
    const direct = attempt(() => readResources(path, schemas));
    if (direct.ok) {
      patches.push(...direct.value);
      continue;
    }
    const content = loader.load(path);
    try {
      patches.push(...readResources(content, schemas));
    } catch (failure) {
      if (failure instanceof KustomizeFailure && failure.code === 'yaml') {
        throw new KustomizeFailure(`${failure.message} in File: ${path}`, 'yaml');
      }
      throw failure;
    }
  }
  if (inline !== '') patches.push(...readResources(inline, schemas));
  if (patches.length === 0) fail(`patch appears to be empty; files=${goList(paths)}, Patch=${inline}`);
  return (resources) => {
    for (const patch of patches) {
      const resource = resources.byIdIfMade(patch.originalId());
      if (resource !== undefined) applyToAll(resources, [resource], patch);
    }
  };
}

/** The transformer of one entry of `patchesJson6902`. */
export function json6902Transformer(
  { target, path = '', jsonOp = '' }: { readonly target?: Selector; readonly path?: string; readonly jsonOp?: string },
  loader: Loader,
): Transform {
  if (target === undefined || (target.name ?? '') === '') fail('must specify the target name');
  if (path === '' && jsonOp === '') fail('empty file path and empty jsonOp');
  let text = jsonOp;
  if (path !== '') {
    if (jsonOp !== '') fail('must specify a file path or jsonOp, not both');
    text = loadText(loader, path);
    if (text === '') fail(`patch file '${path}' empty seems to be empty`);
  }
  const shown = text.startsWith('[') ? text : goJson(patchJson(text));
  let operations: JsonPatch;
  try {
    operations = jsonOperations(text);
  } catch (failure) {
    throw withPrefix(`decoding ${shown}`, failure);
  }
  if (operations.length === 0) fail(`patch appears to be empty; file=${path}, JsonOp=${shown}`);
  return (resources) => {
    for (const resource of resources.select(target)) patchKeepingAnnotations(resource, operations);
    resources.touch();
  };
}

/** What the engine notes in annotations survives a patch that removes them. */
function patchKeepingAnnotations(resource: Resource, operations: JsonPatch): void {
  const internal = resource.internalAnnotations();
  applyJsonPatch(resource, operations);
  const annotations = resource.annotations();
  for (const [name, value] of internal) annotations.set(name, value);
  resource.setAnnotations(annotations);
}

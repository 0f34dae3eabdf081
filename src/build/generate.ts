import type { KustomizationSpec } from '../api/kinds/kustomization.ts';
import { cleanPath, type FileTree, realPath, utf8Bytes, utf8Text } from '../base/files.ts';
import { field, isArray, type Json, type JsonObject, type MutableJsonObject, put } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { KustomizeCache } from '../engine/kustomize/cache.ts';
import { decodeKustomization } from '../engine/kustomize/kustomization-type.ts';
import { resourcesProblem } from '../engine/kustomize/read-resources.ts';
import { printYamlError } from '../engine/yaml/error.ts';
import { parseYaml } from '../engine/yaml/parse.ts';
import { printYaml } from '../engine/yaml/print.ts';

/** The part of a Kustomization's spec that shapes the kustomization file. */
export type GenerateSpec = Pick<
  KustomizationSpec,
  | 'buildMetadata'
  | 'components'
  | 'ignoreMissingComponents'
  | 'images'
  | 'namePrefix'
  | 'nameSuffix'
  | 'patches'
  | 'targetNamespace'
> & {
  /** Fields of versions before v1. */
  readonly patchesStrategicMerge?: readonly JsonObject[];
  readonly patchesJson6902?: readonly JsonObject[];
};

export interface Generated {
  /** `created` when the folder held none; `unchanged` (Flux's word) when its own was edited. */
  readonly action: 'created' | 'unchanged';
  /** Path of the kustomization file. */
  readonly file: string;
  readonly text: string;
}

/** Names of a kustomization file, in order of preference. */
const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
/** Files and folders of one tree that are looked at; far above what any repository holds, below what would hold up the engine. */
const MAX_ENTRIES = 100_000;

/**
 * Makes the kustomization file that a build of `directory` (a path of `files`, links followed) begins with: the one that is there or one
 * that lists every manifest, with the spec's changes. `rootPath` stands for the tree's root in messages; `ignored` tells paths
 * that ignore rules exclude; `cache` spares the build parsing again what is checked here. Source: fluxcd/pkg@e2cfd1a kustomize/kustomize_generator.go.
 */
export function generateKustomization(
  files: FileTree,
  directory: string,
  spec: GenerateSpec,
  rootPath: string,
  ignored: (path: string, isDirectory: boolean) => boolean = () => false,
  cache?: KustomizeCache,
): Result<Generated, string> {
  for (const component of spec.components ?? []) {
    if (component.startsWith('/') || /^[a-z][a-z0-9+.-]*:/i.test(component)) {
      return err(`component path '${component}' must be local and relative`);
    }
  }
  const existing = kustomizationFile(files, directory);
  let start: JsonObject;
  if (existing === undefined) {
    const file = `${rootPath}/${join(directory, 'kustomization.yaml')}`;
    // Flux cannot write its file there, nor take it away again.
    if (files.kind(directory) === 'file') return err(`open ${file}: not a directory remove ${file}: not a directory`);
    if (files.kind(directory) !== 'directory') {
      return err(`lstat ${rootPath}/${directory}: no such file or directory`);
    }
    const resources: string[] = [];
    const scanned = scan(files, directory, { rootPath, ignored, resources, cache, budget: { left: MAX_ENTRIES } });
    if (!scanned.ok) return scanned;
    start = { resources: resources.map((path) => `./${path.slice(directory === '' ? 0 : directory.length + 1)}`) };
  } else {
    const read = readExisting(files, existing);
    if (!read.ok) return read;
    start = { ...read.value };
    const resources = field(start, 'resources');
    if (isArray(resources)) {
      const kept = resources.filter((item) => typeof item !== 'string' || !isIgnored(files, directory, item, ignored));
      start = { ...start, resources: kept };
    }
  }
  const text = printYaml(edited(files, directory, start, spec));
  return ok({
    action: existing === undefined ? 'created' : 'unchanged',
    file: existing ?? join(directory, 'kustomization.yaml'),
    text,
  });
}

/** The tree with another text at one path. */
export function withFile(files: FileTree, path: string, text: string): FileTree {
  const slash = path.lastIndexOf('/');
  const parent = slash < 0 ? '' : path.slice(0, slash);
  const name = path.slice(slash + 1);
  return {
    kind: (at) => (at === path ? 'file' : files.kind(at)),
    read: (at) => (at === path ? utf8Bytes(text) : files.read(at)),
    list: (at) => {
      const names = files.list(at);
      return at !== parent || names.includes(name) ? names : [...names, name].sort();
    },
    realPath: (at) => (at === path ? path : realPath(files, at)),
  };
}

/** The tree with other contents at some of its files (paths with links followed). */
export function withFiles(files: FileTree, contents: ReadonlyMap<string, Uint8Array>): FileTree {
  if (contents.size === 0) return files;
  return {
    kind: (at) => files.kind(at),
    read: (at) => contents.get(at) ?? files.read(at),
    list: (at) => files.list(at),
    realPath: (at) => realPath(files, at),
  };
}

/** Path of the kustomization file of a folder. */
export function kustomizationFile(files: FileTree, directory: string): string | undefined {
  return NAMES.map((name) => join(directory, name)).find((path) => isFile(files, path));
}

function isFile(files: FileTree, path: string): boolean {
  const real = realPath(files, path);
  return real !== undefined && files.kind(real) === 'file';
}

interface Scan {
  readonly rootPath: string;
  readonly ignored: (path: string, isDirectory: boolean) => boolean;
  readonly resources: string[];
  readonly cache: KustomizeCache | undefined;
  readonly budget: { left: number };
}

/** Collects manifests below a folder, in order of names; a folder with its own kustomization counts as one. */
function scan(files: FileTree, directory: string, state: Scan): Result<void, string> {
  for (const name of files.list(directory)) {
    const path = join(directory, name);
    if (--state.budget.left < 0) return err(`more than ${MAX_ENTRIES} files in ${state.rootPath}/${directory}`);
    // Like a walk of the disk: links are seen as files, never as folders.
    const isDirectory = files.kind(path) === 'directory';
    if (state.ignored(path, isDirectory)) continue;
    if (isDirectory) {
      if (kustomizationFile(files, path) !== undefined) state.resources.push(path);
      else {
        const below = scan(files, path, state);
        if (!below.ok) return below;
      }
      continue;
    }
    if (!/\.ya?ml$/.test(name)) continue;
    const real = realPath(files, path);
    const bytes = real === undefined ? undefined : files.read(real);
    if (bytes === undefined) return err(`open ${state.rootPath}/${path}: no such file or directory`);
    const problem = resourcesProblem(bytes, state.cache);
    if (problem !== undefined) {
      return err(`failed to decode Kubernetes YAML from ${state.rootPath}/${path}: ${problem}`);
    }
    state.resources.push(path);
  }
  return ok(undefined);
}

function isIgnored(
  files: FileTree,
  directory: string,
  resource: string,
  ignored: (path: string, isDirectory: boolean) => boolean,
): boolean {
  const path = cleanPath(`${directory}/${resource}`);
  return path !== undefined && ignored(path, files.kind(path) === 'directory');
}

function readExisting(files: FileTree, path: string): Result<JsonObject, string> {
  const bytes = files.read(realPath(files, path) ?? path);
  const parsed = parseYaml(utf8Text(bytes ?? new Uint8Array()) ?? '');
  if (!parsed.ok) return err(`error converting YAML to JSON: ${printYamlError(parsed.error)}`);
  // Fields that kustomize does not know are dropped, as reading into its type does.
  return decodeKustomization(parsed.value);
}

function edited(files: FileTree, directory: string, start: JsonObject, spec: GenerateSpec): JsonObject {
  const out: MutableJsonObject = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    ...start,
  };
  const list = (key: string): readonly Json[] => {
    const value = field(start, key);
    return isArray(value) ? value : [];
  };
  if (spec.targetNamespace !== undefined) out['namespace'] = spec.targetNamespace;
  if (spec.namePrefix !== undefined) out['namePrefix'] = spec.namePrefix;
  if (spec.nameSuffix !== undefined) out['nameSuffix'] = spec.nameSuffix;
  out['patches'] = [
    ...list('patches'),
    ...(spec.patches ?? []).map(({ patch, target }) => withoutEmpty({ patch, target: (target ?? {}) as JsonObject })),
  ];
  out['patchesStrategicMerge'] = [
    ...list('patchesStrategicMerge'),
    ...(spec.patchesStrategicMerge ?? []).map((patch) => JSON.stringify(patch)),
  ];
  out['patchesJson6902'] = [
    ...list('patchesJson6902'),
    ...(spec.patchesJson6902 ?? []).map((patch) => ({
      patch: JSON.stringify(field(patch, 'patch')),
      target: (field(patch, 'target') ?? {}) as JsonObject,
    })),
  ];
  out['components'] = [
    ...list('components'),
    ...(spec.components ?? []).filter(
      (component) =>
        spec.ignoreMissingComponents !== true || kindOf(files, cleanPath(`${directory}/${component}`)) === 'directory',
    ),
  ];
  out['images'] = mergeImages(list('images'), spec.images ?? []);
  if (spec.buildMetadata !== undefined) out['buildMetadata'] = [...spec.buildMetadata];
  // kustomize refuses a file that does nothing; this makes it one that does.
  if (!hasContent(out)) out['buildMetadata'] = ['originAnnotations'];
  return withoutEmpty(out);
}

function hasContent(kustomization: JsonObject): boolean {
  const resources = field(kustomization, 'resources');
  const metadata = field(kustomization, 'buildMetadata');
  return (isArray(resources) && resources.length > 0) || (isArray(metadata) && metadata.length > 0);
}

function kindOf(files: FileTree, path: string | undefined): string | undefined {
  const real = path === undefined ? undefined : realPath(files, path);
  return real === undefined ? undefined : files.kind(real);
}

/** An image of the spec changes the one of the same name; what it leaves open stays. */
function mergeImages(existing: readonly Json[], changes: NonNullable<GenerateSpec['images']>): readonly Json[] {
  const images = [...existing];
  for (const { name, newName, newTag, digest } of changes) {
    const index = images.findIndex((image) => field(image, 'name') === name);
    const existingImage = index < 0 ? {} : (images[index] as JsonObject);
    // A digest takes the place of a tag.
    const before: JsonObject = digest === undefined ? existingImage : { ...existingImage, newTag: '' };
    const image = withoutEmpty({
      ...before,
      name,
      ...(newName === undefined ? {} : { newName }),
      ...(newTag === undefined ? {} : { newTag }),
      ...(digest === undefined ? {} : { digest }),
    });
    if (index < 0) images.push(image);
    else images[index] = image;
  }
  return images;
}

/** Without fields that Go leaves out when empty. */
function withoutEmpty(object: JsonObject): JsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(object)) {
    const value = object[key] as Json | undefined;
    if (value === undefined || value === null || value === '' || value === false) continue;
    if (typeof value === 'object' && Object.keys(value).length === 0) continue;
    put(out, key, value);
  }
  return out;
}

export function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

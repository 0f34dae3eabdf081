import type { KubeObject } from '../../api/object.ts';
import type { FileTree } from '../../base/files.ts';
import { isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { printYaml } from '../yaml/print.ts';
import { BuildTrack } from './build-track.ts';
import { KustomizeCache } from './cache.ts';
import { fail, KustomizeFailure, Panic, Pending, withPrefix } from './failure.ts';
import { Layers, untouched } from './layers.ts';
import { Loader, type RemoteContent } from './load.ts';
import { ORIGIN_ANNOTATION, TRANSFORMATIONS_ANNOTATION } from './origin.ts';
import { type BuildRecord, changedFiles, type Observations, observed } from './rebuild.ts';
import { goSyntax, type Resource } from './resource.ts';
import { SchemaStore } from './schema.ts';
import { sortResources } from './sort-order.ts';
import { Target } from './target.ts';
import { fieldSpec } from './transformer-config.ts';
import { setEntries } from './transformers.ts';

/** A chart that a kustomization wants rendered, and where its files are. */
export interface ChartRequest {
  /** The entry of `helmCharts`, with the kustomization's namespace and `helmGlobals`. */
  readonly chart: JsonObject;
  readonly files: FileTree;
  /** Directory of the kustomization in `files`. */
  readonly directory: string;
}

export interface BuildOptions {
  /** `rootOnly` (the default) refuses files outside a kustomization's own directory. */
  readonly loadRestrictor?: 'rootOnly' | 'none';
  /** Order of the output where the kustomization says none: by kind (`legacy`, the default), or as accumulated. */
  readonly reorder?: 'none' | 'legacy';
  readonly addManagedByLabel?: boolean;
  /** Renders charts to manifests; without it a kustomization with charts is refused. */
  readonly helm?: (request: ChartRequest) => Result<string, string>;
  /** Absolute path where the tree lies, for messages; '' where it is the file system's own root. */
  readonly rootPath?: string;
  /** The directory as the user named it, for messages. */
  readonly shownDirectory?: string;
  /** SHA-256 of bytes, in lower-case hex: names of generated objects carry it. */
  readonly sha256: (bytes: Uint8Array) => string;
  /** What earlier builds read: with it, a build parses only the files that changed. */
  readonly cache?: KustomizeCache;
  /** Content of a URL that a kustomization names, if it was fetched already; without it such URLs are refused. */
  readonly remote?: (url: string) => RemoteContent | undefined;
}

export interface KustomizeError {
  /**
   * `remote`: `urls` must be fetched first, see {@link BuildOptions.remote}. `regexp`: RE2 must be loaded first; never from
   * `buildKustomization`.
   */
  readonly code: 'build' | 'remote' | 'regexp';
  /** As kustomize words it, without `Error: `. */
  readonly message: string;
  readonly urls?: readonly string[];
  /** Lines that kustomize writes to stderr before it fails. */
  readonly warnings: readonly string[];
}

export interface BuildOutput {
  /** What `kustomize build` prints. */
  readonly yaml: string;
  readonly objects: readonly KubeObject[];
  /** Lines that kustomize writes to stderr. */
  readonly warnings: readonly string[];
  /** Paths in the tree of the files that were read, sorted. */
  readonly filesRead: readonly string[];
}

/** Text that one build remembers, in case another overlay reads it again: bases are small. */
const MAX_BUILD_CHARS = 256 * 1024;

/** Version that the managed-by label names: the kustomize whose output this is. */
export const KUSTOMIZE_VERSION = 'v5.8.1';

/**
 * Builds the kustomization in `directory` of `files`. Error code `regexp`: it holds a regular expression that needs RE2, which the
 * caller has to load first, see {@link useRegexps}.
 */
export function runBuild(
  files: FileTree,
  directory: string,
  options: BuildOptions,
): Result<BuildOutput, KustomizeError> {
  const { cache } = options;
  if (cache === undefined) return runWhole(files, directory, options, new BuildTrack());
  const key = buildKey(directory, options);
  const before = cache.build(key);
  const changed = before === undefined ? undefined : changedFiles(before.seen, files);
  const again =
    before === undefined || changed === undefined ? undefined : runPart(before, changed, files, directory, options);
  if (again !== undefined) {
    if (again !== before) cache.keepBuild(key, again);
    return ok(outputOf(again));
  }
  const { files: watched, seen } = observed(files);
  if (before !== undefined && changed !== undefined) {
    const track = new BuildTrack();
    const layers = new Layers(track, before.layers, changed);
    const result = runWhole(watched, directory, options, track, layers);
    if (!layers.reused || (result.ok && track.repeatable)) {
      // What the layers asked of the files when they were made still has the same answers.
      if (layers.reused) addObservations(seen, before.seen, changed, files);
      const record = result.ok && track.repeatable ? recordOf(result.value, track, seen, layers, before) : undefined;
      cache.keepBuild(key, record);
      return result.ok && record !== undefined ? ok(outputOf(record)) : result;
    }
  }
  const track = new BuildTrack();
  const layers = new Layers(track);
  const result = runWhole(watched, directory, options, track, layers);
  cache.keepBuild(key, result.ok && track.repeatable ? recordOf(result.value, track, seen, layers) : undefined);
  return result;
}

/** What shapes a build that succeeds, but its files: where the tree lies is only in messages. */
function buildKey(directory: string, { loadRestrictor, reorder, addManagedByLabel }: BuildOptions): string {
  return JSON.stringify([directory, loadRestrictor, reorder, addManagedByLabel]);
}

function runWhole(
  files: FileTree,
  directory: string,
  options: BuildOptions,
  track: BuildTrack,
  layers?: Layers,
): Result<WholeOutput, KustomizeError> {
  const warnings: string[] = [];
  const filesRead = new Set<string>();
  try {
    const made = run(files, directory, options, { warnings, filesRead, track, layers });
    const objects = made.map(({ object }) => object);
    const printed: (string | undefined)[] = objects.map(() => undefined);
    const sources = made.map(({ resource }) => track.sourceOf(resource));
    return ok({ ...outputOf({ objects, printed, warnings, filesRead }), printed, sources });
  } catch (failure) {
    if (failure instanceof Pending)
      return err({ code: failure.code, message: failure.message, urls: failure.urls, warnings });
    if (failure instanceof KustomizeFailure) return err({ code: 'build', message: failure.message, warnings });
    // In the words of fluxcd/pkg kustomize Build: kustomize prints where it was, and leaves.
    if (failure instanceof Panic)
      return err({ code: 'build', message: `recovered from kustomize build panic: ${failure.message}`, warnings });
    throw failure;
  }
}

interface WholeOutput extends BuildOutput {
  readonly printed: (string | undefined)[];
  readonly sources: readonly string[];
}

function outputOf({
  objects,
  printed,
  warnings,
  filesRead,
}: Pick<BuildRecord, 'objects' | 'printed' | 'warnings' | 'filesRead'>): BuildOutput {
  let yaml: string | undefined;
  return {
    objects,
    warnings,
    filesRead: [...filesRead].sort(),
    get yaml(): string {
      yaml ??= objects
        .map((object, index) => {
          const text = printed[index] ?? printYaml(object as unknown as JsonObject);
          printed[index] = text;
          return text;
        })
        .join('---\n');
      return yaml;
    },
  };
}

function recordOf(
  output: WholeOutput,
  track: BuildTrack,
  seen: Observations,
  layers: Layers,
  before?: BuildRecord,
): BuildRecord {
  const { warnings, sources } = output;
  const objects = [...output.objects];
  const printed = [...output.printed];
  // What came out the same is the same object, and needs no printing.
  for (const [index, object] of objects.entries()) {
    const old = before?.objects[index];
    if (old === undefined || !isSame(old as unknown as Json, object as unknown as Json)) continue;
    objects[index] = old;
    printed[index] = before?.printed[index];
  }
  const { referrals, placed, identities } = track;
  const filesRead = new Set(output.filesRead);
  return {
    seen,
    objects,
    printed,
    warnings,
    filesRead,
    sources,
    referrals,
    placed,
    identities,
    otherReads: track.otherReads(),
    separable: track.separable,
    layers: layers.kept(),
  };
}

/**
 * Makes again what the changed files hold, and takes all else from `before`; undefined where that could be another result than
 * that of a whole build.
 */
function runPart(
  before: BuildRecord,
  changed: ReadonlySet<string>,
  files: FileTree,
  directory: string,
  options: BuildOptions,
): BuildRecord | undefined {
  if (changed.size === 0) return before;
  if (!before.separable) return undefined;
  for (const path of changed) {
    if (!before.identities.has(path) || (before.otherReads.get(path) ?? 0) > 0) return undefined;
  }
  const track = new BuildTrack(before, changed);
  const result = runWhole(files, directory, options, track);
  if (!result.ok || !track.separable) return undefined;
  for (const path of changed) {
    if (before.identities.get(path)?.join('\n') !== track.identities.get(path)?.join('\n')) return undefined;
  }
  const positions = new Map<string, number>();
  for (const [index, source] of before.sources.entries()) {
    if (source !== '' && changed.has(source.slice(0, source.indexOf('\0')))) positions.set(source, index);
  }
  if (positions.size !== result.value.objects.length) return undefined;
  const objects = [...before.objects];
  const printed = [...before.printed];
  for (const [index, source] of result.value.sources.entries()) {
    const position = positions.get(source);
    const object = result.value.objects[index] as KubeObject;
    if (position === undefined || !sameId(object, before.objects[position] as KubeObject)) return undefined;
    objects[position] = object;
    printed[position] = undefined;
  }
  const contents = new Map(before.seen.contents);
  let { bytes } = before.seen;
  for (const path of changed) {
    const content = files.read(path);
    bytes += (content?.length ?? 0) - (contents.get(path)?.length ?? 0);
    contents.set(path, content);
  }
  const layers = untouched(before.layers, changed);
  return { ...before, objects, printed, layers, seen: { ...before.seen, contents, bytes } };
}

/** Adds to `seen` what `before` saw, but for files that have `changed`: those as they are now. */
function addObservations(
  seen: Observations,
  before: Observations,
  changed: ReadonlySet<string>,
  files: FileTree,
): void {
  for (const [path, kind] of before.kinds) if (!seen.kinds.has(path)) seen.kinds.set(path, kind);
  for (const [path, place] of before.places) if (!seen.places.has(path)) seen.places.set(path, place);
  for (const [path, old] of before.contents) {
    if (seen.contents.has(path)) continue;
    const content = changed.has(path) ? files.read(path) : old;
    seen.contents.set(path, content);
    seen.bytes += content?.length ?? 0;
  }
}

/** Whether two values would be printed alike: the order of keys counts. */
function isSame(a: Json, b: Json): boolean {
  if (Object.is(a, b)) return true;
  if (isArray(a)) {
    return isArray(b) && a.length === b.length && a.every((one, index) => isSame(one, b[index] as Json));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length &&
    keys.every((key, index) => key === others[index] && isSame(a[key] as Json, b[key] as Json))
  );
}

function sameId(a: KubeObject, b: KubeObject): boolean {
  return (
    a.apiVersion === b.apiVersion &&
    a.kind === b.kind &&
    a.metadata?.name === b.metadata?.name &&
    a.metadata?.namespace === b.metadata?.namespace
  );
}

interface Notes {
  readonly warnings: string[];
  readonly filesRead: Set<string>;
  readonly track: BuildTrack;
  readonly layers: Layers | undefined;
}

function run(
  files: FileTree,
  directory: string,
  options: BuildOptions,
  { warnings, filesRead, track, layers }: Notes,
): readonly { readonly object: KubeObject; readonly resource: Resource }[] {
  const remote = (url: string): RemoteContent | undefined => {
    track.separable = false;
    track.repeatable = false;
    return options.remote?.(url);
  };
  const context = {
    restrict: options.loadRestrictor !== 'none',
    filesRead,
    remote: options.remote === undefined ? undefined : remote,
    onRead: (path: string) => track.noteRead(path),
    onOutside: () => {
      track.separable = false;
      track.repeatable = false;
    },
  };
  const loader =
    Loader.atRepo(directory, context) ??
    Loader.at(files, options.rootPath ?? '', directory, context, options.shownDirectory);
  const schemas = new SchemaStore();
  const { helm } = options;
  const inflate =
    helm === undefined
      ? undefined
      : (chart: JsonObject, at: Loader): string => {
          track.separable = false;
          track.repeatable = false;
          return render(helm, chart, at);
        };
  const target = new Target(loader, {
    schemas,
    sha256: options.sha256,
    inflate,
    warnings,
    cache: options.cache ?? new KustomizeCache(MAX_BUILD_CHARS),
    track,
    filesRead,
    layers,
  });
  target.useSchema(true);
  const resources = target.build();
  const { kustomization } = target;
  if (kustomization.sortOptions !== undefined) sortResources(resources, kustomization.sortOptions);
  else if (options.reorder !== 'none') sortResources(resources, { order: 'legacy' });
  const metadata = kustomization.buildMetadata ?? [];
  const managed = options.addManagedByLabel === true || metadata.includes('managedByLabel');
  const labels = fieldSpec({ path: 'metadata/labels', create: true });
  for (const resource of resources.list) {
    if (managed) setEntries(resource, { 'app.kubernetes.io/managed-by': `kustomize-${KUSTOMIZE_VERSION}` }, [labels]);
    resource.removeBuildAnnotations();
    cleanAnnotations(resource, metadata);
  }
  return resources.list.map((resource) => {
    try {
      return { resource, object: resource.toJson() as unknown as KubeObject };
    } catch (failure) {
      throw withPrefix(goSyntax(resource.node), failure);
    }
  });
}

function cleanAnnotations(resource: Resource, metadata: readonly string[]): void {
  const annotations = resource.annotations();
  if (!metadata.includes('originAnnotations')) annotations.delete(ORIGIN_ANNOTATION);
  if (!metadata.includes('transformerAnnotations')) annotations.delete(TRANSFORMATIONS_ANNOTATION);
  resource.setAnnotations(annotations);
}

function render(helm: NonNullable<BuildOptions['helm']>, chart: JsonObject, loader: Loader): string {
  const place = loader.folder('.');
  if (place === undefined) return fail('charts outside of the tree cannot be rendered');
  const result = helm({ chart, files: place.files, directory: place.path });
  return result.ok ? result.value : fail(result.error);
}

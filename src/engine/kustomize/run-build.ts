import type { KubeObject } from '../../api/object.ts';
import type { FileTree } from '../../base/files.ts';
import type { JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { printYaml } from '../yaml/print.ts';
import { KustomizeCache } from './cache.ts';
import { fail, KustomizeFailure, Pending, withPrefix } from './failure.ts';
import { Loader, type RemoteContent } from './load.ts';
import { ORIGIN_ANNOTATION, TRANSFORMATIONS_ANNOTATION } from './origin.ts';
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
  const warnings: string[] = [];
  const filesRead = new Set<string>();
  try {
    const objects = run(files, directory, options, warnings, filesRead);
    let yaml: string | undefined;
    return ok({
      objects,
      warnings,
      filesRead: [...filesRead].sort(),
      get yaml(): string {
        yaml ??= objects.map((object) => printYaml(object as unknown as JsonObject)).join('---\n');
        return yaml;
      },
    });
  } catch (failure) {
    if (failure instanceof Pending)
      return err({ code: failure.code, message: failure.message, urls: failure.urls, warnings });
    if (failure instanceof KustomizeFailure) return err({ code: 'build', message: failure.message, warnings });
    throw failure;
  }
}

function run(
  files: FileTree,
  directory: string,
  options: BuildOptions,
  warnings: string[],
  filesRead: Set<string>,
): readonly KubeObject[] {
  const context = { restrict: options.loadRestrictor !== 'none', filesRead, remote: options.remote };
  const loader =
    Loader.atRepo(directory, context) ??
    Loader.at(files, options.rootPath ?? '', directory, context, options.shownDirectory);
  const schemas = new SchemaStore();
  const { helm } = options;
  const inflate = helm === undefined ? undefined : (chart: JsonObject, at: Loader): string => render(helm, chart, at);
  const target = new Target(loader, {
    schemas,
    sha256: options.sha256,
    inflate,
    warnings,
    cache: options.cache ?? new KustomizeCache(MAX_BUILD_CHARS),
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
      return resource.toJson() as unknown as KubeObject;
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

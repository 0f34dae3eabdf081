import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { upgraded } from '../../api/legacy.ts';
import { type KubeObject, printRef, refOf } from '../../api/object.ts';
import { withMetadata } from '../../apply/owner.ts';
import { cleanPath } from '../../base/files.ts';
import { at, stringAt } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { type BuildError, build } from '../../build/build.ts';
import { diskFiles } from '../../build/disk-files.ts';
import { type Place, printPlaces } from '../../build/locate-expressions.ts';
import { parseYamlDocuments } from '../../engine/yaml/parse.ts';
import type { KubeClient } from '../../kube/client.ts';
import { matcher, readIgnorePatterns } from '../../source/artifact/ignore.ts';
import { type CliContext, type CliResult, done, failed, refused } from '../command.ts';
import { variablesOf } from '../debug.ts';
import { kustomizations } from '../kinds.ts';
import { refTo } from '../reconcile.ts';
import { hideEncrypted } from './hide-encrypted.ts';

const GROUP = 'kustomize.toolkit.fluxcd.io';
/** A Kustomization's file larger than this is none. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** Kustomizations built for one command; nested ones count. */
const MAX_BUILDS = 200;

/** What a Kustomization would apply, built of local files. */
export interface LocalBuild {
  readonly kustomization: KubeObject;
  readonly objects: readonly KubeObject[];
  /** Folder that stands for the Kustomization's source. */
  readonly sourceFolder: string;
}

/** The cluster, unless --dry-run keeps away from it. */
export type MaybeClient = KubeClient | undefined;

/** Builds the Kustomization that the command names, and under --recursive those that it holds. */
export async function buildLocally(
  context: CliContext,
  client: MaybeClient,
): Promise<CliResult<readonly LocalBuild[]>> {
  const [name] = context.args;
  if (name === undefined) return failed('kustomization name is required');
  const path = context.flags.string('path');
  const directory = resolve(context.cwd, path);
  if (path === '' || !existsSync(directory) || !statSync(directory).isDirectory()) {
    return failed(`invalid resource path ${JSON.stringify(path)}`);
  }
  const kustomization = await findKustomization(context, client, name);
  if (!kustomization.ok) return kustomization;
  const sources = localSources(context);
  if (!sources.ok) return sources;
  const builds: LocalBuild[] = [];
  const seen = new Set<string>();
  const descend = async (object: KubeObject, folder: string): Promise<CliResult> => {
    if (builds.length >= MAX_BUILDS) return failed(`more than ${MAX_BUILDS} nested Kustomizations`);
    seen.add(keyOf(object));
    const built = await buildOne(context, client, object, folder);
    if (!built.ok) return built;
    builds.push({
      kustomization: object,
      objects: built.value,
      sourceFolder: sources.value.get(sourceKey(object)) ?? sourceFolder(object, folder),
    });
    if (!context.flags.bool('recursive')) return done;
    for (const nested of built.value.filter(isKustomization)) {
      if (seen.has(keyOf(nested))) continue;
      const source = sources.value.get(sourceKey(nested));
      if (source === undefined) {
        return failed(`cannot get local path for ${sourceKey(nested)} of kustomization ${nested.metadata.name}`);
      }
      const below = await descend(nested, join(source, stringAt(nested.spec, 'path') ?? './'));
      if (!below.ok) return below;
    }
    return done;
  };
  const descended = await descend(kustomization.value, directory);
  return descended.ok ? ok(builds) : descended;
}

function keyOf(object: KubeObject): string {
  return printRef(refOf(object));
}

function isKustomization({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Kustomization' && apiVersion.startsWith(`${GROUP}/`);
}

export function sourceKey(object: KubeObject): string {
  const kind = stringAt(object.spec, 'sourceRef', 'kind') ?? '';
  const namespace = stringAt(object.spec, 'sourceRef', 'namespace') ?? object.metadata.namespace ?? '';
  return `${kind}/${namespace}/${stringAt(object.spec, 'sourceRef', 'name') ?? ''}`;
}

/** The folder that the spec's path leads from; the repository's where the path says nothing of that. */
function sourceFolder(object: KubeObject, directory: string): string {
  const path = cleanPath(stringAt(object.spec, 'path') ?? '') ?? '';
  const real = realpathSync(directory);
  if (path !== '' && real.endsWith(`/${path}`)) return real.slice(0, -path.length - 1);
  const root = rootOf(real);
  return root === '/' ? real : root;
}

/** `Kind/namespace/name=path` of --local-sources. */
export function localSources(context: CliContext): CliResult<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>();
  for (const text of context.flags.list('local-sources')) {
    const equals = text.indexOf('=');
    const key = text.slice(0, equals);
    if (equals < 0 || key.split('/').length !== 3) {
      return failed(`invalid local source '${text}', must be in the format kind/namespace/name=path`);
    }
    sources.set(key, resolve(context.cwd, text.slice(equals + 1)));
  }
  return ok(sources);
}

async function findKustomization(
  context: CliContext,
  client: MaybeClient,
  name: string,
): Promise<CliResult<KubeObject>> {
  const file = context.flags.string('kustomization-file');
  if (file !== '') return readKustomization(context, file, name);
  if (client === undefined) return failed('dry-run mode requires a kustomization file');
  const object = await client.get(refTo(kustomizations, context.namespace, name), context.signal);
  return object.ok ? ok(object.value) : refused(object.error, 'failed to get kustomization object');
}

function readKustomization(context: CliContext, file: string, name: string): CliResult<KubeObject> {
  const path = resolve(context.cwd, file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile() || found.size > MAX_FILE_BYTES) {
    return failed(`invalid kustomization file ${JSON.stringify(file)}`);
  }
  const documents = parseYamlDocuments(readFileSync(path, 'utf8'));
  if (!documents.ok) return failed(`failed to decode kustomization file ${file}: ${documents.error.message}`);
  const object = documents.value.find(
    (document) =>
      stringAt(document, 'kind') === 'Kustomization' &&
      (stringAt(document, 'apiVersion') ?? '').startsWith(`${GROUP}/`) &&
      stringAt(document, 'metadata', 'name') === name &&
      (stringAt(document, 'metadata', 'namespace') ?? context.namespace) === context.namespace,
  );
  if (object === undefined) {
    return failed(
      `failed to get kustomization object: failed find kustomization with name '${name}' and namespace '${context.namespace}' in file '${file}'`,
    );
  }
  const written = object as unknown as KubeObject;
  const typed = upgraded(written) ?? written;
  return ok({ ...typed, metadata: { ...typed.metadata, namespace: context.namespace } });
}

/** Files above the folder may be referred to as far as the repository reaches. */
function rootOf(directory: string): string {
  for (let folder = directory; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return folder;
  }
}

async function buildOne(
  context: CliContext,
  client: MaybeClient,
  object: KubeObject,
  directory: string,
): Promise<CliResult<readonly KubeObject[]>> {
  if (!existsSync(directory)) return failed(`kustomization path not found: ${directory}`);
  const real = realpathSync(directory);
  const root = rootOf(real);
  const variables = await variablesOf(client, object);
  if (!variables.ok) return failed(`${keyOf(object)}: ${variables.error.message}`);
  const { spec } = object as unknown as Kustomization;
  const request = {
    path: relative(root, real),
    rootPath: root === '/' ? '' : root,
    spec,
    substitution: {
      variables: variables.value,
      strict: context.flags.bool('strict-substitute'),
      always: at(object.spec, 'postBuild', 'substituteStrategy') === 'Always',
    },
  };
  const built = await build(diskFiles(root), request, undefined, ignoredPaths(context, request.path));
  const shown = (places: readonly Place[]): string =>
    printPlaces(places.map((place) => ({ ...place, file: shortest(context.cwd, join(root, place.file)) })));
  if (!built.ok) {
    const places = placesIn(built.error);
    const lines = places.length === 0 ? '' : `\n${shown(places)}\n${KEEP_HINT}`;
    return failed(`${keyOf(object)}: ${built.error.message}${lines}`);
  }
  // Without the cluster not all values are known.
  const isWhole = client !== undefined || at(object.spec, 'postBuild', 'substituteFrom') === undefined;
  if (isWhole && !request.substitution.strict && at(object.spec, 'postBuild') !== undefined) {
    const strict = { ...request, substitution: { ...request.substitution, strict: true } };
    const again = await build(diskFiles(root), strict, undefined, ignoredPaths(context, request.path));
    for (const place of again.ok ? [] : placesIn(again.error)) {
      context.progress.warning(
        `${shown([place])} has no value and becomes empty; in a cluster that is strict, it fails`,
      );
    }
  }
  const owner = { group: GROUP, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
  return ok(
    built.value.objects.map((other) =>
      hideEncrypted(withMetadata(upgraded(other) ?? other, owner, spec.commonMetadata)),
    ),
  );
}

/** What those need who mean the text itself. */
const KEEP_HINT =
  'to keep an expression as it is, write $${ for ${, or label its object kustomize.toolkit.fluxcd.io/substitute: disabled';

function placesIn({ unreplaced = [] }: BuildError): readonly Place[] {
  return unreplaced.flatMap(({ places }) => places);
}

/** A file as somebody in `directory` would type it. */
function shortest(directory: string, file: string): string {
  const path = relative(directory, file);
  return path.startsWith('..') ? file : path;
}

/** What --ignore-paths names, below the folder that is built. Source: fluxcd/flux2@v2 internal/build. */
function ignoredPaths(context: CliContext, folder: string): (path: string, isDirectory: boolean) => boolean {
  return matcher(readIgnorePatterns(context.flags.list('ignore-paths').join('\n'), folder));
}

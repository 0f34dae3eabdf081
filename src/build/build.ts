import { createHash } from 'node:crypto';
import { type KubeObject, type ObjectRef, refOf } from '../api/object.ts';
import { type FileTree, realPath } from '../base/files.ts';
import { goJson } from '../base/go-json.ts';
import { field, isArray, isObject, type Json, type JsonObject, stringAt } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type ObjectSubstitutionError, optsOut, substituteObject } from '../engine/envsubst/object.ts';
import { buildKustomization, type KustomizeCache, type KustomizeError } from '../engine/kustomize/build.ts';
import type { RemoteContent } from '../engine/kustomize/load.ts';
import type { RemoteBase } from '../engine/kustomize/remote-base.ts';
import { printYaml } from '../engine/yaml/print.ts';
import { decryptObject } from '../secrets/decrypt-object.ts';
import { decryptSources } from '../secrets/decrypt-sources.ts';
import { type DecryptionKeys, openKeyRing } from '../secrets/keys.ts';
import type { KeyRing } from '../secrets/sops/data-key.ts';
import type { ServiceKey } from '../secrets/sops/metadata.ts';
import { diskFiles } from './disk-files.ts';
import { type GenerateSpec, generateKustomization, withFile, withFiles } from './generate.ts';
import { locateExpressions, type Place } from './locate-expressions.ts';
import { type Observations, observeFiles } from './observed-files.ts';

/** Variables for `postBuild`, or why they could not be read. */
export interface Substitution {
  readonly variables: ReadonlyMap<string, string>;
  readonly strict: boolean;
  readonly always: boolean;
  /** Told for the first object that would be substituted, as Flux does. */
  readonly error?: string;
}

export interface BuildRequest {
  /** Folder in the artifact, as the spec names it. */
  readonly path: string;
  /** What stands for the artifact's folder in messages. */
  readonly rootPath: string;
  readonly spec: GenerateSpec;
  readonly substitution?: Substitution;
  /** Keys for what sops encrypted; without them it stays as it is. */
  readonly decryption?: DecryptionKeys;
  /** What the URLs in its kustomizations led to; a build that needs more ends with code `remote`. Without it URLs are refused. */
  readonly remotes?: ReadonlyMap<string, RemoteBase>;
}

export interface BuildResult {
  /** What was built, as one YAML stream. */
  readonly yaml: string;
  /** `sha256:…` of {@link yaml}. */
  readonly digest: string;
  /** Lists are expanded; kustomize's own configuration is left out. */
  readonly objects: readonly KubeObject[];
  /** What of the files it depends on. */
  readonly observations: Observations;
  /** It depends on what URLs led to as well. */
  readonly remote: boolean;
}

/**
 * `path`: the folder does not exist. `build`: its content cannot be built. `limit`: a bound was hit (time, memory). `remote`:
 * `urls` must be among {@link BuildRequest.remotes}. `keys`: services have to open `keys` first, one of each group.
 */
export interface BuildError {
  readonly code: 'path' | 'build' | 'limit' | 'remote' | 'keys';
  /** As Flux words it. */
  readonly message: string;
  readonly urls?: readonly string[];
  readonly keys?: readonly (readonly ServiceKey[])[];
  /** Expressions that could not be replaced, with the objects that they are in. */
  readonly unreplaced?: readonly Unreplaced[];
}

/** Expressions of one object that could not be replaced, and where they stand in the artifact. */
export interface Unreplaced {
  readonly object: ObjectRef;
  readonly places: readonly Place[];
}

/**
 * Builds a folder of an artifact's files into objects; `cache` spares parsing what earlier builds read; `ignored` tells
 * paths that are as if they were not there when manifests are looked for. What is decrypted is never
 * written anywhere. Source: kustomize-controller@1.9 `generate`, `build`.
 */
export async function build(
  tree: FileTree,
  request: BuildRequest,
  cache?: KustomizeCache,
  ignored?: (path: string, isDirectory: boolean) => boolean,
): Promise<Result<BuildResult, BuildError>> {
  const { files, observations } = observeFiles(tree, sha256Hex);
  const { rootPath, spec } = request;
  const wanted = jailed(request.path);
  const directory = realPath(files, wanted);
  if (directory === undefined) {
    const place = wanted === '' ? rootPath : `${rootPath}/${wanted}`;
    return err({ code: 'path', message: `kustomization path not found: stat ${place}: no such file or directory` });
  }
  const generated = generateKustomization(files, directory, spec, rootPath, ignored, cache);
  if (!generated.ok) return err({ code: 'build', message: generated.error });
  let sources = withFile(files, generated.value.file, generated.value.text);
  const ring = request.decryption === undefined ? undefined : openKeyRing(request.decryption);
  if (ring !== undefined) {
    const plain = await decryptSources(sources, directory, rootPath, ring);
    if (ring.requested.length > 0) return closed(ring);
    if (!plain.ok) return err({ code: 'build', message: `error decrypting sources: ${plain.error}` });
    sources = withFiles(sources, plain.value);
  }
  const built = buildKustomization(sources, directory, {
    loadRestrictor: 'none',
    reorder: 'none',
    rootPath,
    sha256: sha256Hex,
    ...(cache !== undefined && { cache }),
    ...(request.remotes !== undefined && { remote: remoteContent(request.remotes) }),
  });
  if (!built.ok) return err(buildError(built.error, rootPath));

  let changed = false;
  let failure: string | undefined;
  const unreplaced: Unreplaced[] = [];
  const objects: JsonObject[] = [];
  for (const object of built.value.objects as unknown as readonly JsonObject[]) {
    const done = await finish(object, ring, request.substitution);
    if (!done.ok) {
      // The objects after this one may need keys of services as well: all are asked for at once.
      if (ring !== undefined && ring.requested.length > 0) continue;
      // The first failure is the message; the places of all that are left without a value are told with it.
      failure ??= done.error.message;
      const { expressions } = done.error;
      if (expressions.length === 0) break;
      const read = observations().flatMap(([question]) => (question.startsWith('r') ? [question.slice(1)] : []));
      const ref = refOf(object as unknown as KubeObject);
      unreplaced.push({ object: ref, places: locateExpressions(sources, read, ref.name, expressions) });
      continue;
    }
    changed ||= done.value !== object;
    objects.push(done.value);
  }
  if (ring !== undefined && ring.requested.length > 0) return closed(ring);
  if (failure !== undefined) {
    return err({ code: 'build', message: failure, ...(unreplaced.length > 0 && { unreplaced }) });
  }
  const yaml = changed ? objects.map((object) => printYaml(object)).join('---\n') : built.value.yaml;
  return ok({
    yaml,
    digest: `sha256:${sha256Hex(yaml)}`,
    objects: objects.flatMap(expand),
    observations: observations(),
    remote: (request.remotes?.size ?? 0) > 0,
  });
}

function closed({ requested }: KeyRing): Result<never, BuildError> {
  return err({ code: 'keys', message: 'services have to open keys of its encrypted files first', keys: requested });
}

/** A path below the root, as `SecureJoin` makes it: it never climbs higher. Source: cyphar/filepath-securejoin. */
function jailed(path: string): string {
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return steps.join('/');
}

function buildError({ code, message, urls }: KustomizeError, rootPath: string): BuildError {
  if (code === 'remote') return { code, message: `kustomize build failed: ${message}`, urls: urls ?? [] };
  return { code: 'build', message: `kustomize build failed: ${outsideMessage(message, rootPath)}` };
}

function remoteContent(remotes: ReadonlyMap<string, RemoteBase>): (url: string) => RemoteContent | undefined {
  return (url) => {
    const base = remotes.get(url);
    return base?.kind === 'folder' ? { kind: 'tree', files: diskFiles(base.path) } : base;
  };
}

/** Says of a path outside of the root that it may not be read, where the engine only knows that nothing is there. */
export function outsideMessage(message: string, rootPath: string): string {
  return message.replaceAll(/open (\/[^\n']*?): no such file or directory/g, (found: string, path: string) => {
    if (path === rootPath || path.startsWith(`${rootPath}/`)) return found;
    return `fs-security-constraint read ${path}: path '${path}' is not in or below '${rootPath}'`;
  });
}

async function finish(
  object: JsonObject,
  ring: KeyRing | undefined,
  substitution: Substitution | undefined,
): Promise<Result<JsonObject, ObjectSubstitutionError>> {
  const fail = (message: string, expressions: readonly string[] = []): Result<never, ObjectSubstitutionError> =>
    err({ message, expressions });
  const apiVersion = stringAt(object, 'apiVersion') ?? '';
  const kind = stringAt(object, 'kind') ?? '';
  const name = stringAt(object, 'metadata', 'name') ?? '';
  const isList = kind.endsWith('List') && isArray(field(object, 'items'));
  if (apiVersion === '' || kind === '' || (name === '' && !isList)) {
    return fail(`failed to decode Kubernetes apiVersion, kind and name from: ${goJson(object)}`);
  }
  if (apiVersion.split('/').length > 2) {
    return fail(`error unmarshaling JSON: while decoding JSON: Object 'Kind' is missing in '${goJson(object)}'`);
  }
  const subject = `'${printGvk(apiVersion, kind)}/${name}'`;
  const plain = ring === undefined ? ok(object) : await decryptObject(object, ring);
  if (!plain.ok) return fail(`decryption failed for ${subject}: ${plain.error}`);
  if (substitution === undefined) return plain;
  if (substitution.error !== undefined && !optsOut(plain.value)) {
    return fail(`post build failed for ${subject}: ${substitution.error}`);
  }
  const replaced = substituteObject(plain.value, substitution);
  if (replaced.ok) return replaced;
  const { message, expressions } = replaced.error;
  return fail(`post build failed for ${subject}: ${message}`, expressions);
}

/** kustomize's way to print a kind: `ConfigMap.v1.[noGrp]`. */
function printGvk(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '[noGrp]' : apiVersion.slice(0, slash);
  return `${kind}.${apiVersion.slice(slash + 1)}.${group}`;
}

/** The objects of a document: items of a list, none for kustomize's own files. Source: fluxcd/pkg@e2cfd1a ssa/utils ReadObjects. */
function expand(document: JsonObject): readonly KubeObject[] {
  const items = field(document, 'items');
  const kind = stringAt(document, 'kind') ?? '';
  if (kind.endsWith('List') && isArray(items)) return items.filter(isKubernetesObject) as unknown as KubeObject[];
  if (kind === 'Kustomization' && (stringAt(document, 'apiVersion') ?? '').startsWith('kustomize.config.k8s.io/')) {
    return [];
  }
  return isKubernetesObject(document) ? [document as unknown as KubeObject] : [];
}

function isKubernetesObject(value: Json): boolean {
  return (
    isObject(value) &&
    (stringAt(value, 'metadata', 'name') ?? '') !== '' &&
    (stringAt(value, 'kind') ?? '') !== '' &&
    (stringAt(value, 'apiVersion') ?? '') !== ''
  );
}

export function sha256Hex(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { upgraded } from '../../api/legacy.ts';
import { type KubeObject, printRef, refOf } from '../../api/object.ts';
import { cleanPath } from '../../base/files.ts';
import type { Json } from '../../base/json.ts';
import { at, isObject, stringAt } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { build } from '../../build/build.ts';
import { diskFiles } from '../../build/disk-files.ts';
import { parseYamlDocuments } from '../../engine/yaml/parse.ts';
import type { KubeClient } from '../../kube/client.ts';
import { matcher, readIgnorePatterns } from '../../source/artifact/ignore.ts';
import { type CliContext, type CliResult, failed, refused } from '../command.ts';
import { variablesOf } from '../debug.ts';
import { kustomizations } from '../kinds.ts';
import { refTo } from '../reconcile.ts';
import { HIDDEN_VALUE } from './known-objects.ts';

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
  const pending: { readonly object: KubeObject; readonly directory: string }[] = [
    { object: kustomization.value, directory },
  ];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (builds.length >= MAX_BUILDS) return failed(`more than ${MAX_BUILDS} nested Kustomizations`);
    const objects = await buildOne(context, client, next.object, next.directory);
    if (!objects.ok) return objects;
    builds.push({
      kustomization: next.object,
      objects: objects.value,
      sourceFolder: sources.value.get(sourceKey(next.object)) ?? sourceFolder(next.object, next.directory),
    });
    if (!context.flags.bool('recursive')) break;
    const seen = new Set(
      [...builds.map(({ kustomization }) => kustomization), ...pending.map(({ object }) => object)].map(keyOf),
    );
    for (const object of objects.value.filter(isKustomization)) {
      const source = sources.value.get(sourceKey(object));
      if (source === undefined || seen.has(keyOf(object))) continue;
      pending.push({ object, directory: join(source, stringAt(object.spec, 'path') ?? './') });
    }
  }
  return ok(builds);
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
  return object.ok ? ok(object.value) : refused(object.error);
}

function readKustomization(context: CliContext, file: string, name: string): CliResult<KubeObject> {
  const path = resolve(context.cwd, file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile() || found.size > MAX_FILE_BYTES) {
    return failed(`failed to read kustomization file ${file}`);
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
      `failed find kustomization with name '${name}' and namespace '${context.namespace}' in file '${file}'`,
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
  if (!variables.ok) return variables;
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
  if (!built.ok) return failed(`${printRef(refOf(object))}: ${built.error.message}`);
  return ok(built.value.objects.map((other) => hideEncrypted(withOwner(upgraded(other) ?? other, object))));
}

/** What --ignore-paths names, below the folder that is built. Source: fluxcd/flux2@v2 internal/build. */
function ignoredPaths(context: CliContext, folder: string): (path: string, isDirectory: boolean) => boolean {
  return matcher(readIgnorePatterns(context.flags.list('ignore-paths').join('\n'), folder));
}

/** Labels of the owner, and the common metadata, as the controller sets them before it applies. */
function withOwner(object: KubeObject, owner: KubeObject): KubeObject {
  const common = (name: string): Readonly<Record<string, string>> =>
    (at(owner.spec, 'commonMetadata', name) ?? {}) as Readonly<Record<string, string>>;
  const annotations = { ...object.metadata.annotations, ...common('annotations') };
  const labels = {
    ...object.metadata.labels,
    ...common('labels'),
    [`${GROUP}/name`]: owner.metadata.name,
    [`${GROUP}/namespace`]: owner.metadata.namespace ?? '',
  };
  const { annotations: _, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}), labels },
  };
}

/** What SOPS encrypted is not told: neither its cipher text nor what it would decrypt to. Source: fluxcd/flux2@v2 internal/build. */
function hideEncrypted(object: KubeObject): KubeObject {
  const raw = object as unknown as { readonly sops?: Json; readonly data?: Json; readonly stringData?: Json };
  const encrypted = (text: Json): boolean =>
    typeof text === 'string' &&
    (text.includes('ENC[AES256_GCM') ||
      Buffer.from(text, 'base64').includes('"sops"') ||
      Buffer.from(text, 'base64').includes('\nsops:'));
  if (object.kind !== 'Secret') return object;
  const hide = (values: Json | undefined, hidden: string): Json | undefined => {
    if (!isObject(values)) return values;
    return Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, raw.sops !== undefined || encrypted(value) ? hidden : value]),
    );
  };
  const { sops: _, ...rest } = raw;
  const data = hide(raw.data, Buffer.from(HIDDEN_VALUE).toString('base64'));
  const stringData = hide(raw.stringData, HIDDEN_VALUE);
  return {
    ...(rest as unknown as KubeObject),
    ...(data === undefined ? {} : { data }),
    ...(stringData === undefined ? {} : { stringData }),
  } as KubeObject;
}

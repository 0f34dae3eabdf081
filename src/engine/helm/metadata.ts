import { isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { KustomizeFailure } from '../kustomize/failure.ts';
import {
  ANY,
  BOOL,
  type GoType,
  goDecode,
  STRING,
  STRING_MAP,
  STRINGS,
  sliceOf,
  struct,
} from '../kustomize/go-decode.ts';
import { parseVersion } from '../semver/version.ts';
import { printYamlError } from '../yaml/error.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { parseYaml } from '../yaml/parse.ts';
import { fail } from './failure.ts';

/** A dependency that `Chart.yaml` names. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  readonly condition: string;
  readonly tags: readonly string[];
  readonly enabled: boolean;
  /** `name`, or `{child, parent}`. */
  readonly importValues: readonly Json[];
  readonly alias: string;
}

export interface Maintainer {
  readonly name: string;
  readonly email: string;
  readonly url: string;
}

/** What `Chart.yaml` says, absent texts as `''`. Source: helm@4.1.4 pkg/chart/v2/metadata.go. */
export interface Metadata {
  readonly name: string;
  readonly home: string;
  readonly sources: readonly string[];
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly maintainers: readonly Maintainer[];
  readonly icon: string;
  readonly apiVersion: string;
  readonly condition: string;
  readonly tags: string;
  readonly appVersion: string;
  readonly deprecated: boolean;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly kubeVersion: string;
  readonly dependencies: readonly Dependency[];
  readonly type: string;
}

const MAINTAINER = struct('v2.Maintainer', { name: STRING, email: STRING, url: STRING });
const DEPENDENCY = struct('v2.Dependency', {
  name: STRING,
  version: STRING,
  repository: STRING,
  condition: STRING,
  tags: STRINGS,
  enabled: BOOL,
  'import-values': sliceOf(ANY),
  alias: STRING,
});
const METADATA = struct('v2.Metadata', {
  name: STRING,
  home: STRING,
  sources: STRINGS,
  version: STRING,
  description: STRING,
  keywords: STRINGS,
  maintainers: sliceOf(MAINTAINER, '[]*v2.Maintainer'),
  icon: STRING,
  apiVersion: STRING,
  condition: STRING,
  tags: STRING,
  appVersion: STRING,
  deprecated: BOOL,
  annotations: STRING_MAP,
  kubeVersion: STRING,
  dependencies: sliceOf(DEPENDENCY, '[]*v2.Dependency'),
  type: STRING,
});

/** Fields of a `Chart.yaml`, or of a `requirements.yaml`. @throws HelmFailure */
export function decodeMetadata(text: string, file: string): JsonObject {
  return decodeYaml(text, METADATA, `cannot load ${file}`);
}

/** Reads YAML into what a Go struct of `type` would hold. @throws HelmFailure that begins with `what` */
export function decodeYaml(text: string, type: GoType, what: string): JsonObject {
  const parsed = parseYaml(text);
  if (!parsed.ok) return fail('chart', `${what}: error converting YAML to JSON: ${printYamlError(parsed.error)}`);
  try {
    return (goDecode(parsed.value, type, { strict: false, coerce: true }) ?? {}) as JsonObject;
  } catch (failure) {
    if (!(failure instanceof KustomizeFailure)) throw failure;
    return fail('chart', `${what}: error unmarshaling JSON: while decoding JSON: ${failure.message}`);
  }
}

/**
 * The metadata that `fields` hold, checked as Helm does when it loads a chart.
 * @throws HelmFailure for a name, version, type or dependency that Helm refuses
 */
export function readMetadata(fields: JsonObject): Metadata {
  const text = (name: string): string => clean(fields[name]);
  const metadata: Metadata = {
    name: text('name'),
    home: text('home'),
    sources: texts(fields['sources']),
    version: (fields['version'] as string | undefined) ?? '',
    description: text('description'),
    keywords: texts(fields['keywords']),
    maintainers: items(fields['maintainers']).map((entry) => {
      if (!isObject(entry)) return invalid('maintainers must not contain empty or null nodes');
      return { name: clean(entry['name']), email: clean(entry['email']), url: clean(entry['url']) };
    }),
    icon: text('icon'),
    // A chart without one is of Helm 2's time.
    apiVersion: ((fields['apiVersion'] as string | undefined) ?? '') || 'v1',
    condition: text('condition'),
    tags: text('tags'),
    appVersion: text('appVersion'),
    deprecated: fields['deprecated'] === true,
    annotations: fields['annotations'] as Readonly<Record<string, string>> | undefined,
    kubeVersion: text('kubeVersion'),
    dependencies: items(fields['dependencies']).map(readDependency),
    type: (fields['type'] as string | undefined) ?? '',
  };
  check(metadata);
  return metadata;
}

function check({ name, version, type, dependencies }: Metadata): void {
  if (name === '') invalid('chart.metadata.name is required');
  if (name === '.' || name === '..') invalid(`chart.metadata.name ${quoted(name)} is not allowed`);
  if (name.includes('/')) invalid(`chart.metadata.name ${quoted(name)} is invalid`);
  if (version === '') invalid('chart.metadata.version is required');
  if (!parseVersion(version).ok) invalid(`chart.metadata.version ${quoted(version)} is invalid`);
  if (type !== '' && type !== 'application' && type !== 'library') {
    invalid('chart.metadata.type must be application or library');
  }
  const seen = new Set<string>();
  for (const dependency of dependencies) {
    const key = dependency.alias === '' ? dependency.name : dependency.alias;
    if (dependency.alias !== '' && !/^[a-zA-Z0-9_-]+$/.test(dependency.alias)) {
      invalid(`dependency ${quoted(dependency.name)} has disallowed characters in the alias`);
    }
    if (seen.has(key)) invalid(`more than one dependency with name or alias ${quoted(key)}`);
    seen.add(key);
  }
}

function readDependency(entry: Json): Dependency {
  if (!isObject(entry)) return invalid('dependencies must not contain empty or null nodes');
  return {
    name: clean(entry['name']),
    version: clean(entry['version']),
    repository: clean(entry['repository']),
    condition: clean(entry['condition']),
    tags: texts(entry['tags']),
    enabled: entry['enabled'] === true,
    importValues: items(entry['import-values']),
    alias: (entry['alias'] as string | undefined) ?? '',
  };
}

function invalid(message: string): never {
  return fail('chart', `validation: ${message}`);
}

function items(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

function texts(value: Json | undefined): readonly string[] {
  return items(value).map(clean);
}

/** White space of any kind becomes a space; what cannot be printed is dropped. */
function clean(value: Json | undefined): string {
  if (typeof value !== 'string') return '';
  return value.replace(/[\s\u0085]/gu, ' ').replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '');
}

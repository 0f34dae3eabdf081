import { isObject, type Json, type JsonObject } from '../../base/json.ts';
import { STRING, STRING_MAP, struct } from '../kustomize/go-decode.ts';
import type { Warn } from './coalesce.ts';
import { fail, HelmFailure } from './failure.ts';
import { decodeYaml } from './metadata.ts';

/** One document that a chart renders. */
export interface Manifest {
  /** Path of the template: `web/templates/service.yaml`. */
  readonly source: string;
  readonly text: string;
  readonly apiVersion: string;
  readonly kind: string;
}

/** A document that runs at a point of a release's life instead of being a part of it. */
export interface Hook extends Manifest {
  readonly name: string;
  readonly events: readonly HookEvent[];
  readonly weight: number;
}

const EVENTS = {
  'pre-install': 'pre-install',
  'post-install': 'post-install',
  'pre-delete': 'pre-delete',
  'post-delete': 'post-delete',
  'pre-upgrade': 'pre-upgrade',
  'post-upgrade': 'post-upgrade',
  'pre-rollback': 'pre-rollback',
  'post-rollback': 'post-rollback',
  test: 'test',
  // Helm 2's name.
  'test-success': 'test',
} as const;
export type HookEvent = (typeof EVENTS)[keyof typeof EVENTS];

/** Kinds in the order in which they are installed; others come after, by name. Source: helm@4.1.4 pkg/release/v1/util/kind_sorter.go. */
const INSTALL_ORDER = new Map(
  [
    'PriorityClass',
    'Namespace',
    'NetworkPolicy',
    'ResourceQuota',
    'LimitRange',
    'PodSecurityPolicy',
    'PodDisruptionBudget',
    'ServiceAccount',
    'Secret',
    'SecretList',
    'ConfigMap',
    'StorageClass',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'CustomResourceDefinition',
    'ClusterRole',
    'ClusterRoleList',
    'ClusterRoleBinding',
    'ClusterRoleBindingList',
    'Role',
    'RoleList',
    'RoleBinding',
    'RoleBindingList',
    'Service',
    'DaemonSet',
    'Pod',
    'ReplicationController',
    'ReplicaSet',
    'Deployment',
    'HorizontalPodAutoscaler',
    'StatefulSet',
    'Job',
    'CronJob',
    'IngressClass',
    'Ingress',
    'APIService',
    'MutatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
  ].map((kind, index) => [kind, index]),
);

const HEAD = struct('util.SimpleHead', {
  apiVersion: STRING,
  kind: STRING,
  metadata: struct('struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }', {
    name: STRING,
    annotations: STRING_MAP,
  }),
});

/** Documents of a release in install order, and its hooks. */
export interface SortedManifests {
  readonly manifests: readonly Manifest[];
  readonly hooks: readonly Hook[];
}

/**
 * Splits rendered files into documents, and parts hooks from manifests.
 * Source: helm@4.1.4 pkg/release/v1/util/manifest_sorter.go.
 * @throws HelmFailure for a document whose head cannot be read
 */
export function sortManifests(files: ReadonlyMap<string, string>, warn: Warn): SortedManifests {
  const manifests: Manifest[] = [];
  const hooks: Hook[] = [];
  for (const [source, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (content.trim() === '') continue;
    for (const text of splitManifests(content)) {
      const { manifest, name, annotations } = readHead(source, text);
      const types = annotations['helm.sh/hook'];
      if (typeof types !== 'string') manifests.push(manifest);
      else {
        const names = types.split(',').map((one) => one.trim().toLowerCase());
        const events = names.flatMap((one) => (Object.hasOwn(EVENTS, one) ? EVENTS[one as keyof typeof EVENTS] : []));
        if (events.length < names.length) warn(`skipping unknown hooks hookTypes=${types}`);
        else hooks.push({ ...manifest, name, events, weight: weightOf(annotations['helm.sh/hook-weight']) });
      }
    }
  }
  return { manifests: byKind(manifests), hooks: byKind(hooks) };
}

function readHead(source: string, text: string): { manifest: Manifest; name: string; annotations: JsonObject } {
  let head: JsonObject;
  try {
    head = decodeYaml(text, HEAD, `YAML parse error on ${source}`);
  } catch (failure) {
    if (failure instanceof HelmFailure) fail('manifest', failure.message);
    throw failure;
  }
  const metadata = (head['metadata'] ?? {}) as JsonObject;
  const annotations: Json = metadata['annotations'] ?? {};
  const manifest = {
    source,
    text,
    apiVersion: (head['apiVersion'] as string | undefined) ?? '',
    kind: (head['kind'] as string | undefined) ?? '',
  };
  return {
    manifest,
    name: (metadata['name'] as string | undefined) ?? '',
    annotations: isObject(annotations) ? annotations : {},
  };
}

function weightOf(text: Json | undefined): number {
  return typeof text === 'string' && /^[+-]?\d+$/.test(text) ? Number(text) : 0;
}

function byKind<T extends Manifest>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => {
    const left = INSTALL_ORDER.get(a.kind) ?? INSTALL_ORDER.size;
    const right = INSTALL_ORDER.get(b.kind) ?? INSTALL_ORDER.size;
    if (left !== right || left < INSTALL_ORDER.size) return left - right;
    return a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0;
  });
}

/**
 * Documents of a text, trimmed. A separator is `---` at the begin of a line with all white space around it, so that two lines `---` that
 * follow each other are one separator and a document `---`.
 * Source: helm@4.1.4 pkg/release/v1/util/manifest.go.
 */
export function splitManifests(content: string): readonly string[] {
  const text = content.trim();
  const documents: string[] = [];
  let begin = 0;
  if (text.startsWith('---')) begin = pastSpace(text, 3);
  for (;;) {
    const found = text.indexOf('\n---', begin);
    let end = found < 0 ? text.length : found;
    while (found >= 0 && end > begin && isSpace(text, end - 1)) end--;
    if (end > begin) documents.push(text.slice(begin, end).trim());
    if (found < 0) return documents;
    begin = pastSpace(text, found + 4);
  }
}

function pastSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && isSpace(text, at)) at++;
  return at;
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d || code === 0x0c;
}

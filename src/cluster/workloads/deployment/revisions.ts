import { equal, type Json } from '../../../base/json.ts';
import type { Deployment, Labels, PodTemplate, ReplicaSet } from '../shapes.ts';
import { maxSurge } from './sizes.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const HISTORY = 'deployment.kubernetes.io/revision-history';
const DESIRED = 'deployment.kubernetes.io/desired-replicas';
const MAX = 'deployment.kubernetes.io/max-replicas';
export const HASH_LABEL = 'pod-template-hash';
/** A longer history is cut from its front: kubernetes@1.34 deployment/sync.go maxRevHistoryLengthInChars. */
const MAX_HISTORY_CHARS = 2000;
/** Annotations of a Deployment that its ReplicaSets do not take over. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  HISTORY,
  DESIRED,
  MAX,
  'deprecated.deployment.rollback.to',
]);

export function revisionOf(set: { readonly metadata: { readonly annotations?: Labels } }): number {
  return Number.parseInt(set.metadata.annotations?.[REVISION] ?? '0', 10) || 0;
}

/** The set whose template is the Deployment's, the oldest of several. `sets` is sorted by age. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets.find((set) => equal(withoutHash(set.spec.template), withoutHash(deployment.spec.template)));
}

export function withoutHash(template: PodTemplate): Json {
  const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } } as unknown as Json;
}

/** Annotations of the set that holds the newest revision. Source: kubernetes@1.34 deployment/util SetNewReplicaSetAnnotations. */
export function newSetAnnotations(
  deployment: Deployment,
  known: Labels | undefined,
  revision: number,
  exists: boolean,
): Labels {
  const annotations: Record<string, string> = { ...known };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!OWN_ANNOTATIONS.has(key)) annotations[key] = value;
  }
  const before = known?.[REVISION];
  if ((Number.parseInt(before ?? '0', 10) || 0) < revision) {
    annotations[REVISION] = String(revision);
    if (before !== undefined) {
      const history = known?.[HISTORY];
      const parts = history === undefined || history === '' ? [before] : [...history.split(','), before];
      while (parts.join(',').length > MAX_HISTORY_CHARS) parts.shift();
      annotations[HISTORY] = parts.join(',');
    }
  }
  return exists ? annotations : { ...annotations, ...sizeAnnotations(deployment) };
}

export function sizeAnnotations(deployment: Deployment): Labels {
  const { replicas } = deployment.spec;
  return { [DESIRED]: String(replicas), [MAX]: String(replicas + maxSurge(deployment)) };
}

export function desiredReplicas(set: ReplicaSet): number | undefined {
  const text = set.metadata.annotations?.[DESIRED];
  return text === undefined ? undefined : Number.parseInt(text, 10);
}

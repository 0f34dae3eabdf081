import type { Condition } from '../../api/condition.ts';
import type { Kustomization, KustomizationSpec, KustomizationStatus } from '../../api/kinds/kustomization.ts';
import type { KubeObject } from '../../api/object.ts';
import { formatDuration, parseDuration } from '../../base/duration.ts';

export const GROUP = 'kustomize.toolkit.fluxcd.io';

/** Times of a Kustomization, in milliseconds. */
export interface Times {
  readonly intervalMs: number;
  readonly retryMs: number;
  readonly timeoutMs: number;
}

/** An interval that cannot be read (the API server refuses it) counts as this. */
const DEFAULT_INTERVAL_MS = 10 * 60_000;
const MIN_TIMEOUT_MS = 30_000;

/** Source: kustomize-controller@1.9 api/v1/kustomization_types.go GetTimeout, GetRetryInterval. */
export function timesOf({ interval, retryInterval, timeout }: KustomizationSpec): Times {
  const intervalMs = duration(interval) ?? DEFAULT_INTERVAL_MS;
  const timeoutMs = duration(timeout) ?? intervalMs - 30_000;
  return { intervalMs, retryMs: duration(retryInterval) ?? intervalMs, timeoutMs: Math.max(timeoutMs, MIN_TIMEOUT_MS) };
}

function duration(text: string | undefined): number | undefined {
  // Of an object that a looser definition of the kind let through it may be anything.
  if (typeof text !== 'string') return undefined;
  const parsed = parseDuration(text);
  return parsed.ok && parsed.value >= 0 ? parsed.value : undefined;
}

/** What this process remembers of earlier passes. */
export interface Memory {
  /** Generation, request, revision and time of the last pass that went through; undefined before the first. */
  readonly lastFull:
    | {
        readonly generation: number;
        readonly requested: string | undefined;
        readonly revision: string;
        readonly atMs: number;
      }
    | undefined;
  /** Whether applied objects were seen to drift. */
  readonly drifted: boolean;
}

/** `repair`: only put back what drifted. */
export type Plan = 'finalize' | 'suspended' | 'repair' | 'full';

/** Decides what a pass is for. `revision` is the source's, undefined when it has none. */
export function plan(object: Kustomization, memory: Memory, revision: string | undefined, nowMs: number): Plan {
  const { metadata, spec } = object;
  if (metadata.deletionTimestamp !== undefined) return 'finalize';
  if (spec.suspend === true) return 'suspended';
  const last = memory.lastFull;
  if (!memory.drifted || last === undefined) return 'full';
  const ready = conditionOf(object, 'Ready');
  const due = last.atMs + timesOf(spec).intervalMs <= nowMs;
  const same =
    last.generation === (metadata.generation ?? 0) &&
    last.requested === requestOf(object) &&
    last.revision === revision &&
    ready?.status === 'True';
  return same && !due ? 'repair' : 'full';
}

/** What the controller's queue and memory call an object. */
export function keyOf({ metadata: { namespace = '', name } }: Pick<KubeObject, 'metadata'>): string {
  return `${namespace}/${name}`;
}

/** The token of a reconcile request. */
export function requestOf({ metadata }: Kustomization): string | undefined {
  return metadata.annotations?.['reconcile.fluxcd.io/requestedAt'];
}

export function conditionOf({ status }: Kustomization, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export type Step = 'Fetching manifests' | 'Building manifests' | 'Detecting drift' | 'Running health checks';

export function progressMessage(step: Step, revision: string, timeoutMs: number): string {
  return `${step} for revision ${revision} with a timeout of ${formatDuration(timeoutMs)}`;
}

/** The conditions of a Kustomization while a pass changes them. */
export type Conditions = ReadonlyMap<string, Condition>;

export function conditionsOf({ status }: Kustomization): Conditions {
  return new Map((status?.conditions ?? []).map((condition) => [condition.type, condition]));
}

/** A condition set; progress ends a stall. */
export function mark(conditions: Conditions, ...changes: readonly Condition[]): Conditions {
  const next = new Map(conditions);
  for (const { type, status, reason, message } of changes) {
    next.set(type, { type, status, reason, message });
    if (type === 'Reconciling') next.delete('Stalled');
    if (type === 'Stalled') next.delete('Reconciling');
  }
  return next;
}

export function unmark(conditions: Conditions, type: string): Conditions {
  const next = new Map(conditions);
  next.delete(type);
  return next;
}

export type History = NonNullable<KustomizationStatus['history']>;
export type Snapshot = History[number];

/** Flux keeps this many. */
const MAX_HISTORY = 5;

/** History with one more pass: the entry of the same digest and status counts on and comes first. Source: fluxcd/pkg apis/meta history.go. */
export function recordHistory(
  history: History,
  {
    digest,
    status,
    now,
    durationMs,
    metadata,
  }: {
    readonly digest: string;
    readonly status: string;
    /** RFC 3339. */
    readonly now: string;
    readonly durationMs: number;
    readonly metadata: Readonly<Record<string, string>>;
  },
): History {
  const same = (entry: Snapshot): boolean => entry.digest === digest && entry.lastReconciledStatus === status;
  const before = history.find(same);
  const entry: Snapshot = {
    digest,
    firstReconciled: before?.firstReconciled ?? now,
    lastReconciled: now,
    lastReconciledDuration: formatDuration(Math.max(0.001, durationMs)),
    lastReconciledStatus: status,
    metadata: { ...metadata },
    totalReconciliations: Number(before?.totalReconciliations ?? 0) + 1,
  };
  return [entry, ...history.filter((other) => !same(other))].slice(0, MAX_HISTORY);
}

/** Whether deleting the Kustomization deletes what it applied. Source: kustomize-controller@1.9 finalizerShouldDeleteResources. */
export function deletesObjects({ spec, status }: Kustomization): boolean {
  if (spec.suspend === true || (status?.inventory?.entries ?? []).length === 0) return false;
  switch (spec.deletionPolicy ?? 'MirrorPrune') {
    case 'MirrorPrune':
      return spec.prune === true;
    case 'Delete':
    case 'WaitForTermination':
      return true;
    case 'Orphan':
      return false;
  }
}

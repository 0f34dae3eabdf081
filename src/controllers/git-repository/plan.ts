import { type Condition, notReady, ready, reconciling, unknownReady } from '../../api/condition.ts';
import type { Artifact, GitRepository, GitRepositoryStatus } from '../../api/kinds/git-repository.ts';
import type { EventRecord, Outcome } from '../../api/outcome.ts';
import { equal, type Json, type JsonObject } from '../../base/json.ts';

/** Condition types of a GitRepository. Source: source-controller@1.9 gitrepository_controller.go gitRepositoryReadyCondition. */
export const CONDITIONS = [
  'StorageOperationFailed',
  'FetchFailed',
  'IncludeUnavailable',
  'ArtifactOutdated',
  'ArtifactInStorage',
  'SourceVerified',
] as const;
export type ConditionType = (typeof CONDITIONS)[number];
/** Those that are bad when True, in the order in which they speak for Ready. */
const FAILURES: readonly ConditionType[] = ['StorageOperationFailed', 'FetchFailed', 'IncludeUnavailable'];

/** What a step found wrong. `wait` comes again after the dependency interval, `stall` after a change of the spec only. */
export interface Failure {
  readonly type: ConditionType;
  readonly reason: string;
  readonly message: string;
  readonly policy: 'retry' | 'wait' | 'stall';
}

/** What is known of the object while it is reconciled: its conditions and its own status fields. */
export interface Progress {
  readonly conditions: readonly Condition[];
  readonly status: Own;
  /** What Reconciling says. */
  readonly message: string;
  readonly events: readonly EventRecord[];
}
/** Conditions that are of the generation that they were last found in. */
const KEPT: ReadonlySet<string> = new Set(['ArtifactInStorage', 'SourceVerified']);

/** The status fields of a source that only its reconciler knows. */
export type Own = Omit<GitRepositoryStatus, 'conditions' | 'observedGeneration' | 'lastHandledReconcileAt'>;

/** Where every reconcile begins. A failed verification is judged anew, a stored failure of ours is over. */
export function begin(object: GitRepository): Progress {
  const { conditions = [], observedGeneration, lastHandledReconcileAt: _, ...own } = object.status ?? {};
  const kept = conditions
    .filter(
      ({ type, status }) =>
        !['StorageOperationFailed', 'Reconciling', 'Stalled'].includes(type) &&
        !(type === 'SourceVerified' && status === 'False'),
    )
    .map(({ type, status, reason, message, observedGeneration: found }) => ({
      type,
      status,
      reason,
      message,
      // A signature is as old as the last look at it.
      ...(KEPT.has(type) && found !== undefined ? { observedGeneration: Number(found) } : {}),
    }));
  const generation = object.metadata.generation ?? 0;
  const seen = observedGeneration ?? 0;
  const message =
    generation === seen ? 'reconciliation in progress' : `processing object: new generation ${seen} -> ${generation}`;
  return { conditions: kept, status: own, message, events: [] };
}

export function mark(progress: Progress, condition: Condition): Progress {
  const others = progress.conditions.filter(({ type }) => type !== condition.type);
  return { ...progress, conditions: [...others, condition] };
}

export function unmark(progress: Progress, ...types: readonly ConditionType[]): Progress {
  return { ...progress, conditions: progress.conditions.filter(({ type }) => !types.some((each) => each === type)) };
}

export function tell(progress: Progress, event: EventRecord): Progress {
  return { ...progress, events: [...progress.events, event] };
}

/** A step that changes what is stored: Ready becomes Unknown until it is done. */
export function building(progress: Progress, detail: string): Progress {
  const message = detail === '' ? 'building artifact' : `building artifact: ${detail}`;
  return { ...mark(progress, unknownReady('Progressing', message)), message };
}

/** The artifact on record is not there (any more): nothing is advertised until a new one is made. */
export function withoutArtifact(progress: Progress, disappeared: boolean): Progress {
  const { artifact: _, ...status } = progress.status;
  const lost = building(
    unmark({ ...progress, status }, 'ArtifactInStorage'),
    disappeared ? 'disappeared from storage' : '',
  );
  return lost;
}

/** Conditions to show while the reconcile goes on. */
export function report(progress: Progress): { readonly conditions: readonly Condition[]; readonly status: JsonObject } {
  const conditions = [...progress.conditions, reconciling('Progressing', progress.message)];
  return { conditions, status: asJson(progress.status) };
}

/** The stored artifact's condition. */
export function inStorage(revision: string): Condition {
  return {
    type: 'ArtifactInStorage',
    status: 'True',
    reason: 'Succeeded',
    message: `stored artifact for revision '${revision}'`,
  };
}

/** Whether two lists of included artifacts differ. Source: source-controller@1.9 artifact.go artifactSet.Diff. */
export function includesDiffer(now: readonly Artifact[], before: readonly Artifact[] | undefined): boolean {
  const known = before ?? [];
  return (
    now.length !== known.length ||
    now.some(({ revision, digest }, index) => revision !== known[index]?.revision || digest !== known[index]?.digest)
  );
}

/** Whether the same commit would give another artifact than the stored one. Source: gitrepository_controller.go gitContentConfigChanged. */
export function contentChanged({ spec }: GitRepository, status: Own, includes: readonly Artifact[]): boolean {
  if (spec.ignore !== status.observedIgnore) return true;
  if ((spec.recurseSubmodules ?? false) !== (status.observedRecurseSubmodules ?? false)) return true;
  if (!equal(list(spec.include), list(status.observedInclude))) return true;
  if (!equal(list(spec.sparseCheckout), list(status.observedSparseCheckout))) return true;
  if (spec.verify !== undefined && status.sourceVerificationMode !== verificationMode(spec.verify.mode)) return true;
  return includesDiffer(includes, status.includedArtifacts);
}

function list(value: readonly Json[] | readonly object[] | undefined): Json {
  return (value ?? []) as readonly Json[];
}

export type VerificationMode = 'HEAD' | 'Tag' | 'TagAndHEAD';

/** `head` is the older spelling of `HEAD`. */
export function verificationMode(mode: string | undefined): VerificationMode {
  return mode === 'Tag' || mode === 'TagAndHEAD' ? mode : 'HEAD';
}

/** The status fields of a newly stored artifact. */
export function stored(
  progress: Progress,
  { spec }: GitRepository,
  artifact: Artifact,
  includes: readonly Artifact[],
): Progress {
  const { sourceVerificationMode } = progress.status;
  const status: Own = {
    artifact,
    ...(includes.length === 0 ? {} : { includedArtifacts: [...includes] }),
    ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }),
    ...(spec.include === undefined || spec.include.length === 0 ? {} : { observedInclude: spec.include }),
    ...(spec.recurseSubmodules === true ? { observedRecurseSubmodules: true } : {}),
    ...(spec.sparseCheckout === undefined || spec.sparseCheckout.length === 0
      ? {}
      : { observedSparseCheckout: spec.sparseCheckout }),
    ...(sourceVerificationMode === undefined ? {} : { sourceVerificationMode }),
  };
  return mark(
    unmark({ ...progress, status }, 'ArtifactOutdated', 'StorageOperationFailed'),
    inStorage(artifact.revision),
  );
}

/** Ends a reconcile well. `commit` is the short message of what is stored, or its revision where only that is known. */
export function conclude(object: GitRepository, progress: Progress, commit: string, intervalMs: number): Outcome {
  const { artifact } = progress.status;
  const summary = progress.conditions.find(({ type }) => type === 'ArtifactInStorage');
  const conditions = [
    ...progress.conditions.filter(({ type }) => type !== 'Ready'),
    ready('Succeeded', summary?.message ?? ''),
  ];
  const reason = newsReason(object, progress);
  const news: readonly EventRecord[] =
    artifact === undefined || reason === undefined
      ? []
      : [
          {
            severity: 'info',
            reason,
            message: `stored artifact for commit '${commit}'`,
            metadata: { revision: artifact.revision, digest: artifact.digest },
          },
        ];
  return {
    kind: 'done',
    requeueAfterMs: intervalMs,
    conditions,
    events: [...progress.events, ...news],
    status: asJson(progress.status),
  };
}

/** New content is news; the same content is only after a failure. Source: gitrepository_controller.go notify. */
function newsReason(object: GitRepository, progress: Progress): 'NewArtifact' | 'Succeeded' | undefined {
  if (object.status?.artifact?.digest !== progress.status.artifact?.digest) return 'NewArtifact';
  const failedBefore = (object.status?.conditions ?? []).some(
    ({ type, status }) => status === 'True' && FAILURES.some((failure) => failure === type),
  );
  return failedBefore ? 'Succeeded' : undefined;
}

/** Ends a reconcile with a failure: what was stored stays. */
export function fail(progress: Progress, failure: Failure, waitMs: number): Outcome {
  const { type, reason, message, policy } = failure;
  const marked = mark(progress, { type, status: type === 'SourceVerified' ? 'False' : 'True', reason, message });
  const speaker =
    FAILURES.map((each) =>
      marked.conditions.find((condition) => condition.type === each && condition.status === 'True'),
    ).find((condition) => condition !== undefined) ?? failure;
  const conditions = [
    ...marked.conditions.filter((condition) => condition.type !== 'Ready'),
    notReady(speaker.reason, speaker.message),
  ];
  const event: EventRecord = { severity: policy === 'wait' ? 'info' : 'error', reason, message };
  const rest = { events: [...marked.events, event], status: asJson(marked.status) };
  switch (policy) {
    case 'retry':
      return {
        kind: 'backoff',
        conditions: [...conditions, reconciling('ProgressingWithRetry', progress.message)],
        ...rest,
      };
    case 'wait':
      return {
        kind: 'wait',
        requeueAfterMs: waitMs,
        conditions: [...conditions, reconciling('ProgressingWithRetry', progress.message)],
        ...rest,
      };
    case 'stall':
      return {
        kind: 'stalled',
        conditions: [...conditions, { type: 'Stalled', status: 'True', reason, message }],
        ...rest,
      };
  }
}

function asJson(status: Own): JsonObject {
  return status as unknown as JsonObject;
}

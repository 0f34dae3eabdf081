import type { Pod } from '../shapes.ts';
import type { Job } from '../shapes-batch.ts';
import type { Failure } from './outcome.ts';
import { ruleFor } from './outcome.ts';

/** On a pod: how often the pods of its index had failed before it. */
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';

/** Whether a pod's failure ends its index. Source: kubernetes@1.34 pkg/controller/job/backoff_utils.go, indexed_job_utils.go. */
export function failsIndex(job: Job, pod: Pod): boolean {
  const limit = job.spec.backoffLimitPerIndex;
  if (limit === undefined) return false;
  return ruleFor(job, pod)?.rule.action === 'FailIndex' || failuresBefore(pod) >= limit;
}

/** Failures that the next pod of an index begins with, given the ended pods of that index. */
export function failuresOf(job: Job, pods: readonly Pod[]): number {
  const counts = pods.map((pod) => failuresBefore(pod) + (ruleFor(job, pod)?.rule.action === 'Ignore' ? 0 : 1));
  return Math.max(0, ...counts);
}

function failuresBefore({ metadata }: Pod): number {
  return Number(metadata.annotations?.[INDEX_FAILURES] ?? 0) || 0;
}

/** Why failed indexes are the end of the Job; undefined while they are not. */
export function indexFailure(
  { spec }: Job,
  failed: ReadonlySet<number>,
  completed: ReadonlySet<number>,
): Failure | undefined {
  if (spec.backoffLimitPerIndex === undefined || failed.size === 0) return undefined;
  if (spec.maxFailedIndexes !== undefined && failed.size > spec.maxFailedIndexes)
    return {
      reason: 'MaxFailedIndexesExceeded',
      message: 'Job has exceeded the specified maximal number of failed indexes',
    };
  return failed.size + completed.size >= (spec.completions ?? 0)
    ? { reason: 'FailedIndexes', message: 'Job has failed indexes' }
    : undefined;
}

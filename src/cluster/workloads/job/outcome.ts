import type { Pod } from '../shapes.ts';
import type { Job, PodFailurePolicyRule } from '../shapes-batch.ts';

export interface Failure {
  readonly reason:
    | 'BackoffLimitExceeded'
    | 'DeadlineExceeded'
    | 'PodFailurePolicy'
    | 'MaxFailedIndexesExceeded'
    | 'FailedIndexes';
  readonly message: string;
}

/** Succeeded pods that make the Job complete; undefined: the first one does, once no other runs. */
export function isComplete({ spec }: Job, succeeded: number, active: number): boolean {
  return spec.completions === undefined ? succeeded > 0 && active === 0 : succeeded >= spec.completions;
}

/** Pods that shall run now. Source: kubernetes@1.34 pkg/controller/job/job_controller.go manageJob. */
export function wantedPods({ spec }: Job, succeeded: number, active: number): number {
  const parallelism = spec.parallelism ?? 1;
  if (spec.completions === undefined) return succeeded > 0 ? Math.min(active, parallelism) : parallelism;
  return Math.max(0, Math.min(parallelism, spec.completions - succeeded));
}

/** Why the Job has failed; undefined while it has not. */
export function failureOf(
  job: Job,
  facts: {
    readonly failed: number;
    readonly active: readonly Pod[];
    readonly newlyFailed: readonly Pod[];
    readonly startMs: number | undefined;
    readonly nowMs: number;
  },
): Failure | undefined {
  const { spec } = job;
  for (const pod of facts.newlyFailed) {
    const rule = ruleFor(job, pod);
    if (rule?.rule.action === 'FailJob') {
      return { reason: 'PodFailurePolicy', message: failJobMessage(pod, rule.rule, rule.index) };
    }
  }
  const limit = spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1);
  const restarts = facts.active.reduce(
    (sum, { status }) => sum + (status?.containerStatuses ?? []).reduce((most, one) => most + one.restartCount, 0),
    0,
  );
  const restartsCount = spec.template.spec.restartPolicy === 'OnFailure';
  if (facts.failed > limit || (restartsCount && (limit === 0 ? restarts > 0 : restarts >= limit))) {
    return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  const deadlineMs = spec.activeDeadlineSeconds === undefined ? undefined : spec.activeDeadlineSeconds * 1000;
  if (deadlineMs !== undefined && facts.startMs !== undefined && facts.nowMs - facts.startMs >= deadlineMs) {
    return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  }
  return undefined;
}

/** Failures that the Job's policy says to forget. */
export function isIgnored(job: Job, pod: Pod): boolean {
  return ruleFor(job, pod)?.rule.action === 'Ignore';
}

/** The first rule of the failure policy that fits a failed pod. */
export function ruleFor(
  job: Job,
  pod: Pod,
): { readonly rule: PodFailurePolicyRule; readonly index: number } | undefined {
  const rules = job.spec.podFailurePolicy?.rules ?? [];
  const index = rules.findIndex((rule) => fits(rule, pod));
  const rule = rules[index];
  return rule === undefined ? undefined : { rule, index };
}

function fits({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): boolean {
  if (onExitCodes !== undefined && onExitCodes !== null) return exitedContainer(onExitCodes, pod) !== undefined;
  return (onPodConditions ?? []).some(({ type, status }) =>
    (pod.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === status),
  );
}

function exitedContainer(
  { containerName, operator, values }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  { status }: Pod,
): { readonly name: string; readonly exitCode: number } | undefined {
  for (const { name, state } of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const exitCode = state.terminated?.exitCode;
    if (exitCode === undefined || exitCode === 0) continue;
    if (containerName !== undefined && containerName !== null && containerName !== name) continue;
    if (values.includes(exitCode) === (operator === 'In')) return { name, exitCode };
  }
  return undefined;
}

function failJobMessage(pod: Pod, rule: PodFailurePolicyRule, index: number): string {
  const { namespace, name } = pod.metadata;
  const id = `${namespace ?? ''}/${name}`;
  const exited = rule.onExitCodes === undefined ? undefined : exitedContainer(rule.onExitCodes, pod);
  if (exited !== undefined) {
    return `Container ${exited.name} for pod ${id} failed with exit code ${exited.exitCode} matching FailJob rule at index ${index}`;
  }
  const condition = rule.onPodConditions?.[0]?.type ?? '';
  return `Pod ${id} has condition ${condition} matching FailJob rule at index ${index}`;
}

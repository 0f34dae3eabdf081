import type { Job } from '../shapes-batch.ts';
import { parseIndexes } from './indexes.ts';

/** The message of the first rule of a Job's success policy that its completed indexes meet. Source: kubernetes@1.34 pkg/controller/job/success_policy.go. */
export function matchedSuccessRule({ spec }: Job, completed: ReadonlySet<number>): string | undefined {
  const rules = spec.successPolicy?.rules ?? [];
  const index = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    const wanted = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes);
    const reached = wanted === undefined ? completed.size : [...wanted].filter((one) => completed.has(one)).length;
    return reached >= (succeededCount ?? wanted?.size ?? Number.POSITIVE_INFINITY);
  });
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}

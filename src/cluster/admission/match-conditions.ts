import type { Json } from '../../base/json.ts';
import { stringAt } from '../../base/json.ts';
import type { AdmissionCel } from './admission-cel.ts';

export type Conditions = 'match' | 'no-match' | { readonly error: string };

/**
 * What `matchConditions` say: a false one decides, whatever failed; else a failure does. The caller applies its failurePolicy.
 * Source: kubernetes@1.34 apiserver/pkg/admission/plugin/webhook/matchconditions.
 */
export function matchConditions(conditions: readonly Json[], cel: AdmissionCel): Conditions {
  const errors: string[] = [];
  for (const condition of conditions) {
    const result = cel.run(stringAt(condition, 'expression') ?? '');
    if (result.ok) {
      if (result.value === false) return 'no-match';
    } else if (result.error.spent) return { error: result.error.message };
    else errors.push(result.error.message);
  }
  if (errors.length === 0) return 'match';
  const unique = [...new Set(errors)];
  return { error: unique.length === 1 ? (unique[0] as string) : `[${unique.join(', ')}]` };
}

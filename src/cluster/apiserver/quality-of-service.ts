import type { KubeObject } from '../../api/object.ts';
import { at, isObject, type Json } from '../../base/json.ts';
import { items } from './draft.ts';
import { nanoOf } from './quantity.ts';

const KINDS = ['requests', 'limits'] as const;
type Sums = { readonly requests: Map<string, bigint>; readonly limits: Map<string, bigint> };

/** A pod's class: whether its containers, or the pod as a whole, get what they ask for and no more. Source: kubernetes@1.34 pkg/apis/core/v1/helper/qos. */
export function qualityOf(pod: KubeObject): string {
  const whole = at(pod.spec, 'resources');
  const parts: readonly (Json | undefined)[] = KINDS.some((kind) => isObject(at(whole, kind)))
    ? [whole]
    : [...items(pod.spec, 'containers'), ...items(pod.spec, 'initContainers')].map((one) => at(one, 'resources'));
  const sums: Sums = { requests: new Map(), limits: new Map() };
  let limited = true;
  for (const part of parts) {
    for (const kind of KINDS)
      for (const name of ['cpu', 'memory']) {
        const amount = nanoOf(at(part, kind, name));
        if (amount > 0n) sums[kind].set(name, (sums[kind].get(name) ?? 0n) + amount);
        else if (kind === 'limits') limited = false;
      }
  }
  const { requests, limits } = sums;
  if (requests.size + limits.size === 0) return 'BestEffort';
  const equal = requests.size === limits.size && [...requests].every(([name, amount]) => limits.get(name) === amount);
  return limited && equal ? 'Guaranteed' : 'Burstable';
}

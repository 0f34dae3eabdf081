import type { LabelSelector, Labels } from './shapes.ts';

/** Says whether `labels` satisfy `selector`; an empty selector matches everything, an absent one nothing. */
export function matches(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (selector === undefined || selector === null) return false;
  const own = (key: string): string | undefined =>
    labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (own(key) !== value) return false;
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const value = own(key);
    const listed = value !== undefined && (values ?? []).includes(value);
    switch (operator) {
      case 'In':
        if (!listed) return false;
        break;
      case 'NotIn':
        if (listed) return false;
        break;
      case 'Exists':
        if (value === undefined) return false;
        break;
      case 'DoesNotExist':
        if (value !== undefined) return false;
        break;
    }
  }
  return true;
}

/** Says whether `selector` selects every object: controllers refuse to act on such a selector. */
export function selectsAll(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

/** Says whether every pair of `wanted` is in `labels` (a Service's selector, a node selector). */
export function includes(labels: Labels | undefined, wanted: Labels): boolean {
  return Object.entries(wanted).every(
    ([key, value]) => labels !== undefined && Object.hasOwn(labels, key) && labels[key] === value,
  );
}

import { field, isArray, isObject, type Json, stringAt } from '../../base/json.ts';

/** A selector as one text, sorted by key. Source: kubernetes@1.34 apimachinery/pkg/labels Requirement.String. */
export function printSelector(selector: Json | undefined): string {
  if (!isObject(selector)) return '';
  const plain = field(selector, 'matchLabels') ?? (field(selector, 'matchExpressions') === undefined ? selector : {});
  const parts: { readonly key: string; readonly text: string }[] = [];
  if (isObject(plain))
    for (const key of Object.keys(plain)) parts.push({ key, text: `${key}=${stringAt(plain, key) ?? ''}` });
  const expressions = field(selector, 'matchExpressions');
  for (const one of isArray(expressions) ? expressions : []) {
    const key = stringAt(one, 'key') ?? '';
    const values = field(one, 'values');
    const list = isArray(values) ? values.map(String).toSorted().join(',') : '';
    const operator = stringAt(one, 'operator');
    parts.push({
      key,
      text:
        operator === 'In'
          ? `${key} in (${list})`
          : operator === 'NotIn'
            ? `${key} notin (${list})`
            : operator === 'Exists'
              ? key
              : `!${key}`,
    });
  }
  return parts
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(',');
}

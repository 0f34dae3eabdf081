import type { Branch, Item, TreeValue } from './tree.ts';

/** A level of `sops_age__list_0__map_enc` under way. */
interface Level {
  readonly entries: Map<string, Level | string>;
  readonly isList: boolean;
}

/** Far above the recipients of any file. */
const MAX_INDEX = 2_000;

/** Nested metadata from the flat keys of formats without nesting. Source: sops@3.13 stores/flatten.go. */
export function unflatten(flat: readonly (readonly [string, string])[]): Branch {
  const root: Level = { entries: new Map(), isList: false };
  for (const [key, value] of flat) {
    const steps = key.split(/__(?=map_|list_)/);
    let level = root;
    for (const [index, step] of steps.entries()) {
      const name = index === 0 ? step : step.replace(/^(map|list)_/, '');
      const next = steps[index + 1];
      if (next === undefined) level.entries.set(name, value);
      else {
        const found = level.entries.get(name);
        const inner: Level =
          found === undefined || typeof found === 'string'
            ? { entries: new Map(), isList: next.startsWith('list_') }
            : found;
        level.entries.set(name, inner);
        level = inner;
      }
    }
  }
  return branchOf(root);
}

function branchOf(level: Level): Branch {
  const items: Item[] = [...level.entries].map(([key, value]) => ({ key, value: valueOf(value) }));
  return { items };
}

function valueOf(value: Level | string): TreeValue {
  // Newlines are written as `\n` where a value has one line.
  if (typeof value === 'string') return value.replaceAll('\\n', '\n');
  if (!value.isList) return branchOf(value);
  return [...value.entries]
    .map(([key, item]) => [Number(key), item] as const)
    .filter(([index]) => Number.isInteger(index) && index >= 0 && index < MAX_INDEX)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => valueOf(item));
}

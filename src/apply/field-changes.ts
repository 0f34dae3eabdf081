import type { KubeObject, ManagedFieldsEntry } from '../api/object.ts';
import { equal, field, isArray, isObject, type Json, type JsonObject, parseJson, stringifyJson } from '../base/json.ts';
import { fieldsOf, managerOf } from './field-managers.ts';

/** One field that a live object had otherwise than it should. */
export interface FieldChange {
  /** Like `.spec.containers[0].image`. */
  readonly path: string;
  /** As JSON, shortened; undefined where the field was absent. `***` for what may be secret. */
  readonly was: string | undefined;
  readonly is: string | undefined;
  /** Managers of the field beside our own, by the server's book-keeping; of a field that is gone the last one that wrote. */
  readonly managers: readonly string[];
}

const MAX_CHANGES = 30;
const MAX_VALUE = 120;
const MASK = '***';
/** A writer without a user agent has no name. */
const NAMELESS = 'an unnamed manager';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The fields in which a live object differs from what it became, of labels, annotations and everything beside metadata and status.
 * Values of Secrets are masked, and so is the copy of them that kubectl leaves in an annotation.
 */
export function fieldChanges(live: KubeObject, wanted: KubeObject, self: string): readonly FieldChange[] {
  const found: { readonly steps: readonly Step[]; readonly was: Json | undefined; readonly is: Json | undefined }[] =
    [];
  const compare = (was: Json | undefined, is: Json | undefined, steps: readonly Step[]): void => {
    if (found.length >= MAX_CHANGES || (was === undefined ? is === undefined : is !== undefined && equal(was, is)))
      return;
    if (isObject(was) && isObject(is)) {
      for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
        compare(field(was, key), field(is, key), [...steps, { key }]);
      }
    } else if (isArray(was) && isArray(is) && was.length === is.length) {
      for (const [index, item] of was.entries()) compare(item, is[index], [...steps, { index, item }]);
    } else found.push({ steps, was, is });
  };
  const [before, after] = [live, wanted] as unknown as readonly [JsonObject, JsonObject];
  for (const map of ['labels', 'annotations'] as const) {
    const [was, is] = [live.metadata[map] ?? {}, wanted.metadata[map] ?? {}];
    compare(was, is, [{ key: 'metadata' }, { key: map }]);
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (key !== 'metadata' && key !== 'status') compare(field(before, key), field(after, key), [{ key }]);
  }
  const secret = live.kind === 'Secret' && live.apiVersion === 'v1';
  return found.map(({ steps, was, is }) => {
    const hidden = isHidden(steps, secret);
    return {
      path: printPath(steps),
      was: print(was, hidden),
      is: print(is, hidden),
      managers: managersOf(live.metadata.managedFields ?? [], steps, self, was === undefined),
    };
  });
}

/** A line per field: `.spec.replicas: 3 (by kubectl-scale) -> 1`. */
export function printFieldChanges(changes: readonly FieldChange[]): string {
  const lines = changes.map(({ path, was, is, managers }) => {
    const by = managers.length === 0 ? '' : ` (by ${managers.join(', ')})`;
    return `${path}: ${was ?? 'absent'}${by} -> ${is ?? 'absent'}`;
  });
  return changes.length < MAX_CHANGES ? lines.join('\n') : `${lines.join('\n')}\nand maybe more`;
}

type Step = { readonly key: string } | { readonly index: number; readonly item: Json };

function isHidden(steps: readonly Step[], secret: boolean): boolean {
  const keys = steps.map((step) => ('key' in step ? step.key : ''));
  if (keys[1] === 'annotations' && keys[0] === 'metadata' && (secret || keys[2] === LAST_APPLIED)) return true;
  return secret && (keys[0] === 'data' || keys[0] === 'stringData');
}

function print(value: Json | undefined, hidden: boolean): string | undefined {
  if (value === undefined) return undefined;
  if (hidden) return MASK;
  const text = stringifyJson(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}...` : text;
}

function printPath(steps: readonly Step[]): string {
  return steps
    .map((step) => {
      if ('index' in step) return `[${step.index}]`;
      return /^[A-Za-z_][\w-]*$/.test(step.key) ? `.${step.key}` : `[${JSON.stringify(step.key)}]`;
    })
    .join('');
}

function managersOf(
  entries: readonly ManagedFieldsEntry[],
  steps: readonly Step[],
  self: string,
  gone: boolean,
): readonly string[] {
  const others = entries.filter(({ manager, subresource }) => manager !== self && !subresource);
  const owners = others.filter((entry) => owns(fieldsOf(entry), steps));
  if (owners.length > 0) return [...new Set(owners.map((entry) => managerOf(entry) || NAMELESS))];
  if (!gone) return [];
  const last = others.toSorted((a, b) => (a.time ?? '').localeCompare(b.time ?? '')).at(-1);
  return last === undefined ? [] : [managerOf(last) || NAMELESS];
}

/** Whether a field set holds a path. A set is a trie; list items are named by their keys or values. Source: structured-merge-diff fieldpath. */
function owns(set: JsonObject, steps: readonly Step[]): boolean {
  let node: Json | undefined = set;
  for (const step of steps) {
    if (!isObject(node)) return false;
    // A field owned as a whole has nothing below it.
    if (Object.keys(node).length === 0 && node !== set) return true;
    node = 'key' in step ? field(node, `f:${step.key}`) : itemOf(node, step);
  }
  return node !== undefined;
}

function itemOf(node: JsonObject, { index, item }: Extract<Step, { readonly index: number }>): Json | undefined {
  for (const key of Object.keys(node)) {
    if (key === `i:${index}`) return node[key];
    const text = key.slice(2);
    if (key.startsWith('v:') && stringifyJson(item) === text) return node[key];
    if (!key.startsWith('k:')) continue;
    const keys = parseJson(text);
    if (!isObject(keys)) continue;
    if (Object.keys(keys).every((name) => equalField(keys, item, name))) return node[key];
  }
  return undefined;
}

function equalField(keys: JsonObject, item: Json, name: string): boolean {
  const [wanted, has] = [field(keys, name), isObject(item) ? field(item, name) : undefined];
  return wanted !== undefined && has !== undefined && equal(wanted, has);
}

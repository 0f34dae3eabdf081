import { type NodeKind, NULL_TAG, scalarNode, seqNode, type YamlNode } from '../yaml/node.ts';
import { printNode } from '../yaml/print-node.ts';
import { fail } from './failure.ts';
import {
  clearField,
  fieldOf,
  isMissingOrNull,
  isNilOrEmpty,
  isNull,
  matchElement,
  quoteNonString,
  requireKind,
  setField,
} from './node-edit.ts';
import { compareText } from './resource-id.ts';
import type { Schema, SchemaStore } from './schema.ts';

type MaybeNode = YamlNode | undefined;

/**
 * Applies a strategic merge patch in place and returns the result, or undefined when the patch deletes the object. As kyaml does
 * it (yaml/merge2, yaml/walk), with new list items in front.
 */
export function strategicMerge(target: YamlNode, patch: YamlNode, schemas: SchemaStore): YamlNode | undefined {
  return new Merger(schemas).walk(target, patch, undefined, []);
}

type Directive = 'merge' | 'replace' | 'delete';

class Merger {
  private readonly schemas: SchemaStore;
  /** Nulls that must stay: kyaml's ShouldKeep. */
  private readonly kept = new Set<YamlNode>();

  constructor(schemas: SchemaStore) {
    this.schemas = schemas;
  }

  walk(dest: MaybeNode, origin: MaybeNode, known: Schema | undefined, path: readonly string[]): MaybeNode {
    const schema = known ?? this.schemaOf(dest) ?? this.schemaOf(origin);
    const kind: NodeKind = !isMissingOrNull(dest)
      ? (dest as unknown as YamlNode).kind
      : !isMissingOrNull(origin)
        ? (origin as unknown as YamlNode).kind
        : 'none';
    if (kind !== 'none') {
      requireKind(dest, kind);
      requireKind(origin, kind);
    }
    switch (kind) {
      case 'map':
      case 'none':
        return this.map(dest, origin, schema, path);
      case 'seq':
        if (schema?.mergeKeys !== undefined) return this.list(dest, origin, schema, path);
        return origin ?? dest;
      case 'scalar':
        return origin ?? dest;
      default:
        return undefined;
    }
  }

  /** A node that says its kind has that kind's schema, wherever it stands. */
  private schemaOf(node: MaybeNode): Schema | undefined {
    if (node === undefined || node.kind !== 'map') return undefined;
    const kind = fieldOf(node, 'kind');
    if (kind === undefined || isNilOrEmpty(kind)) return undefined;
    const apiVersion = fieldOf(node, 'apiVersion');
    if (apiVersion === undefined || isNilOrEmpty(apiVersion) || apiVersion.value === '' || kind.value === '')
      return undefined;
    return this.schemas.forKind(apiVersion.value, kind.value);
  }

  private visitMap(dest: MaybeNode, origin: MaybeNode): MaybeNode {
    if (isMissingOrNull(dest)) {
      const at = dest as MaybeNode;
      if (directiveOrMerge(origin) === 'delete') return undefined;
      if (origin === undefined && at !== undefined && at.value.length > 0) {
        const node = scalarNode(at.value, NULL_TAG);
        this.kept.add(node);
        return node;
      }
      return origin;
    }
    if (origin !== undefined && isNull(origin)) return undefined;
    switch (directiveOf(origin)) {
      case 'delete':
        return undefined;
      case 'replace':
        return origin;
      default:
        return dest;
    }
  }

  private map(dest: MaybeNode, origin: MaybeNode, schema: Schema | undefined, path: readonly string[]): MaybeNode {
    const into = this.visitMap(dest, origin);
    if (into === undefined) return undefined;
    for (const name of fieldNames(into, origin)) {
      const ours = fieldOf(into, name);
      const theirs = origin === into ? ours : fieldOf(origin, name);
      const value = this.walk(ours, theirs, schema?.field(name), path);
      // Most fields stay as they are: setting one to itself would change nothing.
      if (value === ours && value !== undefined && !isNull(value)) {
        if (value.tag === '') quoteNonString(value);
        continue;
      }
      setField(into, name, value, value !== undefined && this.kept.has(value));
    }
    return into;
  }

  private list(dest: MaybeNode, origin: MaybeNode, schema: Schema, path: readonly string[]): MaybeNode {
    const into = visitList(dest, origin);
    if (into === undefined) return undefined;
    const keys = schema.mergeKeys as readonly string[];
    const values = elementValues(keys, into, origin);
    if (values.length > 0 || keys.length > 0) return this.elements(values, keys, into, origin, schema, path);
    return this.elements(primitiveValues(into, origin), [''], into, origin, schema, path);
  }

  private elements(
    valuesList: string[][],
    keys: readonly string[],
    into: YamlNode,
    origin: MaybeNode,
    schema: Schema,
    path: readonly string[],
  ): MaybeNode {
    const added = seqNode();
    const merged = keys.length > 1 ? mergeValues(valuesList) : valuesList;
    let validKeys: readonly string[] = [];
    let validValues: readonly string[] = [];
    const elementSchema = schema.elements();
    const usedKeys = keysInUse(merged, keys);
    for (const values of merged) {
      if (values.length === 0) continue;
      [validKeys, validValues] = validate(usedKeys, values, keys);
      const value = this.walk(
        findElement(into, validKeys, validValues),
        origin === undefined ? undefined : findElement(origin, validKeys, validValues),
        elementSchema,
        path,
      );
      let gone = false;
      for (let index = 0; index < validKeys.length; index++) {
        const key = validKeys[index] as string;
        if (isMissingOrNull(value) || isEmptyMap(value as unknown as YamlNode)) {
          setElement(into, undefined, validKeys, validValues);
          gone = true;
        } else if (fieldOf(value as YamlNode, key) === undefined && validValues[index] !== '') {
          setField(value as YamlNode, key, scalarNode(validValues[index] as string));
        }
      }
      if (!gone) setElement(added, value, validKeys, validValues);
    }
    const result = merged.length > 0 ? appendList(added, into, validKeys) : into;
    return result;
  }
}

function isEmptyMap(node: YamlNode): boolean {
  return node.kind === 'map' && node.content.length === 0;
}

function fieldNames(into: YamlNode, origin: MaybeNode): string[] {
  const names = new Set<string>();
  if (into.kind === 'map')
    for (let index = 0; index < into.content.length; index += 2) names.add((into.content[index] as YamlNode).value);
  if (origin === undefined || origin === into || origin.kind !== 'map') return [...names];
  for (let index = 0; index < origin.content.length; index += 2) names.add((origin.content[index] as YamlNode).value);
  return [...names].sort(compareText);
}

function visitList(dest: MaybeNode, origin: MaybeNode): MaybeNode {
  if (isMissingOrNull(dest)) return origin;
  if (origin !== undefined && isNull(origin)) return undefined;
  switch (directiveOf(origin)) {
    case 'delete':
      return undefined;
    case 'replace':
      return origin;
    default:
      return dest;
  }
}

/** What `$patch` in a patch asks for; the directive is taken out of it (merge2/smpdirective.go). */
function directiveOf(patch: MaybeNode): Directive {
  if (patch === undefined) return 'merge';
  if (patch.kind === 'map') {
    const node = fieldOf(patch, '$patch');
    if (node === undefined) return 'merge';
    const directive = known(node.value);
    clearField(patch, '$patch');
    return directive;
  }
  if (patch.kind === 'seq') {
    const holder = patch.content.find((item) => item.kind === 'map' && fieldOf(item, '$patch') !== undefined);
    if (holder === undefined || holder.content.length > 2) return 'merge';
    const { value } = fieldOf(holder, '$patch') as YamlNode;
    const directive = known(value);
    setElement(patch, undefined, ['$patch'], [value]);
    return directive;
  }
  return fail(`no implemented strategic merge patch strategy for '${patch.tag}' ('${printNode(patch)}')`);
}

function directiveOrMerge(patch: MaybeNode): Directive {
  return patch === undefined || patch.kind === 'map' || patch.kind === 'seq' ? directiveOrIgnore(patch) : 'merge';
}

function directiveOrIgnore(patch: MaybeNode): Directive {
  const value = patch?.kind === 'map' ? fieldOf(patch, '$patch')?.value : undefined;
  if (value !== undefined && value !== 'delete' && value !== 'replace' && value !== 'merge') return 'merge';
  return directiveOf(patch);
}

function known(value: string): Directive {
  if (value !== 'delete' && value !== 'replace' && value !== 'merge') fail(`unknown patch strategy '${value}'`);
  return value as Directive;
}

/** Values of the keys of all items, those of the patch first, each once. */
function elementValues(keys: readonly string[], into: YamlNode, origin: MaybeNode): string[][] {
  const out: string[][] = [];
  if (keys.length === 0) return out;
  const seen = new Set<string>();
  for (const list of [origin, into]) {
    if (list === undefined || list.kind !== 'seq') continue;
    for (const item of list.content) {
      const values = keys.map((key) => {
        const found = fieldOf(item, key);
        return found === undefined || isNilOrEmpty(found) ? '' : found.value;
      });
      const id = values.join('\0');
      if (seen.has(id)) continue;
      seen.add(id);
      out.push(values);
    }
  }
  return out;
}

function primitiveValues(into: YamlNode, origin: MaybeNode): string[][] {
  const seen = new Set<string>();
  for (const list of [origin, into]) for (const item of list?.content ?? []) seen.add(item.value);
  return [...seen].map((value) => [value]);
}

/** Makes values that agree where both have one the same (`80` alone and `80/TCP`). */
function mergeValues(list: string[][]): string[][] {
  for (let first = 0; first < list.length; first++) {
    for (let second = 0; second < list.length; second++) {
      const values = unify(list[first] as string[], list[second] as string[]);
      if (values === undefined) continue;
      list[first] = values;
      list[second] = values;
    }
  }
  return list;
}

function unify(a: readonly string[], b: readonly string[]): string[] | undefined {
  if (a.length !== b.length) return undefined;
  let common = false;
  const out: string[] = [];
  for (let index = 0; index < a.length; index++) {
    const x = a[index] as string;
    const y = b[index] as string;
    if (x === y) common = true;
    else if (x !== '' && y !== '') return undefined;
    out.push(x === '' ? y : x);
  }
  return common ? out : undefined;
}

function keysInUse(valuesList: readonly (readonly string[])[], keys: readonly string[]): ReadonlySet<string> {
  const used = new Set<string>();
  for (const values of valuesList) values.forEach((value, index) => value !== '' && used.add(keys[index] as string));
  return used;
}

/** The keys that some item has, and the values for them. */
function validate(
  used: ReadonlySet<string>,
  values: readonly string[],
  keys: readonly string[],
): readonly [readonly string[], readonly string[]] {
  if (used.size === 0) return [keys, values];
  return [
    keys.filter((key) => used.has(key)),
    values.filter((value, index) => value !== '' || used.has(keys[index] as string)),
  ];
}

function findElement(list: YamlNode, keys: readonly string[], values: readonly string[]): MaybeNode {
  if (list.kind !== 'seq') return undefined;
  const [validKeys, validValues] = validate(keysInUse([values], keys), values, keys);
  if (validKeys.length !== validValues.length && validKeys[0] !== '') return undefined;
  return matchElement(list, validKeys, validValues);
}

/** kyaml's ElementSetter: replaces the item with these values, appends `element` when there is none, removes without one. */
function setElement(list: YamlNode, element: MaybeNode, keys: readonly string[], values: readonly string[]): void {
  const names = keys.length === 0 ? [''] : keys;
  const forMaps = names[0] !== '' && values.length > 0 && values[0] !== '';
  const content: YamlNode[] = [];
  let matched = false;
  for (const item of list.content) {
    if (isNull(item) || isEmptyMap(item)) continue;
    if (item.kind !== 'map' && forMaps) {
      content.push(item);
      continue;
    }
    if (!elementFits(item, names, values)) {
      if (values.length > 0) content.push(item);
      continue;
    }
    matched = true;
    if (element !== undefined) content.push(element);
  }
  list.content = content;
  if (element !== undefined && !isNull(element) && !matched) list.content.push(element);
}

function elementFits(item: YamlNode, keys: readonly string[], values: readonly string[]): boolean {
  let found: MaybeNode;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    if (index < values.length) {
      const value = values[index] as string;
      if (key === '') {
        requireKind(item, 'scalar');
        found = item.value === value ? item : undefined;
      } else {
        requireKind(item, 'map');
        const field = fieldOf(item, key);
        found = value === '' || field?.value === value ? field : undefined;
      }
    }
    if (found === undefined) return false;
  }
  return true;
}

/** Appends the items of `source` to `list`, in place of those with the same keys (walk/associative_sequence.go). */
function appendList(list: YamlNode, source: YamlNode, keys: readonly string[]): YamlNode {
  if (source === list) return list;
  for (const item of source.content) {
    if (keys[0] === '' || keys.length === 0) {
      setElement(list, item, [''], [item.value]);
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      requireKind(item, 'map');
      const value = fieldOf(item, key);
      if (value === undefined) list.content.push(item);
      else values.push(value.value);
    }
    if (keys.length > 1) setElement(list, undefined, keys, values);
    setElement(list, item, keys, values);
  }
  return list;
}

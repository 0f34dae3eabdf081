import { composeDocuments } from '../yaml/compose.ts';
import {
  assignNode,
  BINARY_TAG,
  DOUBLE_QUOTED,
  mapNode,
  type NodeKind,
  NULL_TAG,
  STR_TAG,
  scalarNode,
  seqNode,
  TIMESTAMP_TAG,
  YamlNode,
} from '../yaml/node.ts';
import { printNode } from '../yaml/print-node.ts';
import { resolveTag } from '../yaml/resolve.ts';
import { fail, KustomizeFailure } from './failure.ts';

/** The elementary steps of kyaml (yaml/fns.go, rnode.go) on trees, with its treatment of null, empty and missing. */

export function isNull(node: YamlNode): boolean {
  return node.tag === NULL_TAG;
}

export function isMissingOrNull(node: YamlNode | undefined): node is undefined {
  return node === undefined || node.tag === NULL_TAG;
}

export function isNilOrEmpty(node: YamlNode | undefined): boolean {
  if (node === undefined || node.tag === NULL_TAG || node.kind === 'none') return true;
  return (node.kind === 'map' || node.kind === 'seq') && node.content.length === 0;
}

export function isString(node: YamlNode): boolean {
  return node.kind === 'scalar' && (node.tag === STR_TAG || node.tag === '');
}

const KIND_NAMES: Readonly<Record<NodeKind, string>> = {
  map: 'MappingNode',
  seq: 'SequenceNode',
  scalar: 'ScalarNode',
  alias: 'AliasNode',
  none: '',
};

/** A node is not of the kind that a step needs. */
export class WrongKind extends KustomizeFailure {
  readonly actual: NodeKind;
  constructor(node: YamlNode, expected: NodeKind) {
    super(
      `wrong node kind: expected ${KIND_NAMES[expected]} but got ${KIND_NAMES[node.kind]}: node contents:\n${printNode(node)}`,
    );
    this.actual = node.kind;
  }
}

export function requireKind(node: YamlNode | undefined, kind: NodeKind): void {
  if (isMissingOrNull(node)) return;
  if ((node as YamlNode).kind !== kind) throw new WrongKind(node as YamlNode, kind);
}

/** Position of the key `name` in a mapping's content; -1 when it has none. */
export function indexOfKey(map: YamlNode, name: string): number {
  const { content } = map;
  for (let index = 0; index < content.length; index += 2) if ((content[index] as YamlNode).value === name) return index;
  return -1;
}

/** Value of field `name`, of a mapping only. */
export function fieldOf(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (node === undefined || node.kind !== 'map') return undefined;
  const index = indexOfKey(node, name);
  return index < 0 ? undefined : node.content[index + 1];
}

/** kyaml's FieldMatcher with a name: a null has no fields, anything but a mapping is an error. */
export function getField(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (isMissingOrNull(node)) return undefined;
  requireKind(node, 'map');
  return fieldOf(node, name);
}

/** Text of a scalar field; '' when it is missing or null. */
export function textOf(node: YamlNode | undefined): string {
  return isMissingOrNull(node) ? '' : (node as YamlNode).value;
}

export function clearField(map: YamlNode | undefined, name: string): void {
  if (isMissingOrNull(map)) return;
  requireKind(map, 'map');
  const node = map as YamlNode;
  const index = indexOfKey(node, name);
  if (index >= 0) node.content.splice(index, 2);
}

/** Text that YAML reads as a plain scalar whatever stands around it. */
const WORD = /^[A-Za-z0-9._/+-]+$/;

/** Whether YAML 1.1 reads `value`, unquoted, as something else than a string (kyaml compatibility.go). */
export function isNonString(value: string): boolean {
  if (value === '' || value.includes('\n')) return false;
  let tag: string;
  if (WORD.test(value) && !value.startsWith('---') && !value.startsWith('...') && value !== '-')
    tag = resolveTag(value, 'v2');
  else {
    const read = composeDocuments(value, 'v2', 1);
    if (!read.ok) return false;
    tag = read.value[0]?.tag ?? NULL_TAG;
  }
  return tag !== STR_TAG && tag !== TIMESTAMP_TAG && tag !== BINARY_TAG;
}

/** Quotes a string that would read as something else, before it is set anywhere (kyaml FieldSetter). */
export function quoteNonString(value: YamlNode): void {
  if (value.style === 0 && isString(value) && isNonString(value.value)) value.style = DOUBLE_QUOTED;
}

/** Sets field `name` in place (kyaml FieldSetter); an undefined or null `value` removes it unless `keepNull`. */
export function setField(map: YamlNode | undefined, name: string, value: YamlNode | undefined, keepNull = false): void {
  if (value !== undefined) quoteNonString(value);
  if (value === undefined || (isNull(value) && !keepNull)) {
    clearField(map, name);
    return;
  }
  const field = getField(map, name);
  if (field !== undefined) {
    value.style = field.style;
    replaceNode(field, value);
    return;
  }
  (map as YamlNode).content.push(scalarNode(name), value);
}

/** Overwrites the scalar `node` with `value`, keeping its style. */
export function setScalar(node: YamlNode, value: YamlNode): void {
  quoteNonString(value);
  requireKind(node, 'scalar');
  if (isNull(value)) return;
  value.style = node.style;
  replaceNode(node, value);
}

export function replaceNode(node: YamlNode, value: YamlNode): void {
  if (node === value) return;
  assignNode(node, value);
  // Go copies a slice header: what is appended to one is not seen by the other.
  if (node.kind !== 'scalar') node.content = value.content.slice();
}

/** A string scalar as kyaml's SetString makes it. */
export function stringNode(value: string): YamlNode {
  return scalarNode(value, STR_TAG);
}

export function newNode(kind: NodeKind): YamlNode {
  return kind === 'map'
    ? mapNode()
    : kind === 'seq'
      ? seqNode()
      : kind === 'scalar'
        ? scalarNode('')
        : new YamlNode('none', '', '', 0, [], 0);
}

export function isListIndex(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']');
}

export function isIndexNumber(part: string): boolean {
  return /^\+?\d+$/.test(part);
}

/** What a missing step must be so that `next` can be looked up in it. */
export function kindForNext(next: string, last: NodeKind): NodeKind {
  if (isListIndex(next) || isIndexNumber(next)) return 'seq';
  return next === '' ? last : 'map';
}

export function splitIndex(part: string): readonly [string, string] {
  const element = part.slice(part.startsWith('[') ? 1 : 0, part.endsWith(']') ? -1 : undefined);
  const equals = element.indexOf('=');
  if (equals < 0) fail('list path element must contain fieldName=fieldValue for element to match');
  return [element.slice(0, equals), element.slice(equals + 1)];
}

/**
 * Follows `path` from `node` (kyaml PathGetter); undefined when a step is missing. With `create`, missing steps are made and
 * the last one is of that kind.
 */
export function lookup(node: YamlNode | undefined, path: readonly string[], create?: NodeKind): YamlNode | undefined {
  const steps = path.map((step) => step.trim()).filter((step) => step !== '');
  let current = node;
  for (let index = 0; index < steps.length; index++) {
    if (current === undefined) return undefined;
    current = step(current, steps[index] as string, steps[index + 1] ?? '', create);
  }
  return current;
}

function step(node: YamlNode, part: string, next: string, create: NodeKind | undefined): YamlNode | undefined {
  if (/^[-+]?\d+$/.test(part)) {
    const index = Number(part);
    if (index < 0) fail(`array index ${index} cannot be negative`);
    requireKind(node, 'seq');
    return node.kind === 'seq' ? node.content[index] : undefined;
  }
  if (part === '-') {
    requireKind(node, 'seq');
    return node.content.at(-1);
  }
  if (part === '*') fail('wildcard is not supported in PathGetter');
  if (isListIndex(part)) {
    const [name, value] = splitIndex(part);
    requireKind(node, 'seq');
    const found = matchElement(node, [name], [value]);
    if (found !== undefined || create === undefined) return found;
    const element = name === '' ? scalarNode(value) : mapNode([scalarNode(name), scalarNode(value)]);
    node.content.push(element);
    return element;
  }
  const found = getField(node, part);
  if (found !== undefined || create === undefined || isNull(node)) return found;
  const made = newNode(kindForNext(next, create));
  setField(node, part, made);
  return made;
}

/** The first element whose fields have these values; with an empty key, the first scalar of that value. */
export function matchElement(list: YamlNode, keys: readonly string[], values: readonly string[]): YamlNode | undefined {
  if (isNull(list)) return undefined;
  if (keys.length === 0 || keys[0] === '') return list.content.find((item) => item.value === (values[0] ?? ''));
  for (const item of list.content) {
    if (isNull(item) || item.kind !== 'map') continue;
    let fits = true;
    for (let index = 0; index < keys.length; index++) {
      const field = fieldOf(item, keys[index] as string);
      if (field === undefined || field.value !== values[index]) {
        fits = false;
        break;
      }
    }
    if (fits) return item;
  }
  return undefined;
}

/** Splits at `separator`, except where it is escaped with a backslash (kyaml PathSplitter); a leading one is dropped. */
export function splitPath(path: string, separator: string): string[] {
  let parts = path.split(separator);
  if (parts.length > 1 && parts[0] === '') parts = parts.slice(1);
  const out: string[] = [parts[0] as string];
  for (const part of parts.slice(1)) {
    const last = out.at(-1) as string;
    if (last.endsWith('\\')) out[out.length - 1] = `${last.slice(0, -1)}${separator}${part}`;
    else out.push(part);
  }
  return out;
}

/** Splits a field path, keeping `[name=a.b]` whole; of `[a.b]`, which names a key, the brackets go (SmarterPathSplitter). */
export function splitFieldPath(path: string, separator: string): string[] {
  const out: string[] = [];
  const parts = splitPath(path, separator);
  for (let index = 0; index < parts.length; index++) {
    let part = parts[index] as string;
    if (part.startsWith('[') && !part.endsWith(']')) {
      while (index < parts.length - 1) {
        const next = parts[++index] as string;
        part += separator + next;
        if (next.endsWith(']')) break;
      }
      out.push(part.includes('=') ? part : part.replace(/^[[\]]+|[[\]]+$/g, ''));
    } else out.push(part);
  }
  return out;
}

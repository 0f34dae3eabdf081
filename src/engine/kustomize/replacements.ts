import { goJson } from '../../base/go-json.ts';
import { isArray, isObject, type Json } from '../../base/json.ts';
import { composeDocuments } from '../yaml/compose.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { copyNode, mapNode, type NodeKind, scalarNode, type YamlNode } from '../yaml/node.ts';
import { printNode } from '../yaml/print-node.ts';
import { fail, KustomizeFailure } from './failure.ts';
import { goRegexp } from './go-regexp.ts';
import type { Replacement, ReplacementOptions, ReplacementTarget, Selector } from './kustomization-type.ts';
import { labelsMatch } from './label-selector.ts';
import {
  fieldOf,
  getField,
  isIndexNumber,
  isListIndex,
  isNilOrEmpty,
  kindForNext,
  lookup,
  newNode,
  replaceNode,
  requireKind,
  setField,
  splitFieldPath,
  splitIndex,
  textOf,
} from './node-edit.ts';
import { nodeJson, type Resource } from './resource.ts';
import { isSelected, printId, type ResourceId } from './resource-id.ts';
import { compileSelector } from './selector.ts';

const DEFAULT_PATH = 'metadata.name';

/** Copies values between resources (api/filters/replacement). @throws KustomizeFailure */
export function applyReplacements(resources: readonly Resource[], replacements: readonly Replacement[]): void {
  for (const replacement of replacements) {
    if (
      (replacement.sourceValue === undefined && replacement.source === undefined) ||
      replacement.targets === undefined
    ) {
      fail('replacements must specify a source and at least one target');
    }
    const value = sourceValue(resources, replacement);
    for (const target of replacement.targets) applyToTargets(resources, value, target);
  }
}

function sourceValue(resources: readonly Resource[], { source, sourceValue: text }: Replacement): YamlNode {
  if (text !== undefined) {
    if (source !== undefined) fail('value and resource selectors are mutually exclusive');
    return scalarNode(text);
  }
  const selector = source as NonNullable<Replacement['source']>;
  const id = selectorId(selector);
  const shown = [printId(id), selector.fieldPath ?? '', printOptions(selector.options)]
    .filter((part) => part !== '')
    .join(':');
  let found: Resource | undefined;
  for (const resource of resources) {
    if (!idsOf(resource).some((one) => isSelectedBy(one, id))) continue;
    if (found !== undefined) fail(`multiple matches for selector ${shown}`);
    found = resource;
  }
  if (found === undefined) fail(`nothing selected by ${shown}`);
  const path = selector.fieldPath === undefined || selector.fieldPath === '' ? DEFAULT_PATH : selector.fieldPath;
  let node: YamlNode | undefined;
  try {
    node = lookup(found.node, splitFieldPath(path, '.'));
  } catch (failure) {
    if (failure instanceof KustomizeFailure) fail(`error looking up replacement source: ${failure.message}`);
    throw failure;
  }
  if (isNilOrEmpty(node)) fail(`fieldPath \`${path}\` is missing for replacement source ${printId(id)}`);
  return refine(node as YamlNode, selector.options);
}

function printOptions(options: ReplacementOptions | undefined): string {
  const delimiter = options?.delimiter ?? '';
  if (options === undefined || (delimiter === '' && options.create !== true)) return '';
  return `${delimiter}(${options.index ?? 0}), create=${options.create === true}`;
}

function selectorId(selector: Selector): ResourceId {
  const { group = '', version = '', kind = '', name = '', namespace = '' } = selector;
  return { group, version, kind, name, namespace, clusterScoped: false };
}

/** An object's id and those it had, none of which counts as cluster-scoped here (utils.MakeResIds). */
function idsOf(resource: Resource): readonly ResourceId[] {
  return [{ ...resource.id(), clusterScoped: false }, ...resource.previousIds()];
}

function isSelectedBy(id: ResourceId, selector: ResourceId): boolean {
  const namespace = (text: string): string => (text === '' ? 'default' : text);
  return (
    (selector.name === '' || selector.name === id.name) &&
    (selector.namespace === '' || namespace(selector.namespace) === namespace(id.namespace)) &&
    isSelected(id, selector)
  );
}

function refine(node: YamlNode, options: ReplacementOptions | undefined): YamlNode {
  const delimiter = options?.delimiter ?? '';
  if (delimiter === '') return node;
  if (node.kind !== 'scalar') fail('delimiter option can only be used with scalar nodes');
  const parts = textOf(node).split(delimiter);
  const index = options?.index ?? 0;
  if (index >= parts.length || index < 0) fail(`options.index ${index} is out of bounds for value ${textOf(node)}`);
  const copy = copyNode(node);
  copy.value = parts[index] as string;
  return copy;
}

function applyToTargets(resources: readonly Resource[], value: YamlNode, target: ReplacementTarget): void {
  const { select } = target;
  if (select === undefined) fail('target must specify resources to select');
  const wanted = compileSelector(select);
  const rejected = (target.reject ?? []).map((selector) => ({ selector, compiled: compileSelector(selector) }));
  for (const resource of resources) {
    if (!marksFit(resource, select)) continue;
    const refused = (target.reject ?? []).some(
      (selector) =>
        ((selector.annotationSelector ?? '') !== '' || (selector.labelSelector ?? '') !== '') &&
        marksFit(resource, selector),
    );
    if (refused) continue;
    const ids = idsOf(resource);
    const named = rejected.some(
      ({ selector, compiled }) =>
        !isEmptyId(selector) &&
        ids.some((id) => compiled.gvk(id) && compiled.name(id.name) && compiled.namespace(id.namespace)),
    );
    if (named) continue;
    if (ids.some((id) => wanted.gvk(id) && wanted.name(id.name) && wanted.namespace(id.namespace))) {
      copyValue(resource.node as YamlNode, value, target);
    }
  }
}

function isEmptyId({ group = '', version = '', kind = '', name = '', namespace = '' }: Selector): boolean {
  return group === '' && version === '' && kind === '' && name === '' && namespace === '';
}

function marksFit(resource: Resource, selector: Selector): boolean {
  return (
    labelsMatch(selector.annotationSelector, () => resource.annotations()) &&
    labelsMatch(selector.labelSelector, () => resource.labels())
  );
}

function copyValue(target: YamlNode, value: YamlNode, { fieldPaths, options }: ReplacementTarget): void {
  const create = options?.create === true ? value.kind : undefined;
  for (const path of fieldPaths === undefined || fieldPaths.length === 0 ? [DEFAULT_PATH] : fieldPaths) {
    if (setInText(target, value, path, create)) continue;
    const problem = `unable to find ${create === undefined ? '' : 'or create '}field ${quoted(path)} in replacement target`;
    let fields: readonly YamlNode[];
    try {
      fields = matchPath(target, splitFieldPath(path, '.'), create);
    } catch (failure) {
      if (failure instanceof KustomizeFailure) fail(`${problem}: ${failure.message}`);
      throw failure;
    }
    if (fields.length === 0) fail(problem);
    for (const field of fields) setFieldValue(field, value, options);
  }
}

function setFieldValue(field: YamlNode, source: YamlNode, options: ReplacementOptions | undefined): void {
  const value = copyNode(source);
  const delimiter = options?.delimiter ?? '';
  if (delimiter !== '') {
    if (field.kind !== 'scalar') fail('delimiter option can only be used with scalar nodes');
    const parts = field.value.split(delimiter);
    const index = options?.index ?? 0;
    const text = textOf(value);
    if (index < 0) parts.unshift(text);
    else if (index >= parts.length) parts.push(text);
    else parts[index] = text;
    value.value = parts.join(delimiter);
  }
  if (field.kind === 'scalar') field.value = value.value;
  else replaceNode(field, value);
}

/** All nodes that `path` leads to (kyaml PathMatcher): list parts may be `*`, an index, or `[field=regexp]`. */
export function matchPath(node: YamlNode, path: readonly string[], create: NodeKind | undefined): YamlNode[] {
  const [part, ...rest] = path;
  if (part === undefined) return [node];
  if (isIndexNumber(part)) return matchIndex(node, Number(part), rest, create);
  if (isListIndex(part)) return matchElements(node, part, rest, create);
  if (part === '*') {
    requireKind(node, 'seq');
    return (node.kind === 'seq' ? node.content.slice() : []).flatMap((item) => matchPath(item, rest, create));
  }
  let field = getField(node, part);
  if (field === undefined) {
    if (create === undefined) return [];
    field = newNode(kindForNext(rest[0] ?? '', create));
    setField(node, part, field);
  }
  if (field.kind === 'scalar' && rest.length > 0) {
    const parsed = composeDocuments(field.value, 'v3', 1);
    if (!parsed.ok) fail(parsed.error.message);
    const inner = parsed.value[0];
    return inner === undefined ? [] : matchPath(inner, rest, create);
  }
  return matchPath(field, rest, create);
}

function matchIndex(node: YamlNode, index: number, rest: readonly string[], create: NodeKind | undefined): YamlNode[] {
  requireKind(node, 'seq');
  const items = node.kind === 'seq' ? node.content : [];
  if (items.length === index && create !== undefined) items.push(newNode(kindForNext(rest[0] ?? '', create)));
  const item = items[index];
  if (item === undefined) fail(`index ${index} specified but only ${items.length} elements found`);
  return matchPath(item, rest, create);
}

function matchElements(
  node: YamlNode,
  part: string,
  rest: readonly string[],
  create: NodeKind | undefined,
): YamlNode[] {
  const [name, pattern] = splitIndex(part);
  requireKind(node, 'seq');
  const items = node.kind === 'seq' ? node.content : [];
  const regexp = goRegexp(pattern);
  const found: YamlNode[] = [];
  for (const item of items.slice()) {
    if (name === '') {
      if (regexp.test(printNode(item).trim())) found.push(item);
      continue;
    }
    const field = fieldOf(item, name);
    if (field === undefined || !regexp.test(printNode(field).trim())) continue;
    found.push(...matchPath(item, rest, create));
  }
  if (found.length > 0 || create === undefined) return found;
  const element = name === '' ? scalarNode(pattern) : mapNode([scalarNode(name), scalarNode(pattern)]);
  items.push(element);
  if (name === '' || regexp.test(pattern)) return name === '' ? [element] : matchPath(element, rest, create);
  return found;
}

/** Sets a field within YAML or JSON that a scalar holds as text; false when `path` leads into no such text. */
function setInText(target: YamlNode, value: YamlNode, fieldPath: string, create: NodeKind | undefined): boolean {
  const path = splitFieldPath(fieldPath, '.');
  for (let length = 1; length < path.length; length++) {
    let scalar: YamlNode | undefined;
    try {
      scalar = lookup(target, path.slice(0, length));
    } catch (failure) {
      if (failure instanceof KustomizeFailure) continue;
      throw failure;
    }
    if (scalar === undefined || scalar.kind !== 'scalar') continue;
    const parsed = composeDocuments(scalar.value, 'v3', 1);
    if (!parsed.ok) continue;
    const [document] = parsed.value;
    if (document === undefined) return false;
    try {
      const fields = matchPath(document, path.slice(length), create);
      if (fields.length === 0) return false;
      for (const field of fields) {
        if (field.kind === 'scalar') field.value = value.value;
        else replaceNode(field, value);
      }
      scalar.value = serialize(document, scalar.value);
      return true;
    } catch (failure) {
      if (failure instanceof KustomizeFailure) return false;
      throw failure;
    }
  }
  return false;
}

function serialize(document: YamlNode, original: string): string {
  const first = original.trim()[0];
  if (first !== '{' && first !== '[') return printNode(document).trim();
  const value = nodeJson(document);
  return original.includes('\n') && original.includes('  ') ? indentedJson(value, '') : goJson(value);
}

/** Go's json.MarshalIndent with two spaces. */
function indentedJson(value: Json, margin: string): string {
  const inner = `${margin}  `;
  if (isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => inner + indentedJson(item, inner)).join(',\n')}\n${margin}]`;
  }
  if (isObject(value)) {
    const keys = Object.keys(value).sort();
    if (keys.length === 0) return '{}';
    return `{\n${keys.map((key) => `${inner}${goJson(key)}: ${indentedJson(value[key] as Json, inner)}`).join(',\n')}\n${margin}}`;
  }
  return goJson(value);
}

import { MAP_TAG, type NodeKind, NULL_TAG, scalarNode, type YamlNode } from '../yaml/node.ts';
import { fail, KustomizeFailure } from './failure.ts';
import { getField, isNull, lookup, newNode, setField, setScalar, WrongKind } from './node-edit.ts';
import type { Resource } from './resource.ts';
import { printId } from './resource-id.ts';
import type { FieldSpec } from './transformer-config.ts';

/** What to do with each node that a field spec leads to. */
export type SetValue = (node: YamlNode) => void;

export interface FieldFilter {
  readonly set: SetValue;
  /** What the last step becomes where the spec says to create it. */
  readonly createKind?: NodeKind;
  readonly createTag?: string;
}

const SPECIAL_STEP = /^(?:[-+]?\d+|\[.*\]|[-*]|\s.*|.*\s)$/;

/** Whether the spec is for objects of this kind. */
export function specFits(spec: FieldSpec, kind: string, group: string, version: string): boolean {
  return (
    (spec.kind === '' || spec.kind === kind) &&
    (spec.group === '' || spec.group === group) &&
    (spec.version === '' || spec.version === version)
  );
}

/** Applies `filter` to every field that the specs name in `resource` (api/filters/fsslice, fieldspec). @throws KustomizeFailure */
export function applyFieldSpecs(resource: Resource, specs: readonly FieldSpec[], filter: FieldFilter): void {
  const { kind, group, version } = resource.gvk();
  for (const spec of specs) if (specFits(spec, kind, group, version)) applyFieldSpec(resource, spec, filter);
}

/** The same for one spec, whose kind is known to fit. */
export function applyFieldSpec(resource: Resource, spec: FieldSpec, filter: FieldFilter): void {
  const { node } = resource;
  if (node === undefined) return;
  try {
    visit(node, spec, 0, filter);
  } catch (failure) {
    if (!(failure instanceof KustomizeFailure)) throw failure;
    const id = { ...resource.gvk(), name: resource.name(), namespace: resource.namespace() };
    const message = `considering field '${spec.path}' of object ${printId(id)}: ${failure.message}`;
    throw failure instanceof FieldFailure || failure instanceof WrongKind
      ? new FieldFailure(message, failure.actual)
      : new KustomizeFailure(message);
  }
}

/** A failure because a node is of the wrong kind, with what led to it. */
export class FieldFailure extends KustomizeFailure {
  readonly actual: NodeKind;
  constructor(message: string, actual: NodeKind) {
    super(message);
    this.actual = actual;
  }
}

function visit(node: YamlNode, spec: FieldSpec, depth: number, filter: FieldFilter): void {
  if (depth === spec.steps.length) {
    filter.set(node);
    return;
  }
  if (isNull(node)) return;
  switch (node.kind) {
    case 'seq':
      try {
        // What is added to the list meanwhile is not visited.
        for (const item of node.content.slice()) visit(item, spec, depth, filter);
      } catch (failure) {
        if (!(failure instanceof KustomizeFailure)) throw failure;
        const message = `visit traversal on path: [${spec.steps.slice(depth).join(' ')}]: ${failure.message}`;
        throw failure instanceof WrongKind || failure instanceof FieldFailure
          ? new FieldFailure(message, failure.actual)
          : new KustomizeFailure(message);
      }
      return;
    case 'map':
      visitMap(node, spec, depth, filter);
      return;
    case 'alias':
      if (node.alias !== undefined) visit(node.alias, spec, depth, filter);
      return;
    default:
      fail('expected sequence or mapping node');
  }
}

function visitMap(node: YamlNode, spec: FieldSpec, depth: number, filter: FieldFilter): void {
  const step = spec.steps[depth] as string;
  const isList = step.endsWith('[]');
  const name = isList ? step.slice(0, -2) : step;
  if (name === '') fail('cannot set or create an empty field name');
  let kind: NodeKind | undefined;
  let tag = '';
  let field: YamlNode | undefined;
  if (!spec.create || filter.createKind === undefined || isList) {
    field = SPECIAL_STEP.test(name) ? lookup(node, [name]) : getField(node, name);
    if (isList) kind = 'seq';
  } else {
    const last = depth === spec.steps.length - 1;
    kind = last ? filter.createKind : 'map';
    tag = last ? (filter.createTag ?? '') : MAP_TAG;
    field = SPECIAL_STEP.test(name) ? lookup(node, [name], kind) : getField(node, name);
    if (field === undefined) {
      field = newNode(kind);
      setField(node, name, field);
    }
  }
  if (field === undefined) return;
  if (field.tag === NULL_TAG && kind !== undefined) {
    field.kind = kind;
    field.tag = tag;
    // Scalars share one empty list, which must not be written to.
    if (kind !== 'scalar') field.content = [];
  }
  visit(field, spec, depth + 1, filter);
}

/**
 * Sets `name` in each node, or the node itself when `name` is ''. As in kustomize, one value node serves all fields it is added
 * to, so that a later change of one of them changes them all.
 */
export function setEntry(name: string, value: string, tag: string): SetValue {
  const node = scalarNode(value, tag);
  return name === '' ? (target) => setScalar(target, node) : (target) => setField(target, name, node);
}

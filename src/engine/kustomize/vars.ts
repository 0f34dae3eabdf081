import { BOOL_TAG, FLOAT_TAG, INT_TAG, STR_TAG, type YamlNode } from '../yaml/node.ts';
import { fail } from './failure.ts';
import { applyFieldSpecs } from './field-filter.ts';
import type { Var } from './kustomization-type.ts';
import { isNull, isString, lookup, splitFieldPath } from './node-edit.ts';
import { nodeJson } from './resource.ts';
import { effectiveNamespace, gvkEquals, type ResourceId } from './resource-id.ts';
import type { ResourceMap } from './resource-map.ts';
import type { FieldSpec } from './transformer-config.ts';

/** A variable with its defaults set. */
export interface BuildVar {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly objectName: string;
  readonly namespace: string;
  readonly fieldPath: string;
}

export type VarSet = ReadonlyMap<string, BuildVar>;

/** Adds variables to a set and marks the resources that they are read from. @throws KustomizeFailure */
export function mergeVars(set: VarSet, added: readonly Var[], resources: ResourceMap): VarSet {
  const vars = added.map(withDefaults);
  for (const variable of vars) {
    const { group, version, kind, objectName: name, namespace } = variable;
    const id: ResourceId = { group, version, kind, name, namespace, clusterScoped: false };
    // The id of a variable is made without its scope, so that only its namespace tells.
    const withNamespace = namespace !== '';
    const fits = (one: ResourceId): boolean =>
      one.name === name && gvkEquals(one, id) && (!withNamespace || effectiveNamespace(one) === effectiveNamespace(id));
    const found = resources.namedLike(name).filter((one) => fits(one.id()) || one.previousIds().some(fits));
    if (found.length > 1) {
      fail(`found ${found.length} resId matches for var ${printVar(variable)} (unable to disambiguate)`);
    }
    found[0]?.refVarNames.push(variable.name);
  }
  return mergeVarSets(set, vars);
}

/** @throws KustomizeFailure when a name is there twice */
export function mergeVarSets(set: VarSet, added: Iterable<BuildVar>): VarSet {
  const out = new Map(set);
  for (const variable of added) {
    if (out.has(variable.name)) fail(`var '${variable.name}' already encountered`);
    out.set(variable.name, variable);
  }
  return out;
}

function withDefaults({ name = '', objref = {}, fieldref = {} }: Var): BuildVar {
  const { apiVersion = '', kind = '', name: objectName = '', namespace = '' } = objref;
  let { group = '', version = '' } = objref;
  if (apiVersion !== '') {
    const parts = apiVersion.split('/');
    if (parts.length === 2) [group, version] = parts as [string, string];
    else if (parts.length === 1) [version] = parts as [string];
  }
  const path = fieldref.fieldPath ?? '';
  return { name, group, version, kind, objectName, namespace, fieldPath: path === '' ? 'metadata.name' : path };
}

/** Variables as Go prints what the kustomization says of them. */
export function printVars(vars: readonly Var[]): string {
  const shown = vars.map(({ name = '', objref = {}, fieldref = {} }) => {
    const { group = '', version = '', kind = '' } = objref;
    return printVar({ name, group, version, kind, fieldPath: fieldref.fieldPath ?? '' });
  });
  return `[${shown.join(' ')}]`;
}

/** Go prints the struct through the method of the type it embeds: name and namespace are not in it. */
function printVar({ name, group, version, kind, fieldPath }: Omit<BuildVar, 'objectName' | 'namespace'>): string {
  const gvk = `${kind === '' ? '[noKind]' : kind}.${version === '' ? '[noVer]' : version}.${group === '' ? '[noGrp]' : group}`;
  return `{${name} ${gvk} {${fieldPath}}}`;
}

type Value = string | number | bigint | boolean;

/** Replaces `$(NAME)` in the fields that take variables. @returns names of variables that nothing used */
export function resolveVars(resources: ResourceMap, set: VarSet, specs: readonly FieldSpec[]): readonly string[] {
  if (set.size === 0) return [];
  const values = new Map<string, Value | undefined>();
  for (const name of [...set.keys()].sort()) values.set(name, valueOf(resources, set.get(name) as BuildVar));
  const used = new Set<string>();
  const replace = (text: string): Value => expand(text, values, used);
  for (const resource of resources.list) {
    applyFieldSpecs(resource, specs, { set: (node) => setVars(node, replace) });
  }
  return [...values.keys()].filter((name) => !used.has(name));
}

/** Value of the variable's field; undefined when it is no scalar. */
function valueOf(resources: ResourceMap, variable: BuildVar): Value | undefined {
  const resource = resources.list.find(({ refVarNames }) => refVarNames.includes(variable.name));
  if (resource === undefined) {
    fail(`var '${printVar(variable)}' cannot be mapped to a field in the set of known resources`);
  }
  const path = splitFieldPath(variable.fieldPath, '.').flatMap((step) => {
    const match = /^(.*)\[(\d+)\]$/.exec(step);
    if (match === null) return [step];
    return match[1] === '' ? [match[2] as string] : [match[1] as string, match[2] as string];
  });
  let node: YamlNode | undefined;
  try {
    node = lookup(resource.node, path);
  } catch {
    node = undefined;
  }
  if (node === undefined) fail(`field specified in var '${printVar(variable)}' not found in corresponding resource`);
  if (node.kind !== 'scalar') {
    nodeJson(node);
    return undefined;
  }
  switch (node.tag) {
    case INT_TAG:
    case FLOAT_TAG:
      return nodeJson(node) as number | bigint;
    case BOOL_TAG:
      return node.value.toLowerCase() === 'true';
    default:
      return node.value;
  }
}

function setVars(node: YamlNode, replace: (text: string) => Value): void {
  if (isNull(node)) return;
  switch (node.kind) {
    case 'scalar':
      if (isString(node)) update(node, replace(node.value));
      return;
    case 'map':
      for (let index = 0; index < node.content.length; index += 2) {
        const key = node.content[index] as YamlNode;
        if (!isString(key)) fail(`invalid map key: value='${key.value}', tag='${key.tag}'`);
        const value = node.content[index + 1] as YamlNode;
        if (isString(value)) update(value, replace(value.value));
      }
      return;
    case 'seq':
      for (const item of node.content) {
        if (!isString(item)) fail('invalid value type expect a string');
        update(item, replace(item.value));
      }
      return;
    default:
      fail(`invalid type encountered ${node.kind}`);
  }
}

function update(node: YamlNode, value: Value): void {
  node.style = 0;
  switch (typeof value) {
    case 'string':
      node.value = value;
      node.tag = STR_TAG;
      return;
    case 'boolean':
      node.value = String(value);
      node.tag = BOOL_TAG;
      return;
    default:
      node.value = String(value);
      node.tag = Number.isInteger(Number(value)) ? INT_TAG : FLOAT_TAG;
  }
}

/** Kubernetes' expansion of `$(NAME)`; `$$` stands for `$` (api/filters/refvar/expand.go). */
function expand(text: string, values: ReadonlyMap<string, Value | undefined>, used: Set<string>): Value {
  let out = '';
  let checkpoint = 0;
  for (let cursor = 0; cursor < text.length; cursor++) {
    if (text[cursor] !== '$' || cursor + 1 >= text.length) continue;
    out += text.slice(checkpoint, cursor);
    const next = text[cursor + 1] as string;
    let advance = 1;
    if (next === '$') out += '$';
    else if (next === '(') {
      const close = text.indexOf(')', cursor + 2);
      if (close < 0) out += '$(';
      else {
        const name = text.slice(cursor + 2, close);
        const value = values.get(name);
        advance = close - cursor;
        if (value !== undefined) used.add(name);
        if (text === `$(${name})`) return value ?? text;
        out += value === undefined ? `$(${name})` : String(value);
      }
    } else out += `$${next}`;
    cursor += advance;
    checkpoint = cursor + 1;
  }
  return out + text.slice(checkpoint);
}

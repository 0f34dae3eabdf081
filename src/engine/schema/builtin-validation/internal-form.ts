import { type Json, type JsonObject, stringAt } from '../../../base/json.ts';
import { items, object } from './read.ts';

/** Objects as kube-apiserver's internal Go types print them in messages: every field, by its Go name, in the order of the type. */

type Field = readonly [goName: string, name: string, zero: Json | ((value: Json | undefined) => Json)];

export function internalForm(value: Json | undefined, fields: readonly Field[]): JsonObject {
  const out: { [key: string]: Json } = {};
  for (const [goName, name, zero] of fields) {
    const own = object({ value: value ?? null }, 'value')?.[name];
    out[goName] = typeof zero === 'function' ? zero(own) : (own ?? zero);
  }
  return out;
}

/** A pointer to a type: null when it is not set. */
export function pointer(fields: readonly Field[]): (value: Json | undefined) => Json {
  return (value) => (value === undefined || value === null ? null : internalForm(value, fields));
}

/** A list of a type. */
export function listOf(fields: readonly Field[]): (value: Json | undefined) => Json {
  return (value) => (Array.isArray(value) ? value.map((item: Json) => internalForm(item, fields)) : null);
}

const REQUIREMENT: readonly Field[] = [
  ['Key', 'key', ''],
  ['Operator', 'operator', ''],
  ['Values', 'values', null],
];
const NODE_TERM: readonly Field[] = [
  ['MatchExpressions', 'matchExpressions', listOf(REQUIREMENT)],
  ['MatchFields', 'matchFields', listOf(REQUIREMENT)],
];
export const VOLUME_NODE_AFFINITY: readonly Field[] = [
  ['Required', 'required', pointer([['NodeSelectorTerms', 'nodeSelectorTerms', listOf(NODE_TERM)]])],
];
export const ROLE_REF: readonly Field[] = [
  ['APIGroup', 'apiGroup', ''],
  ['Kind', 'kind', ''],
  ['Name', 'name', ''],
];
export const PARENT_REF: readonly Field[] = [
  ['Group', 'group', ''],
  ['Resource', 'resource', ''],
  ['Namespace', 'namespace', ''],
  ['Name', 'name', ''],
];
export const OBJECT_REF: readonly Field[] = [
  ['Kind', 'kind', ''],
  ['Namespace', 'namespace', ''],
  ['Name', 'name', ''],
  ['UID', 'uid', ''],
  ['APIVersion', 'apiVersion', ''],
  ['ResourceVersion', 'resourceVersion', ''],
  ['FieldPath', 'fieldPath', ''],
];
export const CSI_NODE_DRIVER: readonly Field[] = [
  ['Name', 'name', ''],
  ['NodeID', 'nodeID', ''],
  ['TopologyKeys', 'topologyKeys', null],
  ['Allocatable', 'allocatable', pointer([['Count', 'count', null]])],
];
export const ATTACHMENT_SPEC: readonly Field[] = [
  ['Attacher', 'attacher', ''],
  [
    'Source',
    'source',
    (value) =>
      internalForm(value, [
        ['PersistentVolumeName', 'persistentVolumeName', null],
        ['InlineVolumeSpec', 'inlineVolumeSpec', null],
      ]),
  ],
  ['NodeName', 'nodeName', ''],
];
export const SCOPE_SELECTOR: readonly Field[] = [
  [
    'MatchExpressions',
    'matchExpressions',
    listOf([
      ['ScopeName', 'scopeName', ''],
      ['Operator', 'operator', ''],
      ['Values', 'values', null],
    ]),
  ],
];
export const TOLERATION: readonly Field[] = [
  ['Key', 'key', ''],
  ['Operator', 'operator', ''],
  ['Value', 'value', ''],
  ['Effect', 'effect', ''],
  ['TolerationSeconds', 'tolerationSeconds', null],
];

/** A label selector, whose type has JSON names of its own: keys in the order of the type. */
export function selectorForm(selector: JsonObject): JsonObject {
  const expressions = items(selector, 'matchExpressions').map((one) => {
    const values = object({ one }, 'one')?.['values'];
    return {
      key: stringAt(one, 'key') ?? '',
      operator: stringAt(one, 'operator') ?? '',
      ...(Array.isArray(values) && values.length > 0 ? { values } : {}),
    };
  });
  const labels = object(selector, 'matchLabels');
  return {
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { matchLabels: labels }),
    ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
  };
}

import type { Json } from '../../../base/json.ts';
import { field, isObject, stringAt } from '../../../base/json.ts';
import { items } from '../draft.ts';
import { checkLabelValue } from '../names.ts';

/** Source: kubernetes@1.34 pkg/api/node/util.go. */
const DEPRECATED: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
  ['app.kubernetes.io/created-by', 'deprecated since v1.9'],
  ['scheduler.alpha.kubernetes.io/preferAvoidPods', 'deprecated since v1.22; use Taints and Tolerations instead'],
  ['node-role.kubernetes.io/master', 'use "node-role.kubernetes.io/control-plane" instead'],
]);

/** Why a node label should not be used any more. */
export function deprecatedLabel(key: string): string | undefined {
  return DEPRECATED.get(key);
}

/** Warnings about the labels of a node selector term, and about values that no label can have where nothing refuses them. */
export function nodeSelectorTermWarnings(term: Json | undefined, values: boolean, path: string): readonly string[] {
  return items(term, 'matchExpressions').flatMap((expression, index) => {
    const key = stringAt(expression, 'key') ?? '';
    const message = deprecatedLabel(key);
    const place = `${path}.matchExpressions[${index}]`;
    const listed = field(expression, 'values');
    return [
      ...(message === undefined ? [] : [`${place}.key: ${key} is ${message}`]),
      ...(values && Array.isArray(listed) ? listed : []).flatMap((value, at) =>
        checkLabelValue(String(value)).map((wrong) => `${place}.values[${at}]: ${String(value)} is invalid, ${wrong}`),
      ),
    ];
  });
}

/** Warnings about the labels of a label selector over nodes. */
export function nodeSelectorWarnings(selector: Json | undefined, path: string): readonly string[] {
  const labels = field(selector, 'matchLabels');
  return [
    ...nodeSelectorTermWarnings(selector, false, path),
    ...Object.keys(isObject(labels) ? labels : {}).flatMap((label) => {
      const message = deprecatedLabel(label);
      return message === undefined ? [] : [`${path}.matchLabels.${label}: ${message}`];
    }),
  ];
}

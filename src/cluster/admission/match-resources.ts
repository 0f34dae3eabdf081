import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
import { selects } from '../apiserver/label-selector.ts';
import type { Attributes } from '../apiserver/operation.ts';

/** Whether a `MatchResources` means the request. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/policy/matching. */
export function matchesResources(
  match: Json | undefined,
  attributes: Attributes,
  namespace: KubeObject | undefined,
): boolean {
  const inNamespace = field(match, 'namespaceSelector');
  if (isBusy(inNamespace)) {
    // Cluster-scoped objects, but namespaces themselves, are in no namespace and match always.
    if (namespace !== undefined && !selects(inNamespace, namespace.metadata.labels)) return false;
  }
  const objects = field(match, 'objectSelector');
  if (isBusy(objects)) {
    const { object, old } = attributes;
    if (![object, old].some((one) => one !== undefined && selects(objects, one.metadata.labels))) return false;
  }
  if (list(match, 'excludeResourceRules').some((rule) => matchesRule(rule, attributes))) return false;
  const rules = list(match, 'resourceRules');
  return rules.length === 0 || rules.some((rule) => matchesRule(rule, attributes));
}

function isBusy(selector: Json | undefined): boolean {
  return isObject(selector) && Object.keys(selector).length > 0;
}

function list(value: Json | undefined, key: string): readonly Json[] {
  const found = field(value, key);
  return isArray(found) ? found : [];
}

function has(rule: Json, key: string, wanted: string): boolean {
  const items = list(rule, key);
  return items.includes('*') || items.includes(wanted);
}

/** Also of webhooks: `rules` have the same form. */
export function matchesRule(rule: Json, { type, verb, subresource, name, namespace }: Attributes): boolean {
  if (!has(rule, 'operations', verb.toUpperCase()) || !has(rule, 'apiGroups', type.group)) return false;
  if (!has(rule, 'apiVersions', type.version)) return false;
  const names = list(rule, 'resourceNames');
  if (names.length > 0 && !names.includes(name)) return false;
  const scope = stringAt(rule, 'scope') ?? '*';
  if (scope === 'Cluster' && namespace !== undefined) return false;
  if (scope === 'Namespaced' && namespace === undefined) return false;
  const full = subresource === undefined ? type.plural : `${type.plural}/${subresource}`;
  return list(rule, 'resources').some((resource) => {
    if (resource === '*/*' || resource === full) return true;
    if (resource === '*') return subresource === undefined;
    if (resource === `${type.plural}/*`) return true;
    return subresource !== undefined && resource === `*/${subresource}`;
  });
}

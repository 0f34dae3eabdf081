import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { selects } from '../apiserver/label-selector.ts';
import type { Attributes } from '../apiserver/operation.ts';
import type { ResourceTable } from '../apiserver/resource-table.ts';
import type { ResourceType } from '../apiserver/resource-type.ts';
import { notFound } from '../apiserver/status.ts';
import type { StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';

/** Configuration of admission itself is never judged by it. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/webhook/predicates/rules. */
export function isExempt({ type }: Attributes): boolean {
  return type.group === 'admissionregistration.k8s.io';
}

/** A request for a namespace is in that namespace. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/create.go. */
export function namespaceOf({ type, namespace, name, object }: Attributes): string {
  if (type.storage === '/namespaces') return name === '' ? (object?.metadata.name ?? '') : name;
  return namespace ?? '';
}

/** What to look at: the kind asked for, or another version of it that a rule names. */
export interface Match {
  readonly type: ResourceType;
}

/**
 * Whether selectors and rules (of a webhook, of a policy's `matchConstraints`, of a binding's `matchResources`) mean the request, and in
 * which version they want it. Undefined: they do not. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/policy/matching/matching.go.
 */
export function matchResources(
  match: Json | undefined,
  attributes: Attributes,
  { store, table }: { readonly store: Store; readonly table: ResourceTable },
  rulesKey: 'rules' | 'resourceRules',
): Result<Match | undefined, StatusError> {
  const inNamespace = selectsNamespace(field(match, 'namespaceSelector'), attributes, store);
  if (inNamespace === false || !selectsObject(field(match, 'objectSelector'), attributes)) return ok(undefined);
  const equivalents =
    (stringAt(match, 'matchPolicy') ?? 'Equivalent') === 'Equivalent' ? others(attributes.type, table) : [];
  const excluded = listOf(match, 'excludeResourceRules');
  if (firstMatch(excluded, attributes, equivalents) !== undefined) return ok(undefined);
  const rules = listOf(match, rulesKey);
  const found =
    rules.length === 0 && rulesKey === 'resourceRules'
      ? { type: attributes.type }
      : firstMatch(rules, attributes, equivalents);
  if (found === undefined) return ok(undefined);
  return inNamespace === true ? ok(found) : err(inNamespace);
}

function others(type: ResourceType, table: ResourceTable): readonly ResourceType[] {
  return table.versionsOf(type.storage).filter((other) => other !== type);
}

/** The request's own version first, then, rule by rule, the other versions of the kind. */
function firstMatch(
  rules: readonly Json[],
  attributes: Attributes,
  equivalents: readonly ResourceType[],
): Match | undefined {
  if (rules.some((rule) => matchesRule(rule, attributes))) return { type: attributes.type };
  for (const rule of rules) {
    const type = equivalents.find((other) => matchesRule(rule, { ...attributes, type: other }));
    if (type !== undefined) return { type };
  }
  return undefined;
}

/** An error when there is no such namespace. */
function selectsNamespace(selector: Json | undefined, attributes: Attributes, store: Store): boolean | StatusError {
  const name = namespaceOf(attributes);
  if (name === '' && attributes.type.plural !== 'namespaces') return true;
  if (!isBusy(selector)) return true;
  const { type, verb, object, subresource } = attributes;
  const own = type.plural === 'namespaces' && subresource === undefined && (verb === 'create' || verb === 'update');
  const namespace = own ? object : store.get('/namespaces', name)?.object;
  if (namespace === undefined) return notFound({ group: '', plural: 'namespaces' }, name);
  return selects(selector, namespace.metadata.labels);
}

function selectsObject(selector: Json | undefined, { object, old }: Attributes): boolean {
  if (!isBusy(selector)) return true;
  return [object, old].some((one) => one !== undefined && selects(selector, one.metadata.labels));
}

function isBusy(selector: Json | undefined): boolean {
  return (
    isObject(selector) &&
    (Object.keys((field(selector, 'matchLabels') ?? {}) as object).length > 0 ||
      listOf(selector, 'matchExpressions').length > 0)
  );
}

export function listOf(value: Json | undefined, key: string): readonly Json[] {
  const found = field(value, key);
  return isArray(found) ? found : [];
}

function has(rule: Json, key: string, wanted: string): boolean {
  const items = listOf(rule, key);
  return items.includes('*') || items.includes(wanted);
}

function matchesRule(rule: Json, attributes: Attributes): boolean {
  const { type, verb, subresource = '', name } = attributes;
  if (!has(rule, 'operations', verb.toUpperCase()) || !has(rule, 'apiGroups', type.group)) return false;
  if (!has(rule, 'apiVersions', type.version)) return false;
  const names = listOf(rule, 'resourceNames');
  if (names.length > 0 && !names.includes(name)) return false;
  const scope = stringAt(rule, 'scope') ?? '*';
  const cluster = type.storage === '/namespaces' || namespaceOf(attributes) === '';
  if ((scope === 'Cluster' && !cluster) || (scope === 'Namespaced' && cluster)) return false;
  return listOf(rule, 'resources').some((resource) => {
    const [plural, sub = ''] = typeof resource === 'string' ? resource.split('/', 2) : [];
    return (plural === '*' || plural === type.plural) && (sub === '*' || sub === subresource);
  });
}

/** The object of a request's namespace, for policies: nothing for cluster-scoped objects and for namespaces themselves. */
export function namespaceObject({ type, namespace }: Attributes, store: Store): KubeObject | undefined {
  if (!type.namespaced || namespace === undefined) return undefined;
  return store.get('/namespaces', namespace)?.object;
}

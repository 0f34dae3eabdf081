import type { Json, JsonObject } from '../../../base/json.ts';
import { dns1123Subdomain } from '../names.ts';
import {
  type Errors,
  each,
  equalOr,
  immutable,
  invalid,
  items,
  labelSelector,
  notSupported,
  object,
  required,
  text,
  texts,
} from './field-checks.ts';
import { internalForm, ROLE_REF } from './internal-form.ts';

/** (kubernetes@1.34 pkg/apis/rbac/validation) */
export function role(errors: Errors, value: JsonObject): void {
  items(value, 'rules').forEach((rule, index) => policyRule(errors, rule, `rules[${index}]`, true));
}

export function clusterRole(errors: Errors, value: JsonObject): void {
  items(value, 'rules').forEach((rule, index) => policyRule(errors, rule, `rules[${index}]`, false));
  items(object(value, 'aggregationRule'), 'clusterRoleSelectors').forEach((selector, index) => {
    labelSelector(errors, selector as JsonObject, `aggregationRule.clusterRoleSelectors[${index}]`);
  });
}

function policyRule(errors: Errors, rule: Json, path: string, namespaced: boolean): void {
  if (items(rule, 'verbs').length === 0)
    errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  const urls = texts(rule, 'nonResourceURLs');
  const [groups, resources] = [items(rule, 'apiGroups'), items(rule, 'resources')];
  if (urls.length > 0) {
    if (namespaced)
      errors.push(invalid(`${path}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs'));
    if (groups.length > 0 || resources.length > 0 || items(rule, 'resourceNames').length > 0) {
      errors.push(
        invalid(`${path}.nonResourceURLs`, urls, 'rules cannot apply to both regular resources and non-resource URLs'),
      );
    }
    return;
  }
  if (groups.length === 0)
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0)
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
}

const GROUP = 'rbac.authorization.k8s.io';

function binding(
  kinds: readonly string[],
  namespaced: boolean,
): (errors: Errors, value: JsonObject, old: JsonObject | undefined) => void {
  return (errors, value, old) => {
    const reference = object(value, 'roleRef') ?? {};
    if (text(reference, 'apiGroup') !== GROUP)
      errors.push(notSupported('roleRef.apiGroup', text(reference, 'apiGroup'), [GROUP]));
    if (!kinds.includes(text(reference, 'kind')))
      errors.push(notSupported('roleRef.kind', text(reference, 'kind'), kinds));
    if (text(reference, 'name') === '') errors.push(required('roleRef.name'));
    else each(errors, pathSegment(text(reference, 'name')), 'roleRef.name', text(reference, 'name'));
    items(value, 'subjects').forEach((subject, index) => subjectOf(errors, subject, `subjects[${index}]`, namespaced));
    if (old !== undefined && !equalOr(value['roleRef'], old['roleRef'])) {
      errors.push(invalid('roleRef', internalForm(value['roleRef'], ROLE_REF), 'cannot change roleRef'));
    }
  };
}

export const roleBinding: (errors: Errors, value: JsonObject, old: JsonObject | undefined) => void = binding(
  ['Role', 'ClusterRole'],
  true,
);
export const clusterRoleBinding: (errors: Errors, value: JsonObject, old: JsonObject | undefined) => void = binding(
  ['ClusterRole'],
  false,
);

function subjectOf(errors: Errors, subject: Json, path: string, namespaced: boolean): void {
  const [kind, name, group] = [text(subject, 'kind'), text(subject, 'name'), text(subject, 'apiGroup')];
  if (name === '') errors.push(required(`${path}.name`));
  if (kind === 'ServiceAccount') {
    if (name !== '') each(errors, dns1123Subdomain(name), `${path}.name`, name);
    if (group !== '') errors.push(notSupported(`${path}.apiGroup`, group, ['']));
    if (!namespaced && text(subject, 'namespace') === '') errors.push(required(`${path}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (group !== GROUP) errors.push(notSupported(`${path}.apiGroup`, group, [GROUP]));
  } else errors.push(notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
}

/** Names of roles are path segments. */
export function pathSegment(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

export function priorityClass(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const name = text(object(value, 'metadata'), 'name');
  if (name.startsWith('system-') && name !== 'system-node-critical' && name !== 'system-cluster-critical') {
    errors.push({
      field: 'metadata.name',
      reason: 'FieldValueForbidden',
      message: `Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ${name} is not a known system priority class`,
    });
  }
  const amount = value['value'];
  if (!name.startsWith('system-') && typeof amount === 'number' && amount > 1_000_000_000) {
    errors.push({
      field: 'value',
      reason: 'FieldValueForbidden',
      message: 'Forbidden: maximum allowed value of a user defined priority is 1000000000',
    });
  }
  const policy = text(value, 'preemptionPolicy');
  if (policy !== '' && !['PreemptLowerPriority', 'Never'].includes(policy)) {
    errors.push(notSupported('preemptionPolicy', policy, ['PreemptLowerPriority', 'Never']));
  }
  if (old === undefined) return;
  if (!equalOr(value['value'], old['value']))
    errors.push({
      field: 'value',
      reason: 'FieldValueForbidden',
      message: 'Forbidden: may not be changed in an update.',
    });
  immutable(errors, value['preemptionPolicy'], old['preemptionPolicy'], 'preemptionPolicy');
}

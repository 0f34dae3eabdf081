import type { Json } from '../../base/json.ts';
import { field, isObject, stringAt } from '../../base/json.ts';
import { type Errors, labelSelector } from '../../engine/schema/builtin-validation/field-checks.ts';
import { qualifiedName } from '../../engine/schema/names.ts';
import { checkPathSegment } from '../apiserver/names.ts';
import type { Cause } from '../apiserver/status.ts';
import { duplicate, invalidValue, required, tooMany, unsupported } from '../apiserver/status.ts';
import { compileExpression } from './expression-validation.ts';
import { listOf } from './match-resources.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];
export const MATCH_POLICIES: readonly string[] = ['Equivalent', 'Exact'];
export const FAILURE_POLICIES: readonly string[] = ['Fail', 'Ignore'];
const MAX_CONDITIONS = 64;

/** A value that must be one of `allowed` where it is given. */
export function oneOf(value: Json | undefined, allowed: readonly string[], path: string): readonly Cause[] {
  return value === undefined || (typeof value === 'string' && allowed.includes(value))
    ? []
    : [unsupported(path, value, allowed)];
}

/** A label selector, where there is one. */
export function validateSelector(selector: Json | undefined, path: string): readonly Cause[] {
  const errors: Errors = [];
  if (isObject(selector)) labelSelector(errors, selector, path);
  return errors;
}

/** One of the `rules` of a webhook or policy. Source: kubernetes@1.34 pkg/apis/admissionregistration/validation validateRuleWithOperations. */
export function validateRule(rule: Json, path: string): readonly Cause[] {
  const causes: Cause[] = [];
  const only = (key: string, what: string): void => {
    const list = listOf(rule, key);
    if (list.length === 0) causes.push(required(`${path}.${key}`));
    if (list.length > 1 && list.includes('*'))
      causes.push(invalidValue(`${path}.${key}`, list, `if '*' is present, must not specify other ${what}`));
  };
  only('operations', 'operations');
  for (const [index, operation] of listOf(rule, 'operations').entries())
    causes.push(...oneOf(operation, OPERATIONS, `${path}.operations[${index}]`));
  only('apiGroups', 'API groups');
  only('apiVersions', 'API versions');
  for (const [index, version] of listOf(rule, 'apiVersions').entries())
    if (version === '') causes.push(required(`${path}.apiVersions[${index}]`));
  causes.push(...validateResources(listOf(rule, 'resources').map(String), `${path}.resources`));
  causes.push(...oneOf(field(rule, 'scope'), SCOPES, `${path}.scope`));
  return causes;
}

function validateResources(resources: readonly string[], path: string): readonly Cause[] {
  const causes: Cause[] = [];
  if (resources.length === 0) causes.push(required(path));
  const allOf = new Set<string>();
  const ofAll = new Set<string>();
  let plain = false;
  for (const [index, resource] of resources.entries()) {
    const at = `${path}[${index}]`;
    if (resource === '') {
      causes.push(required(at));
      continue;
    }
    const slash = resource.indexOf('/');
    if (slash < 0) {
      plain = resource !== '*';
      continue;
    }
    const [name, sub] = [resource.slice(0, slash), resource.slice(slash + 1)];
    if (allOf.has(name))
      causes.push(invalidValue(at, resource, `if '${name}/*' is present, must not specify ${resource}`));
    if (ofAll.has(sub))
      causes.push(invalidValue(at, resource, `if '*/${sub}' is present, must not specify ${resource}`));
    if (sub === '*') allOf.add(name);
    if (name === '*') ofAll.add(sub);
  }
  if (resources.length > 1 && resources.includes('*/*'))
    causes.push(invalidValue(path, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && plain)
    causes.push(
      invalidValue(path, resources, "if '*' is present, must not specify other resources without subresources"),
    );
  return causes;
}

/** `matchConstraints` of a policy or `matchResources` of a binding. Source: the same, validateMatchResources. */
export function validateMatchResources(match: Json | undefined, path: string): readonly Cause[] {
  if (!isObject(match)) return [];
  const causes: Cause[] = [...oneOf(field(match, 'matchPolicy'), MATCH_POLICIES, `${path}.matchPolicy`)];
  for (const key of ['namespaceSelector', 'objectSelector'])
    causes.push(...validateSelector(field(match, key), `${path}.${key}`));
  for (const key of ['resourceRules', 'excludeResourceRules'])
    for (const [index, rule] of listOf(match, key).entries())
      causes.push(...namedRule(rule, `${path}.${key}[${index}]`));
  return causes;
}

function namedRule(rule: Json, path: string): readonly Cause[] {
  const causes: Cause[] = [];
  const seen = new Set<string>();
  for (const [index, item] of listOf(rule, 'resourceNames').entries()) {
    const name = typeof item === 'string' ? item : '';
    const at = `${path}.resourceNames[${index}]`;
    for (const message of checkPathSegment(name)) causes.push(invalidValue(at, name, message));
    if (seen.has(name)) causes.push(duplicate(at, name));
    seen.add(name);
  }
  return [...causes, ...validateRule(rule, path)];
}

/** `matchConditions`. Source: the same, validateMatchConditions. */
export function validateMatchConditions(
  conditions: readonly Json[],
  path: string,
  declared: { readonly params: boolean },
): readonly Cause[] {
  const causes: Cause[] = [];
  if (conditions.length > MAX_CONDITIONS) causes.push(tooMany(path, conditions.length, MAX_CONDITIONS));
  const seen = new Set<string>();
  for (const [index, condition] of conditions.entries()) {
    const at = `${path}[${index}]`;
    const expression = (stringAt(condition, 'expression') ?? '').trim();
    const name = stringAt(condition, 'name') ?? '';
    if (expression === '') causes.push(required(`${at}.expression`));
    else
      causes.push(
        ...compileExpression(expression, `${at}.expression`, ['bool'], {
          params: declared.params,
          authorizer: true,
          variables: undefined,
        }),
      );
    if (name === '') causes.push(required(`${at}.name`));
    else for (const message of qualifiedName(name)) causes.push(invalidValue(`${at}.name`, name, message));
    if (name !== '' && seen.has(name)) causes.push(duplicate(`${at}.name`, name));
    seen.add(name);
  }
  return causes;
}

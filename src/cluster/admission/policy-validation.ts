import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
import { compileCel, untypedEnvironment } from '../../engine/cel/cel.ts';
import { printType } from '../../engine/cel/types.ts';
import type { Cause } from '../apiserver/status.ts';
import { duplicate, invalidValue, required, unsupported } from '../apiserver/status.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const BOTH =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';

/** What a ValidatingAdmissionPolicy says wrong. Source: kubernetes@1.34 pkg/apis/admissionregistration/validation. */
export function validatePolicy({ spec }: KubeObject): readonly Cause[] {
  const causes: Cause[] = [];
  const constraints = field(spec, 'matchConstraints');
  if (!isObject(constraints)) causes.push(required('spec.matchConstraints'));
  for (const [index, rule] of list(constraints, 'resourceRules').entries())
    for (const [position, operation] of list(rule, 'operations').entries())
      if (typeof operation !== 'string' || !OPERATIONS.includes(operation))
        causes.push(
          unsupported(`spec.matchConstraints.resourceRules[${index}].operations[${position}]`, operation, OPERATIONS),
        );
  const hasParams = isObject(field(spec, 'paramKind'));
  const declared: string[] = [];
  for (const [index, variable] of list(spec, 'variables').entries()) {
    const text = stringAt(variable, 'expression') ?? '';
    causes.push(...compile(`spec.variables[${index}].expression`, text, undefined, hasParams, declared));
    declared.push(stringAt(variable, 'name') ?? '');
  }
  for (const [index, condition] of list(spec, 'matchConditions').entries())
    causes.push(
      ...compile(
        `spec.matchConditions[${index}].expression`,
        stringAt(condition, 'expression') ?? '',
        'bool',
        hasParams,
        declared,
      ),
    );
  for (const [index, validation] of list(spec, 'validations').entries()) {
    const at = `spec.validations[${index}]`;
    const reason = stringAt(validation, 'reason');
    if (reason !== undefined && !REASONS.includes(reason)) causes.push(unsupported(`${at}.reason`, reason, REASONS));
    causes.push(...compile(`${at}.expression`, stringAt(validation, 'expression') ?? '', 'bool', hasParams, declared));
    const message = stringAt(validation, 'messageExpression') ?? '';
    if (message !== '') causes.push(...compile(`${at}.messageExpression`, message, 'string', hasParams, declared));
  }
  return causes;
}

export function validatePolicyBinding({ spec }: KubeObject): readonly Cause[] {
  const causes: Cause[] = [];
  if ((stringAt(spec, 'policyName') ?? '') === '') causes.push(required('spec.policyName'));
  const actions = list(spec, 'validationActions');
  if (actions.length === 0)
    causes.push(required('spec.validationActions', 'at least one validation action is required'));
  const seen = new Set<string>();
  for (const [index, action] of actions.entries()) {
    const name = typeof action === 'string' ? action : '';
    if (!ACTIONS.includes(name)) causes.push(unsupported(`spec.validationActions[${index}]`, name, ACTIONS));
    if (seen.has(name)) causes.push(duplicate(`spec.validationActions[${index}]`, name));
    seen.add(name);
  }
  if (seen.has('Deny') && seen.has('Warn')) causes.push(invalidValue('spec.validationActions', actions, BOTH));
  return causes;
}

function list(value: Json | undefined, key: string): readonly Json[] {
  const found = field(value, key);
  return isArray(found) ? found : [];
}

function compile(
  path: string,
  text: string,
  wanted: 'bool' | 'string' | undefined,
  hasParams: boolean,
  declared: readonly string[],
): readonly Cause[] {
  if (text.trim() === '') return [required(path, `${path.split('.').at(-1)} is not specified`)];
  const names = [
    'object',
    'oldObject',
    'request',
    'namespaceObject',
    'variables',
    'authorizer',
    ...(hasParams ? ['params'] : []),
  ];
  const compiled = compileCel(text, untypedEnvironment(...names));
  if (!compiled.ok) return [invalidValue(path, text, `compilation failed: ${compiled.error.message}`)];
  const unknown = [...text.matchAll(/\bvariables\.(\w+)/g)].find(([, name = '']) => !declared.includes(name));
  if (unknown !== undefined) {
    const dot = unknown.index + 'variables'.length;
    return [
      invalidValue(
        path,
        text,
        `compilation failed: ERROR: <input>:1:${dot + 1}: undefined field '${unknown[1]}'\n | ${text}\n | ${'.'.repeat(dot)}^`,
      ),
    ];
  }
  const type = printType(compiled.value.type);
  if (wanted === undefined || type === wanted || type === 'dyn') return [];
  return [invalidValue(path, text, `must evaluate to ${wanted} but got ${type}`)];
}

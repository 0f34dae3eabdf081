import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { equal, field, isObject, stringAt } from '../../base/json.ts';
import type { Cause } from '../apiserver/status.ts';
import { invalidValue, required, unsupported } from '../apiserver/status.ts';
import type { Declared } from './admission-environment.ts';
import { compileExpression } from './expression-validation.ts';
import { listOf } from './match-resources.ts';
import { validateParamKind, validateVariable } from './policy-validation.ts';
import { FAILURE_POLICIES, oneOf, validateMatchConditions, validateMatchResources } from './rules-validation.ts';

const REINVOCATION = ['IfNeeded', 'Never'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE'];
const PATCHES = {
  ApplyConfiguration: { key: 'applyConfiguration', other: 'jsonPatch', result: 'Object' },
  JSONPatch: { key: 'jsonPatch', other: 'applyConfiguration', result: 'list(JSONPatch)' },
} as const;

/** What a MutatingAdmissionPolicy says wrong. Source: kubernetes@1.34 pkg/apis/admissionregistration/validation validateMutatingAdmissionPolicySpec. */
export function validateMutatingPolicy({ spec }: KubeObject, old: KubeObject | undefined): readonly Cause[] {
  const causes: Cause[] = [...oneOf(field(spec, 'failurePolicy'), FAILURE_POLICIES, 'spec.failurePolicy')];
  const paramKind = field(spec, 'paramKind');
  const params = isObject(paramKind);
  if (params) causes.push(...validateParamKind(paramKind));
  const constraints = field(spec, 'matchConstraints');
  if (!isObject(constraints)) causes.push(required('spec.matchConstraints'));
  else causes.push(...validateConstraints(constraints));
  const unchanged =
    old !== undefined &&
    equal(field(old.spec, 'paramKind'), paramKind) &&
    equal(listOf(old.spec, 'matchConditions'), listOf(spec, 'matchConditions'));
  if (!unchanged)
    causes.push(...validateMatchConditions(listOf(spec, 'matchConditions'), 'spec.matchConditions', { params }));
  const variables: { name: string; expression: string }[] = [];
  const declared: Declared = {
    params,
    authorizer: true,
    variables: listOf(spec, 'variables').length === 0 ? undefined : variables,
  };
  for (const [index, variable] of listOf(spec, 'variables').entries()) {
    causes.push(...validateVariable(variable, `spec.variables[${index}]`, declared));
    variables.push({ name: stringAt(variable, 'name') ?? '', expression: stringAt(variable, 'expression') ?? '' });
  }
  const mutations = listOf(spec, 'mutations');
  if (mutations.length === 0) causes.push(required('spec.mutations', 'mutations must contain at least one item'));
  for (const [index, mutation] of mutations.entries())
    causes.push(...validateMutation(mutation, `spec.mutations[${index}]`, { ...declared, mutation: true }));
  const reinvocation = stringAt(spec, 'reinvocationPolicy') ?? '';
  if (reinvocation === '') causes.push(required('spec.reinvocationPolicy'));
  else causes.push(...oneOf(reinvocation, REINVOCATION, 'spec.reinvocationPolicy'));
  return causes;
}

function validateConstraints(constraints: Json): readonly Cause[] {
  const causes: Cause[] = [...validateMatchResources(constraints, 'spec.matchConstraints')];
  const rules = listOf(constraints, 'resourceRules');
  if (rules.length === 0) causes.push(required('spec.matchConstraints.resourceRules'));
  for (const rule of rules)
    for (const operation of listOf(rule, 'operations'))
      if (typeof operation !== 'string' || !OPERATIONS.includes(operation))
        causes.push(unsupported('spec.matchConstraints.resourceRules.operations', operation, OPERATIONS));
  return causes;
}

function validateMutation(mutation: Json, path: string, declared: Declared): readonly Cause[] {
  const type = stringAt(mutation, 'patchType') ?? '';
  if (type === '') return [required(`${path}.patchType`)];
  if (type !== 'ApplyConfiguration' && type !== 'JSONPatch')
    return [unsupported(`${path}.patchType`, type, Object.keys(PATCHES))];
  const { key, other, result } = PATCHES[type];
  const causes: Cause[] = [];
  const patch = field(mutation, key);
  const expression = stringAt(patch, 'expression') ?? '';
  const at = `${path}.${key}`;
  if (!isObject(patch)) causes.push(required(at, `must be specified when patchType is ${type}`));
  else if (expression.trim() === '') causes.push(required(`${at}.expression`));
  else causes.push(...compileExpression(expression, `${at}.expression`, [result], declared));
  if (isObject(field(mutation, other)))
    causes.push(invalidValue(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`));
  return causes;
}

import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { equal, field, isObject, stringAt } from '../../base/json.ts';
import { dns1035Label, dns1123Subdomain, qualifiedName } from '../../engine/schema/names.ts';
import { checkPathSegment } from '../apiserver/names.ts';
import type { Cause } from '../apiserver/status.ts';
import { duplicate, forbiddenField, invalidValue, required, unsupported } from '../apiserver/status.ts';
import type { Declared } from './admission-environment.ts';
import { compileExpression } from './expression-validation.ts';
import { listOf } from './match-resources.ts';
import {
  FAILURE_POLICIES,
  oneOf,
  validateMatchConditions,
  validateMatchResources,
  validateSelector,
} from './rules-validation.ts';

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const BOTH =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
const ONE_AT_LEAST = 'validations or auditAnnotations must contain at least one item';
const MAX_ANNOTATIONS = 20;
const MAX_VALUE_EXPRESSION_BYTES = 5 * 1024;
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** What a ValidatingAdmissionPolicy says wrong. Source: kubernetes@1.34 pkg/apis/admissionregistration/validation. */
export function validatePolicy({ metadata, spec }: KubeObject, old: KubeObject | undefined): readonly Cause[] {
  const causes: Cause[] = [...oneOf(field(spec, 'failurePolicy'), FAILURE_POLICIES, 'spec.failurePolicy')];
  const paramKind = field(spec, 'paramKind');
  const params = isObject(paramKind);
  if (params) causes.push(...validateParamKind(paramKind));
  const constraints = field(spec, 'matchConstraints');
  if (!isObject(constraints)) causes.push(required('spec.matchConstraints'));
  else {
    causes.push(...validateMatchResources(constraints, 'spec.matchConstraints'));
    if (listOf(constraints, 'resourceRules').length === 0) causes.push(required('spec.matchConstraints.resourceRules'));
  }
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
  const validations = listOf(spec, 'validations');
  const annotations = listOf(spec, 'auditAnnotations');
  if (validations.length === 0 && annotations.length === 0)
    return [...causes, required('spec.validations', ONE_AT_LEAST), required('spec.auditAnnotations', ONE_AT_LEAST)];
  for (const [index, validation] of validations.entries())
    causes.push(...validateValidation(validation, `spec.validations[${index}]`, declared));
  return [...causes, ...validateAnnotations(annotations, metadata.name ?? '', declared)];
}

export function validateParamKind(paramKind: Json): readonly Cause[] {
  const causes: Cause[] = [];
  const apiVersion = stringAt(paramKind, 'apiVersion') ?? '';
  const at = 'spec.paramKind.apiVersion';
  const parts = apiVersion.split('/');
  if (apiVersion === '') causes.push(required(at));
  else if (parts.length > 2) causes.push(invalidValue(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    const [group, version] = parts.length === 2 ? (parts as [string, string]) : ['', apiVersion];
    const badGroup = group === '' ? [] : dns1123Subdomain(group);
    if (badGroup.length > 0) causes.push(invalidValue(at, group, badGroup.join(',')));
    if (version === '') causes.push(invalidValue(at, apiVersion, 'version must be specified'));
    else if (dns1035Label(version).length > 0) causes.push(invalidValue(at, version, dns1035Label(version).join(',')));
  }
  const kind = stringAt(paramKind, 'kind') ?? '';
  const bad = dns1035Label(kind.toLowerCase());
  if (kind === '') causes.push(required('spec.paramKind.kind'));
  else if (bad.length > 0)
    causes.push(
      invalidValue('spec.paramKind.kind', kind, `may have mixed case, but should otherwise match: ${bad.join(',')}`),
    );
  return causes;
}

export function validateVariable(variable: Json, path: string, declared: Declared): readonly Cause[] {
  const causes: Cause[] = [];
  const name = stringAt(variable, 'name') ?? '';
  if (name.trim() === '') causes.push(required(`${path}.name`, 'name is not specified'));
  else if (!IDENTIFIER.test(name) || RESERVED.has(name))
    causes.push(invalidValue(`${path}.name`, name, 'must be a valid CEL identifier'));
  const expression = stringAt(variable, 'expression') ?? '';
  if (expression.trim() === '') causes.push(required(`${path}.expression`, 'expression is not specified'));
  else causes.push(...compileExpression(expression, `${path}.expression`, [], declared));
  return causes;
}

function validateValidation(validation: Json, path: string, declared: Declared): readonly Cause[] {
  const causes: Cause[] = [];
  const expression = stringAt(validation, 'expression') ?? '';
  if (expression.trim() === '') causes.push(required(`${path}.expression`, 'expression is not specified'));
  else causes.push(...compileExpression(expression, `${path}.expression`, ['bool'], declared));
  const text = stringAt(validation, 'messageExpression') ?? '';
  if (text !== '' && text.trim() === '')
    causes.push(invalidValue(`${path}.messageExpression`, text, 'must be non-empty if specified'));
  else if (text !== '')
    causes.push(
      ...compileExpression(text, `${path}.messageExpression`, ['string'], { ...declared, authorizer: false }),
    );
  const message = stringAt(validation, 'message') ?? '';
  if (message !== '' && message.trim() === '')
    causes.push(invalidValue(`${path}.message`, message, 'must be non-empty if specified'));
  else if (/[\n\r]/.test(message.trim()))
    causes.push(invalidValue(`${path}.message`, message, 'must not contain line breaks'));
  const reason = field(validation, 'reason');
  if (reason !== undefined) causes.push(...oneOf(reason, REASONS, `${path}.reason`));
  return causes;
}

function validateAnnotations(annotations: readonly Json[], policy: string, declared: Declared): readonly Cause[] {
  const causes: Cause[] = [];
  const path = 'spec.auditAnnotations';
  if (annotations.length > MAX_ANNOTATIONS)
    causes.push(
      invalidValue(
        path,
        annotations.map(shownAnnotation),
        `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`,
      ),
    );
  const keys = new Set<string>();
  for (const [index, annotation] of annotations.entries()) {
    const at = `${path}[${index}]`;
    const key = stringAt(annotation, 'key') ?? '';
    if (policy === '') causes.push(invalidValue(`${at}.key`, key, 'requires metadata.name be non-empty'));
    else
      for (const message of qualifiedName(`${policy}/${key}`))
        causes.push(invalidValue(`${at}.key`, `${policy}/${key}`, message));
    const expression = stringAt(annotation, 'valueExpression') ?? '';
    const trimmed = expression.trim();
    if (trimmed === '') causes.push(required(`${at}.valueExpression`, 'valueExpression is not specified'));
    else if (new TextEncoder().encode(trimmed).length > MAX_VALUE_EXPRESSION_BYTES)
      causes.push(required(`${at}.valueExpression`, `must not exceed ${MAX_VALUE_EXPRESSION_BYTES} bytes in length`));
    else
      causes.push(
        ...compileExpression(trimmed, `${at}.valueExpression`, ['string', 'null_type'], declared, expression),
      );
    if (keys.has(key)) causes.push(duplicate(`${at}.key`, key));
    keys.add(key);
  }
  return causes;
}

export function validatePolicyBinding({ spec }: KubeObject): readonly Cause[] {
  return [...validateBindingTarget(spec), ...validateActions(listOf(spec, 'validationActions'))];
}

/** What a binding says about its policy, its parameters and what it means. */
export function validateBindingTarget(spec: Json | undefined): readonly Cause[] {
  const causes: Cause[] = [];
  const policy = stringAt(spec, 'policyName') ?? '';
  if (policy === '') causes.push(required('spec.policyName'));
  else for (const message of dns1123Subdomain(policy)) causes.push(invalidValue('spec.policyName', policy, message));
  causes.push(...validateParamRef(field(spec, 'paramRef')));
  return [...causes, ...validateMatchResources(field(spec, 'matchResources'), 'spec.matchResources')];
}

function validateParamRef(reference: Json | undefined): readonly Cause[] {
  if (!isObject(reference)) return [];
  const path = 'spec.paramRef';
  const causes: Cause[] = [];
  const name = stringAt(reference, 'name') ?? '';
  const selector = field(reference, 'selector');
  const exclusive = 'name and selector are mutually exclusive';
  if (name !== '') {
    for (const message of checkPathSegment(name)) causes.push(invalidValue(`${path}.name`, name, message));
    if (isObject(selector)) causes.push(forbiddenField(`${path}.name`, exclusive));
  }
  if (isObject(selector)) {
    causes.push(...validateSelector(selector, `${path}.selector`));
    if (name !== '') causes.push(forbiddenField(`${path}.selector`, exclusive));
  } else if (name === '') causes.push(required(path, 'one of name or selector must be specified'));
  const action = stringAt(reference, 'parameterNotFoundAction') ?? '';
  if (action === '') causes.push(required(`${path}.parameterNotFoundAction`));
  else if (action !== 'Deny' && action !== 'Allow')
    causes.push(unsupported(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow']));
  return causes;
}

function validateActions(actions: readonly Json[]): readonly Cause[] {
  const causes: Cause[] = [];
  const seen = new Set<string>();
  for (const [index, action] of actions.entries()) {
    const name = typeof action === 'string' ? action : '';
    if (!ACTIONS.includes(name)) causes.push(unsupported(`spec.validationActions[${index}]`, name, ACTIONS));
    if (seen.has(name)) causes.push(duplicate(`spec.validationActions[${index}]`, name));
    seen.add(name);
  }
  if (seen.has('Deny') && seen.has('Warn')) causes.push(invalidValue('spec.validationActions', actions, BOTH));
  if (actions.length === 0)
    causes.push(required('spec.validationActions', 'at least one validation action is required'));
  return causes;
}

/** As the real server prints its own type. */
function shownAnnotation(annotation: Json): Json {
  return {
    Key: stringAt(annotation, 'key') ?? '',
    ValueExpression: stringAt(annotation, 'valueExpression') ?? '',
  };
}

import { equal, type JsonObject } from '../../../base/json.ts';
import { isCidr } from '../formats.ts';
import { dns1123Label, labelValue, qualifiedName } from '../names.ts';
import {
  configKeys,
  containerResourceName,
  duplicate,
  type Errors,
  each,
  entries,
  forbidden,
  immutable,
  invalid,
  items,
  labels,
  MAX_DATA_BYTES,
  number,
  object,
  required,
  resourceValue,
  Seen,
  text,
  texts,
  utf8Length,
} from './field-checks.ts';
import { internalForm, TOLERATION } from './internal-form.ts';
import { latin1 } from './latin1.ts';
import { NOT_A_CIDR } from './networking.ts';
import { taintEffect, tolerations } from './pod-placement.ts';
import { podTemplate } from './pods.ts';

/** (kubernetes@1.34 pkg/apis/core/validation) */
export function configMap(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const [data, binary] = [object(value, 'data') ?? {}, object(value, 'binaryData') ?? {}];
  let size = 0;
  configKeys(errors, data, 'data');
  for (const key of Object.keys(data).toSorted()) {
    if (Object.hasOwn(binary, key)) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    size += utf8Length(text(data, key));
  }
  configKeys(errors, binary, 'binaryData');
  for (const key of Object.keys(binary)) size += decodedLength(text(binary, key));
  if (size > MAX_DATA_BYTES) errors.push(tooLong('', MAX_DATA_BYTES));
  if (old === undefined || old['immutable'] !== true) return;
  if (value['immutable'] !== true) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
  for (const key of ['data', 'binaryData']) {
    if (!equal(object(value, key) ?? {}, object(old, key) ?? {}))
      errors.push(forbidden(key, 'field is immutable when `immutable` is set'));
  }
}

function tooLong(field: string, max: number): Errors[number] {
  return {
    field: field === '' ? '<nil>' : field,
    reason: 'FieldValueTooLong',
    message: `Too long: may not be more than ${max} bytes`,
  };
}

function decodedLength(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}

/** Why the text in base64 is no JSON, in the words of Go; undefined when it is. */
function jsonProblem(base64: string): string | undefined {
  const json = latin1(base64);
  if (json.trim() === '') return 'unexpected end of JSON input';
  try {
    JSON.parse(json);
    return undefined;
  } catch {
    const first = json.trimStart()[0] as string;
    return /[[{"\d\-tfn]/.test(first)
      ? 'unexpected end of JSON input'
      : `invalid character '${first}' looking for beginning of value`;
  }
}

/** Keys that a secret's type must have. */
const SECRET_KEYS: { readonly [type: string]: readonly string[] } = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

export function secret(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const data = object(value, 'data') ?? {};
  const type = text(value, 'type');
  configKeys(errors, data, 'data');
  const size = Object.keys(data).reduce((sum, key) => sum + decodedLength(text(data, key)), 0);
  if (size > MAX_DATA_BYTES) errors.push(tooLong('data', MAX_DATA_BYTES));
  if (type === 'kubernetes.io/service-account-token') {
    const account = text(object(object(value, 'metadata'), 'annotations'), 'kubernetes.io/service-account.name');
    if (account === '') errors.push(required('metadata.annotations[kubernetes.io/service-account.name]'));
  }
  if (type === 'kubernetes.io/basic-auth' && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
    errors.push(required('data[username]'), required('data[password]'));
  }
  for (const key of SECRET_KEYS[type] ?? []) {
    const missing = type === 'kubernetes.io/ssh-auth' ? text(data, key) === '' : !Object.hasOwn(data, key);
    if (missing) errors.push(required(`data[${key}]`));
    else if (type.startsWith('kubernetes.io/dockerc')) {
      const problem = jsonProblem(text(data, key));
      if (problem !== undefined) errors.push(invalid(`data[${key}]`, '<secret contents redacted>', problem));
    }
  }
  if (old === undefined) return;
  immutable(errors, value['type'], old['type'], 'type');
  if (old['immutable'] !== true) return;
  if (value['immutable'] !== true) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
  if (!equal(data, object(old, 'data') ?? {}))
    errors.push(forbidden('data', 'field is immutable when `immutable` is set'));
}

export function podTemplateKind(errors: Errors, value: JsonObject): void {
  podTemplate(errors, object(value, 'template'), 'template');
}

export function node(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const taints = new Seen();
  items(spec, 'taints').forEach((taint, index) => {
    const at = `metadata.taints[${index}]`;
    each(errors, qualifiedName(text(taint, 'key')), `${at}.key`, text(taint, 'key'));
    each(errors, labelValue(text(taint, 'value')), `${at}.value`, text(taint, 'value'));
    taintEffect(errors, text(taint, 'effect'), `${at}.effect`, false);
    if (!taints.add(`${text(taint, 'key')}/${text(taint, 'effect')}`)) {
      errors.push({
        ...duplicate(at, taint),
        message: 'Duplicate value: taints must be unique by key and effect pair',
      });
    }
  });
  const cidrs = texts(spec, 'podCIDRs');
  cidrs.forEach((cidr, index) => {
    if (!isCidr(cidr)) errors.push(invalid(`spec.podCIDRs[${index}]`, cidr, NOT_A_CIDR));
  });
  if (cidrs.length > 1) {
    const families = new Set(cidrs.map((cidr) => cidr.includes(':')));
    if (families.size === 1 || cidrs.length > 2)
      errors.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  if (old === undefined) return;
  const before = object(old, 'spec') ?? {};
  if (texts(before, 'podCIDRs').length > 0 && !equal(cidrs, texts(before, 'podCIDRs')))
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  if (text(before, 'providerID') !== '' && text(before, 'providerID') !== text(spec, 'providerID')) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
}

export function lease(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec');
  const duration = number(spec, 'leaseDurationSeconds');
  if (duration !== undefined && duration <= 0)
    errors.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  const transitions = number(spec, 'leaseTransitions');
  if (transitions !== undefined && transitions < 0)
    errors.push(invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
}

export function runtimeClass(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const handler = text(value, 'handler');
  each(errors, dns1123Label(handler), 'handler', handler);
  for (const [name, amount] of entries(object(value, 'overhead'), 'podFixed')) {
    containerResourceName(errors, name, `overhead.limits[${name}]`);
    resourceValue(errors, name, amount, `overhead.limits[${name}]`);
  }
  const scheduling = object(value, 'scheduling');
  if (scheduling !== undefined) {
    labels(errors, object(scheduling, 'nodeSelector'), 'scheduling.nodeSelector');
    tolerations(errors, scheduling, 'scheduling.tolerations.tolerations');
    const seen = new Seen();
    items(scheduling, 'tolerations').forEach((one, index) => {
      const form = internalForm(one, TOLERATION);
      if (!seen.add(JSON.stringify(form))) errors.push(duplicate(`scheduling.tolerations[${index}]`, form));
    });
  }
  if (old !== undefined) immutable(errors, value['handler'], old['handler'], 'handler');
}

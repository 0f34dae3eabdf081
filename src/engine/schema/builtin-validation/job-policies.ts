import type { Json, JsonObject } from '../../../base/json.ts';
import { tooMany } from '../field-error.ts';
import { qualifiedName } from '../names.ts';
import {
  duplicate,
  type Errors,
  each,
  has,
  invalid,
  items,
  nonNegative,
  notSupported,
  number,
  object,
  required,
  text,
} from './field-checks.ts';
import { internalForm, listOf, pointer } from './internal-form.ts';

/** What a Job says of failed pods and of its success. (kubernetes@1.34 pkg/apis/batch/validation) */

const MAX_RULES = 20;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

const SUCCESS_POLICY = [
  [
    'Rules',
    'rules',
    listOf([
      ['SucceededIndexes', 'succeededIndexes', null],
      ['SucceededCount', 'succeededCount', null],
    ]),
  ],
] as const;
const FAILURE_POLICY = [
  [
    'Rules',
    'rules',
    listOf([
      ['Action', 'action', ''],
      [
        'OnExitCodes',
        'onExitCodes',
        pointer([
          ['ContainerName', 'containerName', null],
          ['Operator', 'operator', ''],
          ['Values', 'values', null],
        ]),
      ],
      [
        'OnPodConditions',
        'onPodConditions',
        listOf([
          ['Type', 'type', ''],
          ['Status', 'status', ''],
        ]),
      ],
    ]),
  ],
] as const;

/** A policy as messages quote it; null when there is none. */
export function quotedPolicy(key: 'podFailurePolicy' | 'successPolicy', spec: JsonObject): Json {
  const form = key === 'successPolicy' ? SUCCESS_POLICY : FAILURE_POLICY;
  return has(spec, key) ? internalForm(spec[key], form) : null;
}

export function failurePolicy(errors: Errors, spec: JsonObject, path: string): void {
  const pod = object(object(spec, 'template'), 'spec');
  const names = new Set(
    [...items(pod, 'containers'), ...items(pod, 'initContainers')].map((container) => text(container, 'name')),
  );
  const rules = items(object(spec, 'podFailurePolicy'), 'rules');
  if (rules.length > MAX_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MAX_RULES));
  rules.forEach((rule, index) => {
    const at = `${path}.rules[${index}]`;
    const action = text(rule, 'action');
    if (action === '') errors.push(required(`${at}.action`, valid(ACTIONS)));
    else if (action === 'FailIndex' && !has(spec, 'backoffLimitPerIndex'))
      errors.push(invalid(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set'));
    else if (!ACTIONS.includes(action)) errors.push(notSupported(`${at}.action`, action, ACTIONS));
    const codes = object(rule, 'onExitCodes');
    if (codes !== undefined) exitCodes(errors, codes, names, `${at}.onExitCodes`);
    const conditions = items(rule, 'onPodConditions');
    conditions.forEach((one, position) => condition(errors, one, `${at}.onPodConditions[${position}]`));
    if (codes !== undefined && conditions.length > 0)
      errors.push(unquoted(at, 'specifying both OnExitCodes and OnPodConditions is not supported'));
    if (codes === undefined && conditions.length === 0)
      errors.push(unquoted(at, 'specifying one of OnExitCodes and OnPodConditions is required'));
  });
}

function exitCodes(errors: Errors, codes: JsonObject, names: ReadonlySet<string>, path: string): void {
  const operator = text(codes, 'operator');
  if (operator === '') errors.push(required(`${path}.operator`, valid(OPERATORS)));
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(`${path}.operator`, operator, OPERATORS));
  const container = text(codes, 'containerName');
  if (has(codes, 'containerName') && !names.has(container)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${path}.containerName`, container, detail));
  }
  const values = items(codes, 'values');
  if (values.length === 0)
    errors.push(invalid(`${path}.values`, codes['values'] ?? null, 'at least one value is required'));
  else if (values.length > 255) errors.push(tooMany(`${path}.values`, values.length, 255));
  const seen = new Set<Json>();
  values.forEach((code, index) => {
    const at = `${path}.values[${index}]`;
    if (operator === 'In' && code === 0) errors.push(invalid(at, code, 'must not be 0 for the In operator'));
    if (seen.has(code)) errors.push(duplicate(at, code));
    seen.add(code);
  });
  if (values.some((code, index) => index > 0 && Number(values[index - 1]) > Number(code)))
    errors.push(invalid(`${path}.values`, values, 'must be ordered'));
}

function condition(errors: Errors, one: Json, path: string): void {
  const [type, status] = [text(one, 'type'), text(one, 'status')];
  each(errors, qualifiedName(type), `${path}.type`, type);
  if (status === '') errors.push(required(`${path}.status`, valid(STATUSES)));
  else if (!STATUSES.includes(status)) errors.push(notSupported(`${path}.status`, status, STATUSES));
}

/** `indexed`: whether the Job counts its pods by index. */
export function successPolicy(errors: Errors, spec: JsonObject, path: string, indexed: boolean): void {
  if (!indexed) {
    errors.push(invalid(path, quotedPolicy('successPolicy', spec), 'requires indexed completion mode'));
    return;
  }
  const completions = number(spec, 'completions') ?? 0;
  const rules = items(object(spec, 'successPolicy'), 'rules');
  if (rules.length === 0)
    errors.push(required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'));
  if (rules.length > MAX_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MAX_RULES));
  rules.forEach((rule, index) => {
    const at = `${path}.rules[${index}]`;
    const count = number(rule, 'succeededCount');
    const named = has(rule, 'succeededIndexes');
    if (count === undefined && !named)
      errors.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'));
    const indexes = countIndexes(text(rule, 'succeededIndexes'), completions);
    if (typeof indexes === 'string') {
      const detail = `error parsing succeededIndexes: ${indexes}`;
      errors.push(invalid(`${at}.succeededIndexes`, text(rule, 'succeededIndexes'), detail));
    }
    if (count === undefined) return;
    const field = `${at}.succeededCount`;
    const atMost = (limit: number, what: string): void => {
      if (count > limit) errors.push(invalid(field, count, `must be less than or equal to ${limit} (${what})`));
    };
    nonNegative(errors, count, field);
    atMost(completions, 'the number of specified completions');
    const total = typeof indexes === 'string' ? 0 : indexes;
    if (named) atMost(total, 'the number of indexes in the specified succeededIndexes field');
  });
}

/** How many indexes `1,3-5` names, or what is wrong with it. (validateIndexesFormat) */
function countIndexes(indexes: string, completions: number): number | string {
  let [total, last] = [0, -1];
  for (const interval of indexes === '' ? [] : indexes.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2)
      return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    for (const limit of limits) {
      const quoted = JSON.stringify(limit);
      if (!/^\+?\d+$/.test(limit)) return `cannot convert string to integer for index: ${quoted}`;
      if (Number(limit) >= completions) return `too large index: ${quoted}`;
    }
    const [from = 0, to = from] = limits.map(Number);
    if (limits.length > 1 && from >= to) return `non-increasing order, previous: ${from}, current: ${to}`;
    if (last >= from) return `non-increasing order, previous: ${last}, current: ${from}`;
    total += to - from + 1;
    last = to;
  }
  return total;
}

function valid(values: readonly string[]): string {
  return `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}

/** An invalid value that is not shown. */
function unquoted(field: string, detail: string): Errors[number] {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${detail}` };
}

import { type Json, type JsonObject, put } from '../../../base/json.ts';
import { internalObject } from '../internal-types.ts';
import { dns1123Label } from '../names.ts';
import {
  type Errors,
  equalOr,
  forbidden,
  has,
  IMMUTABLE,
  immutable,
  invalid,
  labelSelector,
  nonNegative,
  notSupported,
  number,
  object,
  required,
  selectorMatches,
  text,
  without,
} from './field-checks.ts';
import { failurePolicy, quotedPolicy, successPolicy } from './job-policies.ts';
import { prefixedPath } from './networking.ts';
import { podTemplate } from './pods.ts';

/** (kubernetes@1.34 pkg/apis/batch/validation) */
export function job(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  generatedSelector(errors, value, spec);
  jobSpec(errors, spec, 'spec', true);
  const count = number(spec, 'completions');
  if (text(spec, 'completionMode') === 'Indexed' && count !== undefined && count > 0) {
    const name = text(object(value, 'metadata'), 'name');
    const last = `${name}-${count - 1}`;
    if (dns1123Label(last).length > 0)
      errors.push(invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`));
  }
  if (old === undefined) return;
  const before = object(old, 'spec') ?? {};
  jobUpdate(errors, spec, before, before['suspend'] === true && !has(object(old, 'status'), 'startTime'));
}

/** A selector is the server's business, unless `manualSelector` says otherwise. */
function generatedSelector(errors: Errors, value: JsonObject, spec: JsonObject): void {
  if (spec['manualSelector'] === true) return;
  const selector = object(spec, 'selector');
  if (selector === undefined) return;
  const meta = object(value, 'metadata');
  const [uid, name] = [text(meta, 'uid'), text(meta, 'name')];
  if (uid === '') errors.push(required('metadata.uid'));
  const own = object(object(object(spec, 'template'), 'metadata'), 'labels') ?? {};
  const expected: { [key: string]: string } = {};
  for (const [key, wanted] of [
    ['controller-uid', uid],
    ['job-name', name],
    ['batch.kubernetes.io/controller-uid', uid],
    ['batch.kubernetes.io/job-name', name],
  ] as const) {
    expected[key] = wanted;
    const at = `spec.template.metadata.labels[${key}]`;
    if (!has(own, key)) errors.push(required(at, `must be '${wanted}'`));
    else if (text(own, key) !== wanted) errors.push(invalid(at, own, `must be '${wanted}'`));
  }
  if (selectorMatches(selector, expected) === false)
    errors.push(invalid('spec.selector', selector, '`selector` not auto-generated'));
}

function jobSpec(errors: Errors, spec: JsonObject, path: string, withSelector: boolean): void {
  for (const key of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ]) {
    nonNegative(errors, number(spec, key), `${path}.${key}`);
  }
  const [completions, failed] = [number(spec, 'completions'), number(spec, 'maxFailedIndexes')];
  if (failed !== undefined && !has(spec, 'backoffLimitPerIndex'))
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  if (has(spec, 'managedBy')) {
    const manager = text(spec, 'managedBy');
    if (manager === '') errors.push(required(`${path}.managedBy`));
    else prefixedPath(errors, manager, `${path}.managedBy`);
    if (manager.length > 63)
      errors.push({
        field: `${path}.managedBy`,
        reason: 'FieldValueTooLong',
        message: 'Too long: may not be more than 63 bytes',
      });
  }
  const mode = text(spec, 'completionMode');
  if (has(spec, 'completionMode') && mode !== 'NonIndexed' && mode !== 'Indexed') {
    errors.push(notSupported(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']));
  } else if (mode === 'Indexed') {
    if (!has(spec, 'completions')) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
    if ((number(spec, 'parallelism') ?? 0) > 100_000)
      errors.push(
        invalid(
          `${path}.parallelism`,
          spec['parallelism'],
          'must be less than or equal to 100000 when completion mode is Indexed',
        ),
      );
  }
  if (mode === 'Indexed') {
    if (completions !== undefined && failed !== undefined && failed > completions)
      errors.push(invalid(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to completions'));
    if (failed !== undefined && failed > 100_000)
      errors.push(invalid(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to 100000'));
  } else if (!has(spec, 'completionMode') || mode === 'NonIndexed') {
    for (const key of ['backoffLimitPerIndex', 'maxFailedIndexes'])
      if (has(spec, key)) errors.push(invalid(`${path}.${key}`, number(spec, key), 'requires indexed completion mode'));
  }
  if (has(spec, 'podFailurePolicy')) failurePolicy(errors, spec, `${path}.podFailurePolicy`);
  if (has(spec, 'successPolicy')) successPolicy(errors, spec, `${path}.successPolicy`, mode === 'Indexed');
  const replacement = text(spec, 'podReplacementPolicy');
  const replacements = has(spec, 'podFailurePolicy') ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  if (has(spec, 'podReplacementPolicy') && !replacements.includes(replacement))
    errors.push(notSupported(`${path}.podReplacementPolicy`, replacement, replacements));
  template(errors, spec, path);
  if (!withSelector) return;
  const selector = object(spec, 'selector');
  if (selector === undefined) errors.push(required(`${path}.selector`));
  else labelSelector(errors, selector, `${path}.selector`);
  const labels = object(object(object(spec, 'template'), 'metadata'), 'labels');
  if (selector === undefined || selectorMatches(selector, labels ?? {}) === false)
    errors.push(
      invalid(`${path}.template.metadata.labels`, labels ?? null, '`selector` does not match template `labels`'),
    );
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format !== undefined && /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

function template(errors: Errors, spec: JsonObject, path: string): void {
  const found: Errors = [];
  podTemplate(found, object(spec, 'template'), `${path}.template`);
  errors.push(...found);
  const restart = text(object(object(spec, 'template'), 'spec'), 'restartPolicy');
  if (restart === '' || restart === 'Always') {
    errors.push(required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  } else if (restart !== 'OnFailure' && restart !== 'Never') {
    errors.push(notSupported(`${path}.template.spec.restartPolicy`, restart, ['OnFailure', 'Never']));
  } else if (has(spec, 'podFailurePolicy') && restart !== 'Never') {
    errors.push(
      invalid(
        `${path}.template.spec.restartPolicy`,
        restart,
        'only "Never" is supported when podFailurePolicy is specified',
      ),
    );
  }
}

/** `scheduling`: whether nothing runs yet, so that the pods' placement may still change. */
function jobUpdate(errors: Errors, spec: JsonObject, old: JsonObject, scheduling: boolean): void {
  if (text(spec, 'completionMode') !== 'Indexed')
    immutable(errors, spec['completions'], old['completions'], 'spec.completions');
  else if (!equalOr(spec['completions'], old['completions']) && spec['completions'] !== spec['parallelism']) {
    const detail = 'can only be modified in tandem with spec.parallelism';
    errors.push(invalid('spec.completions', spec['completions'] ?? null, detail));
  }
  immutable(errors, spec['selector'], old['selector'], 'spec.selector');
  const [own, before] = [spec['template'] ?? {}, old['template'] ?? {}];
  const kept = scheduling ? placed(before, own) : before;
  if (!equalOr(own, kept)) errors.push(invalid('spec.template', internalObject('PodTemplateSpec', own), IMMUTABLE));
  immutable(errors, spec['completionMode'], old['completionMode'], 'spec.completionMode');
  policyStays(errors, 'podFailurePolicy', spec, old);
  for (const key of ['backoffLimitPerIndex', 'managedBy']) immutable(errors, spec[key], old[key], `spec.${key}`);
  policyStays(errors, 'successPolicy', spec, old);
}

function policyStays(
  errors: Errors,
  key: 'podFailurePolicy' | 'successPolicy',
  spec: JsonObject,
  old: JsonObject,
): void {
  if (!equalOr(spec[key], old[key])) errors.push(invalid(`spec.${key}`, quotedPolicy(key, spec), IMMUTABLE));
}

/** A template with the placement of another: what may change while a Job is suspended. (validatePodTemplateUpdate) */
function placed(template: Json, other: Json): JsonObject {
  const replaced = (from: Json | undefined, by: Json | undefined, keys: readonly string[]): JsonObject => {
    const out = without(object({ from: from ?? null }, 'from') ?? {}, ...keys);
    for (const key of keys) {
      const value = object({ by: by ?? null }, 'by')?.[key];
      if (value !== undefined) put(out, key, value);
    }
    return out;
  };
  const [spec, wanted] = [object(template, 'spec') ?? {}, object(other, 'spec') ?? {}];
  const affinity = replaced(spec['affinity'], wanted['affinity'], ['nodeAffinity']);
  const pod = replaced(spec, wanted, ['nodeSelector', 'tolerations', 'schedulingGates']);
  const either = has(spec, 'affinity') || Object.keys(affinity).length > 0;
  const metadata = replaced(object(template, 'metadata'), object(other, 'metadata'), ['labels', 'annotations']);
  return {
    ...replaced(template, other, []),
    metadata,
    spec: either ? { ...pod, affinity } : pod,
  };
}

export function cronJob(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const name = text(object(value, 'metadata'), 'name');
  const schedule = text(spec, 'schedule');
  if (schedule === '') errors.push(required('spec.schedule'));
  else {
    const wrong = cronError(schedule);
    if (wrong !== undefined) errors.push(invalid('spec.schedule', schedule, wrong));
    if (/TZ/.test(schedule))
      errors.push(
        invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
      );
  }
  nonNegative(errors, number(spec, 'startingDeadlineSeconds'), 'spec.startingDeadlineSeconds');
  const policy = text(spec, 'concurrencyPolicy');
  if (policy === '') errors.push(required('spec.concurrencyPolicy'));
  else if (!['Allow', 'Forbid', 'Replace'].includes(policy))
    errors.push(notSupported('spec.concurrencyPolicy', policy, ['Allow', 'Forbid', 'Replace']));
  nonNegative(errors, number(spec, 'successfulJobsHistoryLimit'), 'spec.successfulJobsHistoryLimit');
  nonNegative(errors, number(spec, 'failedJobsHistoryLimit'), 'spec.failedJobsHistoryLimit');
  const job = object(object(spec, 'jobTemplate'), 'spec') ?? {};
  if (job['manualSelector'] === true)
    errors.push(notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  jobSpec(errors, job, 'spec.jobTemplate.spec', false);
  const zone = text(spec, 'timeZone');
  if (has(spec, 'timeZone') && zone === '')
    errors.push(invalid('spec.timeZone', zone, 'timeZone must be nil or non-empty string'));
  else if (zone.toLowerCase() === 'local')
    errors.push(
      invalid(
        'spec.timeZone',
        zone,
        'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ),
    );
  else if (zone !== '' && !isTimeZone(zone)) errors.push(invalid('spec.timeZone', zone, `unknown time zone ${zone}`));
  if (old === undefined && name.length > 52)
    errors.push(invalid('metadata.name', name, 'must be no more than 52 characters'));
  if (object(job, 'selector') !== undefined)
    errors.push(forbidden('spec.jobTemplate.spec.selector', '`selector` will be auto-generated'));
}

const FIELDS: readonly {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words: readonly string[];
}[] = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day', min: 1, max: 31, words: [] },
  {
    name: 'month',
    min: 1,
    max: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'weekday', min: 0, max: 6, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** What robfig/cron v3's standard parser says; undefined for a schedule it reads. */
function cronError(schedule: string): string | undefined {
  let spec = schedule;
  if (/^(?:TZ|CRON_TZ)=/.test(spec)) spec = spec.slice(spec.indexOf(' ') + 1).trim();
  if (spec.startsWith('@')) {
    if (['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'].includes(spec))
      return undefined;
    if (/^@every \S+$/.test(spec)) return undefined;
    return `unrecognized descriptor: ${spec}`;
  }
  const fields = spec.split(/\s+/).filter((part) => part !== '');
  if (fields.length !== 5) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  for (const [index, part] of fields.entries()) {
    const wrong = part
      .split(',')
      .map((range) => rangeError(range, FIELDS[index] as (typeof FIELDS)[number]))
      .find((found) => found !== undefined);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function rangeError(text: string, { min, max, words }: (typeof FIELDS)[number]): string | undefined {
  const [range = '', step, ...more] = text.split('/');
  if (more.length > 0) return `too many slashes: ${text}`;
  const [low = '', high, ...rest] = range.split('-');
  if (rest.length > 0) return `too many hyphens: ${text}`;
  const read = (part: string): number | undefined => {
    const word = words.indexOf(part.toLowerCase());
    if (word >= 0) return word + min;
    return /^\d+$/.test(part) ? Number(part) : undefined;
  };
  const star = low === '*' || low === '?';
  const start = star ? min : read(low);
  if (start === undefined)
    return `failed to parse int from ${low}: strconv.Atoi: parsing ${JSON.stringify(low)}: invalid syntax`;
  let end = star ? max : high === undefined ? start : read(high);
  if (end === undefined)
    return `failed to parse int from ${high}: strconv.Atoi: parsing ${JSON.stringify(high)}: invalid syntax`;
  if (step !== undefined) {
    if (!/^\d+$/.test(step))
      return `failed to parse int from ${step}: strconv.Atoi: parsing ${JSON.stringify(step)}: invalid syntax`;
    if (high === undefined && !star) end = max;
    if (Number(step) === 0) return `step of range should be a positive number: ${text}`;
  }
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${text}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${text}`;
  return start > end ? `beginning of range (${start}) beyond end of range (${end}): ${text}` : undefined;
}

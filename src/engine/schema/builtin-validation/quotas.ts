import type { Json, JsonObject } from '../../../base/json.ts';
import { qualifiedName } from '../names.ts';
import { compareQuantities, integerOf } from '../quantity.ts';
import {
  amount,
  duplicate,
  type Errors,
  each,
  entries,
  forbidden,
  has,
  IMMUTABLE,
  invalid,
  isNativeResource,
  items,
  lessThan,
  object,
  quantity,
  quotaResourceName,
  required,
  resourceName,
  resourceValue,
  Seen,
  text,
  texts,
} from './field-checks.ts';
import { internalForm, SCOPE_SELECTOR } from './internal-form.ts';

const COMPUTE = [
  'pods',
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
  'ephemeral-storage',
  'requests.ephemeral-storage',
  'limits.ephemeral-storage',
];
const OBJECTS = [
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
  'requests.storage',
];
const SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
const PAIRS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

/** Whether a scope can be asked of what a limit counts; limits that no word stands for fit every scope. (kubernetes@1.34 pkg/apis/core/helper) */
function fits(scope: string, limit: string): boolean {
  if (!COMPUTE.includes(limit) && !OBJECTS.includes(limit)) return true;
  switch (scope) {
    case 'BestEffort':
      return limit === 'pods';
    case 'VolumeAttributesClass':
      return limit === 'persistentvolumeclaims' || limit === 'requests.storage';
    case 'Terminating':
    case 'NotTerminating':
    case 'NotBestEffort':
    case 'PriorityClass':
    case 'CrossNamespacePodAffinity':
      return COMPUTE.includes(limit);
    default:
      return true;
  }
}

/** (kubernetes@1.34 pkg/apis/core/validation ValidateResourceQuota) */
export function resourceQuota(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  for (const [name, held] of entries(spec, 'hard')) {
    quotaResourceName(errors, name, `spec.hard[${name}]`);
    resourceValue(errors, name, held, `spec.hard[${name}]`);
  }
  const limits = Object.keys(object(spec, 'hard') ?? {}).toSorted();
  const scopes = texts(spec, 'scopes');
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope'));
    for (const limit of limits)
      if (!fits(scope, limit)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'));
  }
  for (const pair of PAIRS)
    if (pair.every((scope) => scopes.includes(scope)))
      errors.push(invalid('spec.scopes', scopes, 'conflicting scopes'));
  scopeSelector(errors, spec, limits);
  if (old === undefined) return;
  const before = new Set(texts(object(old, 'spec'), 'scopes'));
  if (before.size !== new Set(scopes).size || scopes.some((scope) => !before.has(scope)))
    errors.push(invalid('spec.scopes', has(spec, 'scopes') ? scopes : null, IMMUTABLE));
}

function scopeSelector(errors: Errors, spec: JsonObject, limits: readonly string[]): void {
  const selector = object(spec, 'scopeSelector');
  const at = 'spec.scopeSelector.matchExpressions';
  const named: string[] = [];
  for (const requirement of items(selector, 'matchExpressions')) {
    const [scope, operator] = [text(requirement, 'scopeName'), text(requirement, 'operator')];
    const values = texts(requirement, 'values');
    if (!SCOPES.includes(scope)) errors.push(invalid(`${at}.scopeName`, scope, 'unsupported scope'));
    for (const limit of limits)
      if (!fits(scope, limit))
        errors.push(invalid(at, internalForm(selector, SCOPE_SELECTOR), 'unsupported scope applied to resource'));
    if (SCOPES.includes(scope) && !['PriorityClass', 'VolumeAttributesClass'].includes(scope) && operator !== 'Exists')
      errors.push(
        invalid(
          `${at}.operator`,
          operator,
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      );
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        errors.push(
          required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"),
        );
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.push(
          invalid(
            `${at}.values`,
            values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          ),
        );
    } else errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    named.push(scope);
  }
  for (const pair of PAIRS)
    if (pair.every((scope) => named.includes(scope)))
      errors.push(invalid(at, has(spec, 'scopes') ? texts(spec, 'scopes') : null, 'conflicting scopes'));
}

const KEYS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

/** (kubernetes@1.34 pkg/apis/core/validation ValidateLimitRange) */
export function limitRange(errors: Errors, value: JsonObject): void {
  const types = new Seen();
  items(object(value, 'spec'), 'limits').forEach((limit, index) => {
    const at = `spec.limits[${index}]`;
    const type = text(limit, 'type');
    if (!['Container', 'Pod', 'PersistentVolumeClaim'].includes(type)) limitType(errors, type, `${at}.type`);
    if (!types.add(type)) errors.push(duplicate(`${at}.type`, type));
    const names = (key: string): void => {
      for (const [name] of entries(limit, key)) resourceName(errors, name, `${at}.${key}[${name}]`);
    };
    names('max');
    names('min');
    for (const key of ['default', 'defaultRequest']) {
      if (type !== 'Pod') names(key);
      else if (entries(limit, key).length > 0)
        errors.push(forbidden(`${at}.${key}`, "may not be specified when `type` is 'Pod'"));
    }
    const stored = (key: string): boolean => has(object(limit, key), 'storage');
    if (type === 'PersistentVolumeClaim' && !stored('min') && !stored('max'))
      errors.push(
        required(`${at}.limits`, 'either minimum or maximum storage value is required, but neither was provided'),
      );
    names('maxLimitRequestRatio');
    const used = KEYS.filter((key) => type !== 'Pod' || !key.startsWith('default'));
    const all = new Set(used.flatMap((key) => entries(limit, key).map(([name]) => name)));
    for (const name of all)
      bounds(errors, name, at, (key) => (used.includes(key) ? object(limit, key)?.[name] : undefined));
  });
}

function limitType(errors: Errors, type: string, path: string): void {
  const wrong = qualifiedName(type);
  each(errors, wrong, path, type);
  if (wrong.length === 0 && !type.includes('/'))
    errors.push(invalid(path, type, 'must be a standard limit type or fully qualified'));
}

/** The bounds of one resource must be in order. */
function bounds(errors: Errors, name: string, at: string, of: (key: (typeof KEYS)[number]) => Json | undefined): void {
  const [min, max, request, limit, ratio] = [
    of('min'),
    of('max'),
    of('defaultRequest'),
    of('default'),
    of('maxLimitRequestRatio'),
  ];
  const above = (a: Json | undefined, b: Json | undefined): boolean =>
    a !== undefined && b !== undefined && lessThan(b, a);
  const say = (key: string, value: Json | undefined, message: string): void => {
    errors.push(invalid(`${at}.${key}[${name}]`, value, message));
  };
  if (above(min, max)) say('min', min, `min value ${amount(min)} is greater than max value ${amount(max)}`);
  if (above(min, request))
    say('defaultRequest', request, `min value ${amount(min)} is greater than default request value ${amount(request)}`);
  if (above(request, max))
    say('defaultRequest', request, `default request value ${amount(request)} is greater than max value ${amount(max)}`);
  if (above(request, limit))
    say(
      'defaultRequest',
      request,
      `default request value ${amount(request)} is greater than default limit value ${amount(limit)}`,
    );
  if (above(min, limit)) say('default', min, `min value ${amount(min)} is greater than default value ${amount(limit)}`);
  if (above(limit, max)) say('default', max, `default value ${amount(limit)} is greater than max value ${amount(max)}`);
  if (ratio !== undefined) {
    if (lessThan(ratio, '1')) say('maxLimitRequestRatio', ratio, `ratio ${amount(ratio)} is less than 1`);
    if (min !== undefined && max !== undefined) {
      const most = milli(max) / milli(min);
      if (milli(ratio) / 1000 > most)
        say('maxLimitRequestRatio', ratio, `ratio ${amount(ratio)} is greater than max/min = ${most.toFixed(6)}`);
    }
  }
  const shared = isNativeResource(name) && !name.startsWith('hugepages-');
  if (
    !shared &&
    limit !== undefined &&
    request !== undefined &&
    compareQuantities(quantity(limit), quantity(request)) !== 0
  )
    say(
      'defaultRequest',
      request,
      `default value ${amount(limit)} must equal to defaultRequest value ${amount(request)} in ${name}`,
    );
}

function milli(value: Json): number {
  const own = quantity(value);
  return Number(integerOf({ ...own, scale: own.scale + 3 }, false) ?? 0n);
}

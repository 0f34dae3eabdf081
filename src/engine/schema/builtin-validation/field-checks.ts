import { equal, type Json, type JsonObject, type MutableJsonObject } from '../../../base/json.ts';
import { duplicate, forbidden, invalid, notFound, notSupported, required } from '../field-error.ts';
import { configMapKey, isPercent, labelValue, portName, qualifiedName } from '../names.ts';
import { compareQuantities, integerOf, parseQuantity, type Quantity } from '../quantity.ts';
import type { FieldError } from '../schema.ts';
import { entries, has, items, number, object, text, texts } from './read.ts';

/** Rules that several kinds share; each adds to `errors`. (kubernetes@1.34 pkg/apis/core/validation, apimachinery meta/v1/validation) */
export type Errors = FieldError[];

export const IMMUTABLE = 'field is immutable';

export function each(errors: Errors, messages: readonly string[], path: string, value: Json): void {
  for (const message of messages) errors.push(invalid(path, value, message));
}

export function nonNegative(errors: Errors, value: number | undefined, path: string): void {
  if (value !== undefined && value < 0) errors.push(invalid(path, value, 'must be greater than or equal to 0'));
}

export function oneOf(errors: Errors, value: string, allowed: readonly string[], path: string): void {
  if (!allowed.includes(value)) errors.push(notSupported(path, value, allowed));
}

export function immutable(errors: Errors, now: Json | undefined, old: Json | undefined, path: string): void {
  if (!equal(now ?? null, old ?? null)) errors.push(invalid(path, now, IMMUTABLE));
}

/** A port number, or the name of one. */
export function portNumber(errors: Errors, value: number, path: string): void {
  if (value < 1 || value > 65_535) errors.push(invalid(path, value, 'must be between 1 and 65535, inclusive'));
}

export function portNumberOrName(errors: Errors, value: Json | undefined, path: string): void {
  if (typeof value === 'number') portNumber(errors, value, path);
  else if (typeof value === 'string') each(errors, portName(value), path, value);
}

export function labels(errors: Errors, value: JsonObject | undefined, path: string): void {
  for (const [key, item] of Object.entries(value ?? {})) {
    each(errors, qualifiedName(key), path, key);
    if (typeof item === 'string') each(errors, labelValue(item), path, item);
  }
}

/** A LabelSelector. */
export function labelSelector(errors: Errors, selector: JsonObject | undefined, path: string): void {
  if (selector === undefined) return;
  labels(errors, object(selector, 'matchLabels'), `${path}.matchLabels`);
  items(selector, 'matchExpressions').forEach((expression, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const values = texts(expression, 'values');
    switch (text(expression, 'operator')) {
      case 'In':
      case 'NotIn':
        if (values.length === 0)
          errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0)
          errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        break;
      default:
        errors.push(invalid(`${at}.operator`, text(expression, 'operator'), 'not a valid selector operator'));
    }
    each(errors, qualifiedName(text(expression, 'key')), `${at}.key`, text(expression, 'key'));
    values.forEach((value, position) => each(errors, labelValue(value), `${at}.values[${position}]`, value));
  });
}

export function selectorIsEmpty(selector: JsonObject | undefined): boolean {
  return (
    Object.keys(object(selector, 'matchLabels') ?? {}).length === 0 && items(selector, 'matchExpressions').length === 0
  );
}

/** Whether labels fit a LabelSelector; undefined when the selector itself is wrong. */
export function selectorMatches(selector: JsonObject, own: JsonObject): boolean | undefined {
  const errors: Errors = [];
  labelSelector(errors, selector, '');
  if (errors.length > 0) return undefined;
  for (const [key, value] of entries(selector, 'matchLabels')) if (own[key] !== value) return false;
  return items(selector, 'matchExpressions').every((expression) => {
    const key = text(expression, 'key');
    const value = Object.hasOwn(own, key) ? own[key] : undefined;
    const values = items(expression, 'values');
    switch (text(expression, 'operator')) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      default:
        return value === undefined;
    }
  });
}

const STANDARD_RESOURCES = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
]);
const CONTAINER_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage']);

export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Name of a resource of a container: `cpu`, `hugepages-2Mi`, `example.com/gpu`. */
export function containerResourceName(errors: Errors, name: string, path: string): void {
  resourceName(errors, name, path);
  if (!name.includes('/')) {
    if (!CONTAINER_RESOURCES.has(name) && !isHugePages(name))
      errors.push(invalid(path, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && name.startsWith('requests.')) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
}

/** The name of any resource. */
export function resourceName(errors: Errors, name: string, path: string): void {
  const found = errors.length;
  each(errors, qualifiedName(name), path, name);
  if (errors.length > found) return;
  if (!name.includes('/') && !STANDARD_RESOURCES.has(name) && !isHugePages(name)) {
    errors.push(invalid(path, name, 'must be a standard resource type or fully qualified'));
  }
}

/** Name of a resource that a quota limits; `count/deployments.apps` counts objects. */
export function quotaResourceName(errors: Errors, name: string, path: string): void {
  const found = errors.length;
  each(errors, qualifiedName(name), path, name);
  if (name.includes('/')) return;
  if (!STANDARD_RESOURCES.has(name) && !/^(?:requests\.)?hugepages-/.test(name) && errors.length >= found) {
    errors.push(invalid(path, name, 'must be a standard resource for quota'));
  }
}

export function quantity(value: Json | undefined): Quantity {
  return (typeof value === 'string' ? parseQuantity(value) : undefined) ?? { value: 0n, scale: 0, format: 'DecimalSI' };
}

/** A quantity that may not be negative, and of counted resources must be whole. */
export function resourceValue(errors: Errors, name: string, value: Json, path: string): void {
  const own = quantity(value);
  if (own.value < 0n) errors.push(invalid(path, value, 'must be greater than or equal to 0'));
  const whole =
    !isNativeResource(name) ||
    isHugePages(name) ||
    [
      'pods',
      'services',
      'replicationcontrollers',
      'resourcequotas',
      'secrets',
      'configmaps',
      'persistentvolumeclaims',
      'services.nodeports',
      'services.loadbalancers',
    ].includes(name);
  if (whole && integerOf(own, true) === undefined) errors.push(invalid(path, value, 'must be an integer'));
}

export function lessThan(a: Json | undefined, b: Json | undefined): boolean {
  return compareQuantities(quantity(a), quantity(b)) < 0;
}

/** A quantity as messages show it. */
export function amount(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** `resources` of a container. */
export function resourceRequirements(errors: Errors, resources: JsonObject | undefined, path: string): void {
  const limits = object(resources, 'limits') ?? {};
  const requests = object(resources, 'requests') ?? {};
  for (const [name, value] of entries(resources, 'limits')) {
    const at = `${path}.limits[${name}]`;
    containerResourceName(errors, name, at);
    resourceValue(errors, name, value, at);
  }
  for (const [name, value] of entries(resources, 'requests')) {
    const at = `${path}.requests[${name}]`;
    containerResourceName(errors, name, at);
    resourceValue(errors, name, value, at);
    const limit = limits[name];
    if (limit !== undefined) {
      if (lessThan(limit, value))
        errors.push(
          invalid(`${path}.requests`, value, `must be less than or equal to ${name} limit of ${amount(limit)}`),
        );
      else if (
        (!isNativeResource(name) || isHugePages(name)) &&
        compareQuantities(quantity(limit), quantity(value)) !== 0
      ) {
        errors.push(invalid(`${path}.requests`, value, `must be equal to ${name} limit of ${amount(limit)}`));
      }
    } else if (!isNativeResource(name) || isHugePages(name)) {
      errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
    }
  }
  if (Object.keys(limits).some(isHugePages) || Object.keys(requests).some(isHugePages)) {
    const basic = (held: JsonObject): boolean => held['cpu'] !== undefined || held['memory'] !== undefined;
    if (!basic(limits) && !basic(requests)) errors.push(forbidden(path, 'HugePages require cpu or memory'));
  }
}

/** `1`, `25%`; not negative. */
export function intOrPercent(errors: Errors, value: Json | undefined, path: string): void {
  if (typeof value === 'string') each(errors, isPercent(value), path, value);
  else if (typeof value === 'number') nonNegative(errors, value, path);
}

export function notOver100Percent(errors: Errors, value: Json | undefined, path: string): void {
  const match = typeof value === 'string' ? /^([0-9]+)%$/.exec(value) : null;
  if (match !== null && Number(match[1]) > 100) errors.push(invalid(path, value, 'must not be greater than 100%'));
}

/** Zero as a number or as `0%`. */
export function isZeroScaled(value: Json | undefined): boolean {
  return value === 0 || value === '0' || value === '0%' || value === undefined || value === null;
}

/** Data of a ConfigMap or Secret may not be more than this together. */
export const MAX_DATA_BYTES: number = 1024 * 1024;

export function configKeys(errors: Errors, data: JsonObject | undefined, path: string): void {
  for (const key of Object.keys(data ?? {}).toSorted()) each(errors, configMapKey(key), `${path}[${key}]`, key);
}

/** Bytes that text takes in UTF-8. */
export function utf8Length(value: string): number {
  let bytes = 0;
  for (const char of value) {
    const code = char.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

/** A copy of an object without these fields. */
export function without(value: JsonObject, ...keys: readonly string[]): MutableJsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) if (!keys.includes(key)) out[key] = value[key] as Json;
  return out;
}

/** Reports the second and later of equal names. */
export class Seen {
  private readonly names = new Set<string>();
  /** Whether `name` is new. */
  add(name: string): boolean {
    if (this.names.has(name)) return false;
    this.names.add(name);
    return true;
  }
}

export {
  duplicate,
  entries,
  forbidden,
  has,
  invalid,
  items,
  notFound,
  notSupported,
  number,
  object,
  required,
  text,
  texts,
};

/** Equality of two fields that may be missing. */
export function equalOr(a: Json | undefined, b: Json | undefined): boolean {
  return equal(a ?? null, b ?? null);
}

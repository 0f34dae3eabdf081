import type { JsonObject } from '../../../base/json.ts';
import { dns1123Subdomain, qualifiedName } from '../names.ts';
import {
  type Errors,
  each,
  equalOr,
  has,
  IMMUTABLE,
  invalid,
  number,
  object,
  required,
  text,
  utf8Length,
} from './field-checks.ts';
import { internalForm, OBJECT_REF } from './internal-form.ts';

const ZERO = (value: JsonObject, key: string): boolean => text(value, key) === '';

/** An event; `strict` when it came through events.k8s.io. (kubernetes@1.34 pkg/apis/core/validation/events.go) */
export function event(strict: boolean): (errors: Errors, value: JsonObject, old: JsonObject | undefined) => void {
  return (errors, value, old) => {
    common(errors, value, strict);
    if (!strict) return;
    if (old === undefined) {
      series(errors, value);
      fresh(errors, value);
    } else {
      if (!equalOr(value['series'], old['series'])) series(errors, value);
      unchanged(errors, value, old);
    }
  };
}

function common(errors: Errors, value: JsonObject, strict: boolean): void {
  const namespace = text(object(value, 'metadata'), 'namespace');
  const involved = text(object(value, 'involvedObject'), 'namespace');
  const elsewhere = invalid('involvedObject.namespace', involved, 'does not match event.namespace');
  if (ZERO(value, 'eventTime')) {
    const fits = involved === '' ? namespace === '' || namespace === 'default' : namespace === involved;
    if (!fits) errors.push(elsewhere);
  } else {
    if (involved === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(elsewhere);
    const controller = text(value, 'reportingComponent');
    const name = strict ? 'reportingController' : 'reportingComponent';
    if (controller === '') errors.push(required(name));
    each(errors, qualifiedName(controller), name, controller);
    limited(errors, value, 'reportingInstance', 128);
    limited(errors, value, 'action', 128);
    limited(errors, value, 'reason', 128);
    if (utf8Length(text(value, 'message')) > 1024)
      errors.push(invalid('message', '', 'can have at most 1024 characters'));
  }
  each(errors, dns1123Subdomain(namespace), 'namespace', namespace);
}

function limited(errors: Errors, value: JsonObject, key: string, max: number): void {
  const own = text(value, key);
  if (own === '') errors.push(required(key));
  if (utf8Length(own) > max) errors.push(invalid(key, '', `can have at most ${max} characters`));
}

function series(errors: Errors, value: JsonObject): void {
  const own = object(value, 'series');
  if (own === undefined) return;
  if ((number(own, 'count') ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (ZERO(own, 'lastObservedTime')) errors.push(required('series.lastObservedTime'));
}

function fresh(errors: Errors, value: JsonObject): void {
  if (ZERO(value, 'eventTime')) errors.push(required('eventTime'));
  const type = text(value, 'type');
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalid('type', '', `has invalid value: ${type}`));
  for (const key of ['firstTimestamp', 'lastTimestamp'])
    if (!ZERO(value, key)) errors.push(invalid(key, '', 'needs to be unset'));
  if ((number(value, 'count') ?? 0) !== 0) errors.push(invalid('count', '', 'needs to be unset'));
  const source = object(value, 'source');
  if (text(source, 'component') !== '' || text(source, 'host') !== '')
    errors.push(invalid('source', '', 'needs to be unset'));
}

function unchanged(errors: Errors, value: JsonObject, old: JsonObject): void {
  const reference = (key: string): void => {
    if (equalOr(value[key], old[key])) return;
    const own = has(value, key) || key === 'involvedObject' ? internalForm(value[key], OBJECT_REF) : null;
    errors.push(invalid(key, own, IMMUTABLE));
  };
  const plain = (key: string, name: string = key): void => {
    if (text(value, key) !== text(old, key)) errors.push(invalid(name, text(value, key), IMMUTABLE));
  };
  reference('involvedObject');
  plain('reason');
  plain('message');
  if (!equalOr(value['source'], old['source'])) {
    const source = object(value, 'source');
    errors.push(invalid('source', { Component: text(source, 'component'), Host: text(source, 'host') }, IMMUTABLE));
  }
  for (const key of ['firstTimestamp', 'lastTimestamp'])
    if (text(value, key) !== text(old, key)) errors.push(invalid(key, value[key] ?? null, IMMUTABLE));
  if ((number(value, 'count') ?? 0) !== (number(old, 'count') ?? 0))
    errors.push(invalid('count', number(value, 'count') ?? 0, IMMUTABLE));
  plain('reason');
  plain('type');
  if (text(value, 'eventTime') !== text(old, 'eventTime'))
    errors.push(invalid('eventTime', value['eventTime'] ?? null, IMMUTABLE));
  plain('action');
  reference('related');
  plain('reportingComponent', 'reportingController');
  plain('reportingInstance');
}

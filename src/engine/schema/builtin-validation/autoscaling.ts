import type { Json, JsonObject } from '../../../base/json.ts';
import { dns1123Label } from '../names.ts';
import {
  containerResourceName,
  type Errors,
  each,
  forbidden,
  has,
  invalid,
  items,
  notSupported,
  number,
  object,
  quantity,
  required,
  text,
} from './field-checks.ts';
import { pathSegment } from './rbac.ts';

/** (kubernetes@1.34 pkg/apis/autoscaling/validation) */

const METRIC_SOURCES: { readonly [type: string]: string } = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

export function horizontalPodAutoscaler(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  const [min, max] = [number(spec, 'minReplicas'), number(spec, 'maxReplicas') ?? 0];
  const metrics = items(spec, 'metrics');
  if (min !== undefined && min < 1) errors.push(invalid('spec.minReplicas', min, 'must be greater than or equal to 1'));
  if (max < 1) errors.push(invalid('spec.maxReplicas', max, 'must be greater than 0'));
  if (min !== undefined && max < min)
    errors.push(invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  const target = object(spec, 'scaleTargetRef') ?? {};
  reference(errors, target, 'spec.scaleTargetRef');
  if (!text(target, 'apiVersion').includes('/'))
    errors.push(
      invalid('spec.scaleTargetRef.apiVersion', text(target, 'apiVersion'), 'apiVersion must specify API group'),
    );
  for (const way of ['scaleUp', 'scaleDown']) {
    const rules = object(object(spec, 'behavior'), way);
    if (rules !== undefined) scalingRules(errors, rules, `spec.behavior.${way}`);
  }
  metrics.forEach((metric, index) => metricSpec(errors, metric, `spec.metrics[${index}]`));
  if (min === 0 && !metrics.some((metric) => ['External', 'Object'].includes(text(metric, 'type')))) {
    errors.push(
      forbidden(
        'spec.metrics',
        'must specify at least one Object or External metric to support scaling to zero replicas',
      ),
    );
  }
}

function metricSpec(errors: Errors, metric: Json, path: string): void {
  const type = text(metric, 'type');
  const source = METRIC_SOURCES[type];
  const types = Object.keys(METRIC_SOURCES);
  if (type === '') {
    errors.push(
      required(`${path}.type`, 'must specify a metric source type'),
      notSupported(`${path}.type`, type, types),
    );
    return;
  }
  if (source === undefined) {
    errors.push(notSupported(`${path}.type`, type, types), notSupported(`${path}.type`, type, types));
    return;
  }
  const own = object(metric, source);
  if (own === undefined) {
    errors.push(required(`${path}.${source}`, 'must populate information for the given metric source'));
    return;
  }
  if ((type === 'Resource' || type === 'ContainerResource') && text(own, 'name') === '')
    errors.push(required(`${path}.${source}.name`, 'must specify a resource name'));
  if (type === 'ContainerResource' && text(own, 'container') === '')
    errors.push(required(`${path}.${source}.container`, 'must specify a container'));
  else if (type === 'ContainerResource')
    each(errors, dns1123Label(text(own, 'container')), `${path}.${source}.container`, text(own, 'container'));
  if (type === 'ContainerResource' && text(own, 'name') !== '')
    containerResourceName(errors, text(own, 'name'), `${path}.${source}.name`);
  if (type === 'Object') reference(errors, object(own, 'describedObject') ?? {}, `${path}.${source}.describedObject`);
  if (['Object', 'Pods', 'External'].includes(type))
    metricName(errors, object(own, 'metric'), `${path}.${source}.metric`);
  const target = object(own, 'target') ?? {};
  const targetType = text(target, 'type');
  if (targetType === '') errors.push(required(`${path}.${source}.target.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(targetType)) {
    errors.push(
      invalid(`${path}.${source}.target.type`, targetType, 'must be either Utilization, Value, or AverageValue'),
    );
  }
  const [utilization, average, plain] = [
    has(target, 'averageUtilization'),
    has(target, 'averageValue'),
    has(target, 'value'),
  ];
  const at = `${path}.${source}.target`;
  const share = number(target, 'averageUtilization');
  for (const key of ['value', 'averageValue'])
    if (has(target, key) && quantity(target[key]).value <= 0n)
      errors.push(invalid(`${at}.${key}`, target[key], 'must be positive'));
  if (share !== undefined && share < 1)
    errors.push(invalid(`${at}.averageUtilization`, share, 'must be greater than 0'));
  if (type === 'Resource' || type === 'ContainerResource') {
    if (!utilization && !average)
      errors.push(required(`${at}.averageUtilization`, 'must set either a target raw value or a target utilization'));
    else if (utilization && average)
      errors.push(forbidden(`${at}.averageValue`, 'may not set both a target raw value and a target utilization'));
  } else if (type === 'Pods' && !average)
    errors.push(required(`${at}.averageValue`, 'must specify a positive target averageValue'));
  else if ((type === 'Object' || type === 'External') && !plain && !average) {
    errors.push(
      required(
        `${at}.averageValue`,
        type === 'Object'
          ? 'must set either a target value or averageValue'
          : 'must set either a target value for metric or a per-pod target',
      ),
    );
  }
}

/** Seconds: of a stabilization window, of a policy's period. */
const LONGEST_WINDOW = 3600;
const LONGEST_PERIOD = 1800;

function scalingRules(errors: Errors, rules: JsonObject, path: string): void {
  const window = number(rules, 'stabilizationWindowSeconds');
  const at = `${path}.stabilizationWindowSeconds`;
  if (window !== undefined && window < 0) errors.push(invalid(at, window, 'must be greater than or equal to zero'));
  if (window !== undefined && window > LONGEST_WINDOW)
    errors.push(invalid(at, window, `must be less than or equal to ${LONGEST_WINDOW}`));
  const select = text(rules, 'selectPolicy');
  if (has(rules, 'selectPolicy') && !['Disabled', 'Max', 'Min'].includes(select))
    errors.push(notSupported(`${path}.selectPolicy`, select, ['Disabled', 'Max', 'Min']));
  const policies = items(rules, 'policies');
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'));
  policies.forEach((policy, index) => {
    const own = `${path}.policies[${index}]`;
    const type = text(policy, 'type');
    if (type !== 'Percent' && type !== 'Pods') errors.push(notSupported(`${own}.type`, type, ['Percent', 'Pods']));
    const [value, period] = [number(policy, 'value') ?? 0, number(policy, 'periodSeconds') ?? 0];
    if (value <= 0) errors.push(invalid(`${own}.value`, value, 'must be greater than zero'));
    if (period <= 0) errors.push(invalid(`${own}.periodSeconds`, period, 'must be greater than zero'));
    if (period > LONGEST_PERIOD)
      errors.push(invalid(`${own}.periodSeconds`, period, `must be less than or equal to ${LONGEST_PERIOD}`));
  });
}

function reference(errors: Errors, own: JsonObject, path: string): void {
  for (const key of ['kind', 'name']) {
    const value = text(own, key);
    if (value === '') errors.push(required(`${path}.${key}`));
    else each(errors, pathSegment(value), `${path}.${key}`, value);
  }
}

function metricName(errors: Errors, metric: JsonObject | undefined, path: string): void {
  const name = text(metric, 'name');
  if (name === '') errors.push(required(`${path}.name`, 'must specify a metric name'));
  else each(errors, pathSegment(name), `${path}.name`, name);
}

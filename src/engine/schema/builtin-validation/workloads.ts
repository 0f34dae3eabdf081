import { equal, type Json, type JsonObject } from '../../../base/json.ts';
import { dns1123Label } from '../names.ts';
import { claimSpec } from './claims.ts';
import {
  type Errors,
  each,
  forbidden,
  has,
  immutable,
  intOrPercent,
  invalid,
  isZeroScaled,
  items,
  labelSelector,
  labels,
  nonNegative,
  notOver100Percent,
  notSupported,
  number,
  object,
  required,
  selectorIsEmpty,
  selectorMatches,
  text,
  without,
} from './field-checks.ts';
import { annotations, podTemplate } from './pods.ts';

/** Selector and template of a workload. (kubernetes@1.34 pkg/apis/apps/validation) */
function selectorAndTemplate(
  errors: Errors,
  spec: JsonObject,
  kind: string,
  template: () => void,
  unreadable: string | null = 'invalid label selector',
): void {
  const selector = object(spec, 'selector');
  const own = labelsOf(spec);
  // A DaemonSet's selector may be missing, and then fits nothing.
  if (selector === undefined) {
    if (kind !== 'daemonset') errors.push(required('spec.selector'));
  } else {
    labelSelector(errors, selector, 'spec.selector');
    if (selectorIsEmpty(selector))
      errors.push(invalid('spec.selector', selector, `empty selector is invalid for ${kind}`));
  }
  const matches = selector === undefined ? false : selectorMatches(selector, own);
  if (matches === undefined) {
    if (unreadable !== null) errors.push(invalid('spec.selector', selector, unreadable));
  } else {
    if (!matches && (selector === undefined || !selectorIsEmpty(selector))) {
      errors.push(
        invalid(
          'spec.template.metadata.labels',
          hasLabels(spec) ? own : null,
          '`selector` does not match template `labels`',
        ),
      );
    }
    template();
  }
}

function labelsOf(spec: JsonObject): JsonObject {
  return object(object(object(spec, 'template'), 'metadata'), 'labels') ?? {};
}

function hasLabels(spec: JsonObject): boolean {
  return object(object(object(spec, 'template'), 'metadata'), 'labels') !== undefined;
}

/** The template of pods that run forever. */
function runningTemplate(errors: Errors, spec: JsonObject): void {
  podTemplate(errors, object(spec, 'template'), 'spec.template');
  const own = object(object(spec, 'template'), 'spec');
  const restart = text(own, 'restartPolicy');
  const at = errors.findIndex(({ field }) => field === 'spec.template.spec.restartPolicy');
  if (restart !== 'Always' && at < 0)
    errors.push(notSupported('spec.template.spec.restartPolicy', restart, ['Always']));
  if (has(own, 'activeDeadlineSeconds'))
    errors.push(
      forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in ReplicaSet is not Supported'),
    );
}

export function deployment(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  nonNegative(errors, number(spec, 'replicas'), 'spec.replicas');
  selectorAndTemplate(errors, spec, 'deployment', () => runningTemplate(errors, spec));
  rolling(errors, object(spec, 'strategy') ?? {}, 'spec.strategy');
  nonNegative(errors, number(spec, 'minReadySeconds'), 'spec.minReadySeconds');
  nonNegative(errors, number(spec, 'revisionHistoryLimit'), 'spec.revisionHistoryLimit');
  const progress = number(spec, 'progressDeadlineSeconds');
  if (progress !== undefined) {
    nonNegative(errors, progress, 'spec.progressDeadlineSeconds');
    const ready = number(spec, 'minReadySeconds') ?? 0;
    if (progress <= ready)
      errors.push(invalid('spec.progressDeadlineSeconds', progress, 'must be greater than minReadySeconds'));
  }
  if (old !== undefined) immutable(errors, spec['selector'], object(old, 'spec')?.['selector'], 'spec.selector');
}

function rolling(errors: Errors, strategy: JsonObject, path: string): void {
  const type = text(strategy, 'type');
  const own = object(strategy, 'rollingUpdate');
  if (type === 'Recreate') {
    if (own !== undefined)
      errors.push(forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"));
    return;
  }
  if (type !== 'RollingUpdate') {
    errors.push(
      notSupported(path, strategyDump(type, own, 'maxUnavailable', 'maxSurge'), ['Recreate', 'RollingUpdate']),
    );
    return;
  }
  if (own === undefined) {
    errors.push(required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil'));
    return;
  }
  unavailableAndSurge(errors, own, `${path}.rollingUpdate`);
}

/** With the fields of its kind's rolling update, in the order of the internal type. */
function strategyDump(type: string, own: JsonObject | undefined, ...keys: readonly string[]): JsonObject {
  const rolling = Object.fromEntries(
    keys.map((key) => [`${key.slice(0, 1).toUpperCase()}${key.slice(1)}`, own?.[key] ?? null]),
  );
  return { Type: type, RollingUpdate: own === undefined ? null : rolling };
}

function unavailableAndSurge(errors: Errors, own: JsonObject, path: string): void {
  intOrPercent(errors, own['maxUnavailable'], `${path}.maxUnavailable`);
  intOrPercent(errors, own['maxSurge'], `${path}.maxSurge`);
  if (isZeroScaled(own['maxUnavailable']) && isZeroScaled(own['maxSurge'])) {
    errors.push(invalid(`${path}.maxUnavailable`, own['maxUnavailable'], 'may not be 0 when `maxSurge` is 0'));
  }
  notOver100Percent(errors, own['maxUnavailable'], `${path}.maxUnavailable`);
}

export function replicaSet(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  nonNegative(errors, number(spec, 'replicas'), 'spec.replicas');
  nonNegative(errors, number(spec, 'minReadySeconds'), 'spec.minReadySeconds');
  selectorAndTemplate(errors, spec, 'ReplicaSet', () => runningTemplate(errors, spec));
  if (old !== undefined) immutable(errors, spec['selector'], object(old, 'spec')?.['selector'], 'spec.selector');
}

export function replicationController(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  nonNegative(errors, number(spec, 'minReadySeconds'), 'spec.minReadySeconds');
  const selector = object(spec, 'selector') ?? {};
  if (Object.keys(selector).length === 0) errors.push(required('spec.selector'));
  nonNegative(errors, number(spec, 'replicas'), 'spec.replicas');
  if (object(spec, 'template') === undefined) errors.push(required('spec.template'));
  else {
    const own = labelsOf(spec);
    if (!Object.entries(selector).every(([key, item]) => own[key] === item)) {
      errors.push(invalid('spec.template.metadata.labels', own, '`selector` does not match template `labels`'));
    }
    runningTemplate(errors, spec);
  }
}

export function daemonSet(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  if (old !== undefined) immutable(errors, spec['selector'], object(old, 'spec')?.['selector'], 'spec.selector');
  selectorAndTemplate(
    errors,
    spec,
    'daemonset',
    () => {
      podTemplate(errors, object(spec, 'template'), 'spec.template');
      const restart = text(object(object(spec, 'template'), 'spec'), 'restartPolicy');
      if (restart !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', restart, ['Always']));
    },
    null,
  );
  nonNegative(errors, number(spec, 'minReadySeconds'), 'spec.minReadySeconds');
  const strategy = object(spec, 'updateStrategy') ?? {};
  const type = text(strategy, 'type');
  const own = object(strategy, 'rollingUpdate');
  if (type === 'RollingUpdate') {
    if (own === undefined) errors.push(required('spec.updateStrategy.rollingUpdate'));
    else daemonRolling(errors, own);
  } else if (type !== 'OnDelete')
    errors.push(
      notSupported('spec.updateStrategy', strategyDump(type, own, 'maxUnavailable', 'maxSurge'), [
        'RollingUpdate',
        'OnDelete',
      ]),
    );
  nonNegative(errors, number(spec, 'revisionHistoryLimit'), 'spec.revisionHistoryLimit');
}

function daemonRolling(errors: Errors, own: JsonObject): void {
  const path = 'spec.updateStrategy.rollingUpdate';
  intOrPercent(errors, own['maxUnavailable'], `${path}.maxUnavailable`);
  intOrPercent(errors, own['maxSurge'], `${path}.maxSurge`);
  const [unavailable, surge] = [!isZeroScaled(own['maxUnavailable']), !isZeroScaled(own['maxSurge'])];
  if (unavailable && surge)
    errors.push(invalid(`${path}.maxSurge`, own['maxSurge'], 'may not be set when maxUnavailable is non-zero'));
  else if (!unavailable && !surge) errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
}

/** The pod spec of a StatefulSet is checked only when its pods are made. (ValidatePodTemplateSpecForStatefulSet) */
function statefulTemplate(errors: Errors, spec: JsonObject): void {
  const template = object(spec, 'template') ?? {};
  // The claims become volumes; host names are the controller's to give.
  const { subdomain: _a, hostname: _b, ...own } = object(template, 'spec') ?? {};
  const claims = items(spec, 'volumeClaimTemplates').map((claim) => text(object(claim, 'metadata'), 'name'));
  const volumes: readonly Json[] = [
    ...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...items(own, 'volumes').filter((volume) => !claims.includes(text(volume, 'name'))),
  ];
  podTemplate(errors, { ...template, spec: { ...own, volumes } }, 'spec.template');
  labels(errors, labelsOf(spec), 'spec.template.labels');
  annotations(errors, template, 'spec.template');
}

const STATEFUL_MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export function statefulSet(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const policy = text(spec, 'podManagementPolicy');
  if (policy === '') errors.push(required('spec.podManagementPolicy'));
  else if (!['OrderedReady', 'Parallel'].includes(policy)) {
    errors.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  const strategy = object(spec, 'updateStrategy') ?? {};
  const type = text(strategy, 'type');
  if (type === '') errors.push(required('spec.updateStrategy'));
  else if (type === 'OnDelete') {
    if (has(strategy, 'rollingUpdate'))
      errors.push(
        invalid(
          'spec.updateStrategy.rollingUpdate',
          strategy['rollingUpdate'],
          "only allowed for updateStrategy 'RollingUpdate'",
        ),
      );
  } else if (type === 'RollingUpdate') {
    nonNegative(
      errors,
      number(object(strategy, 'rollingUpdate'), 'partition'),
      'spec.updateStrategy.rollingUpdate.partition',
    );
  } else
    errors.push(
      invalid(
        'spec.updateStrategy',
        strategyDump(type, object(strategy, 'rollingUpdate'), 'partition', 'maxUnavailable'),
        "must be 'RollingUpdate' or 'OnDelete'",
      ),
    );
  const retention = object(spec, 'persistentVolumeClaimRetentionPolicy');
  for (const key of ['whenDeleted', 'whenScaled']) {
    if (retention !== undefined && !['Delete', 'Retain'].includes(text(retention, key))) {
      errors.push(
        notSupported(`spec.persistentVolumeClaimRetentionPolicy.${key}`, text(retention, key), ['Retain', 'Delete']),
      );
    }
  }
  const known = object(old, 'spec')?.['volumeClaimTemplates'] ?? null;
  if (old === undefined || !equal(spec['volumeClaimTemplates'] ?? null, known))
    items(spec, 'volumeClaimTemplates').forEach((template, index) => {
      claimSpec(errors, object(template, 'spec') ?? {}, `spec.volumeClaimTemplates[${index}].spec`);
    });
  nonNegative(errors, number(spec, 'replicas'), 'spec.replicas');
  nonNegative(errors, number(spec, 'minReadySeconds'), 'spec.minReadySeconds');
  nonNegative(errors, number(object(spec, 'ordinals'), 'start'), 'spec.ordinals.start');
  if (old === undefined && text(spec, 'serviceName') !== '')
    each(errors, dns1123Label(text(spec, 'serviceName')), 'spec.serviceName', text(spec, 'serviceName'));
  selectorAndTemplate(errors, spec, 'statefulset', () => statefulTemplate(errors, spec), '');
  const restart = text(object(object(spec, 'template'), 'spec'), 'restartPolicy');
  if (restart !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', restart, ['Always']));
  if (has(object(object(spec, 'template'), 'spec'), 'activeDeadlineSeconds'))
    errors.push(
      forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in StatefulSet is not Supported'),
    );
  if (old === undefined) return;
  const before = object(old, 'spec') ?? {};
  if (!equal(without(spec, ...STATEFUL_MUTABLE), without(before, ...STATEFUL_MUTABLE))) {
    errors.push(
      forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
  }
}

export function controllerRevision(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  if (value['data'] === undefined || value['data'] === null) errors.push(required('data', 'data is mandatory'));
  nonNegative(errors, number(value, 'revision'), 'revision');
  if (old !== undefined) immutable(errors, value['data'] as Json, old['data'], 'data');
}

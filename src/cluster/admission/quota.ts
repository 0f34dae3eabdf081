import type { KubeObject } from '../../api/object.ts';
import { at, field, isObject, type MutableJsonObject, put, stringAt } from '../../base/json.ts';
import { items, json, withField } from '../apiserver/draft.ts';
import type { Operation } from '../apiserver/operation.ts';
import { addQuantity, printQuantity, type Quantity } from '../apiserver/quantity.ts';
import { forbidden } from '../apiserver/status.ts';
import type { GroupResource, StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';
import { type Amounts, amountsOf, hasPodLevelResources } from '../workloads/pod-resources.ts';
import { computeUsage, inScopes, isLimitOf, usageOf } from '../workloads/quota-usage.ts';

const QUOTAS = '/resourcequotas';
/** If a quota is about one of these, every container must say what it needs. */
const STATED = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

/**
 * Refuses writes that take more of a namespace's ResourceQuotas than is left, and charges the others. Runs in the same turn as the
 * write that it is about, so that concurrent writers cannot overshoot together. Quotas are what their status says: one that the
 * controller has not counted yet limits nothing. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/resourcequota/controller.go.
 */
export function chargeQuotas(
  store: Store,
  operation: Operation,
  object: KubeObject,
  old: KubeObject | undefined,
): StatusError | undefined {
  const { type, subresource, dryRun } = operation;
  const { namespace } = object.metadata;
  if (namespace === undefined || !handles(type, object, old, subresource)) return undefined;
  const refuse = (why: string): StatusError => forbidden(type, object.metadata.name, why);
  const usage = usageOf(type, object);
  const before = old === undefined ? undefined : usageOf(type, old);
  const charged: [quota: KubeObject, used: Amounts][] = [];
  for (const quota of store.list(QUOTAS, `${namespace}/`)) {
    const hard = amountsOf(at(quota.status, 'hard'));
    const used = amountsOf(at(quota.status, 'used'));
    const names = [...hard.keys()].filter((name) => isLimitOf(type, name)).sort();
    if (names.length === 0 || !inScopes(quota, type, object)) continue;
    const unstated = type.storage === '/pods' ? missing(object, names) : '';
    if (unstated !== '') return refuse(`failed quota: ${quota.metadata.name}: must specify ${unstated}`);
    if (names.some((name) => !used.has(name)))
      return refuse(`status unknown for quota: ${quota.metadata.name}, resources: ${names.join(',')}`);
    const counted = before !== undefined && old !== undefined && inScopes(quota, type, old);
    const requested = new Map<string, Quantity>();
    for (const [name, { nano, format }] of usage) {
      if (!hard.has(name)) continue;
      const more = counted ? nano - (before.get(name)?.nano ?? 0n) : nano;
      if (more > 0n) requested.set(name, { nano: more, format });
    }
    if (requested.size === 0) continue;
    const after = new Map(used);
    for (const [name, amount] of requested) after.set(name, addQuantity(used.get(name), amount));
    const exceeded = [...requested.keys()]
      .filter((name) => (after.get(name)?.nano ?? 0n) > (hard.get(name)?.nano ?? 0n))
      .sort();
    if (exceeded.length > 0 && subresource !== 'status') {
      const print = (amounts: Amounts): string =>
        exceeded.map((name) => `${name}=${printQuantity(amounts.get(name) as Quantity)}`).join(',');
      return refuse(
        `exceeded quota: ${quota.metadata.name}, requested: ${print(requested)}, used: ${print(used)}, limited: ${print(hard)}`,
      );
    }
    charged.push([quota, after]);
  }
  if (!dryRun) for (const [quota, used] of charged) charge(store, quota, used);
  return undefined;
}

function handles(
  resource: GroupResource,
  object: KubeObject,
  old: KubeObject | undefined,
  subresource: string | undefined,
): boolean {
  const name = resource.group === '' ? resource.plural : '';
  const part = subresource ?? '';
  if (name === 'persistentvolumeclaims') return part === '' || part === 'status';
  if (name === 'pods' && old !== undefined) {
    if (part === 'resize') return true;
    const ends = (pod: KubeObject): boolean => field(pod.spec, 'activeDeadlineSeconds') !== undefined;
    return part === '' && ends(object) !== ends(old);
  }
  return part === '' && (old === undefined || name === 'services');
}

/** The resources that containers must state and do not, with their names. Source: kubernetes@1.34 pkg/quota/v1/evaluator/core/pods.go Constraints. */
function missing(pod: KubeObject, limits: readonly string[]): string {
  if (hasPodLevelResources(json(pod))) return '';
  const lacking = new Map<string, string[]>();
  for (const container of [...items(pod.spec, 'containers'), ...items(pod.spec, 'initContainers')]) {
    const stated = computeUsage(
      amountsOf(at(container, 'resources', 'requests')),
      amountsOf(at(container, 'resources', 'limits')),
    );
    for (const name of limits) {
      if (!STATED.has(name) || stated.has(name)) continue;
      lacking.set(name, [...(lacking.get(name) ?? []), stringAt(container, 'name') ?? '']);
    }
  }
  return [...lacking.keys()]
    .sort()
    .map((name) => `${name} for: ${[...new Set(lacking.get(name))].sort().join(',')}`)
    .join('; ');
}

function charge(store: Store, quota: KubeObject, used: Amounts): void {
  const key = `${quota.metadata.namespace ?? ''}/${quota.metadata.name}`;
  const text: MutableJsonObject = {};
  for (const [name, amount] of used) put(text, name, printQuantity(amount));
  const status = isObject(field(json(quota), 'status')) ? (field(json(quota), 'status') as MutableJsonObject) : {};
  store.commit({
    resource: QUOTAS,
    key,
    expected: store.get(QUOTAS, key),
    object: withField(quota, 'status', { ...status, used: text }),
  });
}

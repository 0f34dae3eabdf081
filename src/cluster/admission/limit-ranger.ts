import type { KubeObject } from '../../api/object.ts';
import type { Json, MutableJsonObject } from '../../base/json.ts';
import { at, field, isObject, put, stringAt } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { child, draft, items, kube } from '../apiserver/draft.ts';
import type { Admission } from '../apiserver/operation.ts';
import { nanoOf } from '../apiserver/quantity.ts';
import { forbidden } from '../apiserver/status.ts';
import type { Store } from '../store/store.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';
type Amounts = ReadonlyMap<string, string>;

/** LimitRanges' defaults and bounds. Source: kubernetes@1.34 plugin/pkg/admission/limitranger/admission.go. */
export function limitRanger(store: Store): Admission {
  const ranges = (namespace: string | undefined): readonly KubeObject[] =>
    store.list('/limitranges', `${namespace ?? ''}/`);
  return {
    name: 'LimitRanger',
    mutate: ({ type, verb, namespace, object, subresource }) => {
      if (type.storage !== '/pods' || verb !== 'create' || subresource !== undefined) return ok(object);
      let pod = object;
      for (const range of ranges(namespace)) pod = applyDefaults(pod, range);
      return ok(pod);
    },
    validate: ({ type, verb, namespace, object, subresource, name }) => {
      if (object === undefined || verb === 'delete' || subresource !== undefined) return undefined;
      const isPod = type.storage === '/pods' && verb === 'create';
      const isClaim = type.storage === '/persistentvolumeclaims';
      if (!isPod && !isClaim) return undefined;
      for (const range of ranges(namespace)) {
        const problems = isPod ? podProblems(object, range) : claimProblems(object, range);
        if (problems.length > 0)
          return forbidden(type, name, problems.length === 1 ? (problems[0] as string) : `[${problems.join(', ')}]`);
      }
      return undefined;
    },
  };
}

function amounts(value: Json | undefined): Amounts {
  return new Map(isObject(value) ? Object.keys(value).map((key) => [key, stringAt(value, key) ?? '']) : []);
}

function applyDefaults(object: KubeObject, range: KubeObject): KubeObject {
  const limits = new Map<string, string>();
  const requests = new Map<string, string>();
  for (const limit of items(range.spec, 'limits')) {
    if (stringAt(limit, 'type') !== 'Container') continue;
    for (const [key, value] of amounts(field(limit, 'default'))) limits.set(key, value);
    for (const [key, value] of amounts(field(limit, 'defaultRequest'))) requests.set(key, value);
  }
  if (limits.size + requests.size === 0) return object;
  const pod = draft(object);
  const notes: string[] = [];
  for (const [key, word] of [
    ['containers', 'container'],
    ['initContainers', 'init container'],
  ] as const)
    for (const container of items(field(pod, 'spec'), key)) {
      const name = stringAt(container, 'name') ?? '';
      const resources = child(container, 'resources');
      const addedRequests = fill(resources, 'requests', requests);
      const addedLimits = fill(resources, 'limits', limits);
      if (addedRequests.length > 0) notes.push(`${addedRequests.join(', ')} request for ${word} ${name}`);
      if (addedLimits.length > 0) notes.push(`${addedLimits.join(', ')} limit for ${word} ${name}`);
    }
  if (notes.length > 0)
    put(child(child(pod, 'metadata'), 'annotations'), ANNOTATION, `LimitRanger plugin set: ${notes.join('; ')}`);
  return kube(pod);
}

function fill(resources: MutableJsonObject, key: string, defaults: Amounts): readonly string[] {
  const added = [...defaults].filter(([name]) => at(resources, key, name) === undefined);
  if (added.length === 0) return [];
  const target = child(resources, key);
  for (const [name, value] of added) put(target, name, value);
  return added.map(([name]) => name).sort();
}

interface Bounds {
  readonly type: string;
  readonly min: Amounts;
  readonly max: Amounts;
  readonly ratio: Amounts;
}

function boundsOf(range: KubeObject): readonly Bounds[] {
  return items(range.spec, 'limits').map((limit) => ({
    type: stringAt(limit, 'type') ?? '',
    min: amounts(field(limit, 'min')),
    max: amounts(field(limit, 'max')),
    ratio: amounts(field(limit, 'maxLimitRequestRatio')),
  }));
}

function podProblems(pod: KubeObject, range: KubeObject): readonly string[] {
  const problems: string[] = [];
  const containers = items(pod.spec, 'containers');
  for (const bounds of boundsOf(range)) {
    if (bounds.type === 'Container') {
      for (const container of [...containers, ...items(pod.spec, 'initContainers')])
        problems.push(
          ...judge(
            bounds,
            amounts(at(container, 'resources', 'requests')),
            amounts(at(container, 'resources', 'limits')),
          ),
        );
    } else if (bounds.type === 'Pod') {
      problems.push(...judge(bounds, total(containers, 'requests'), total(containers, 'limits')));
    }
  }
  return problems;
}

/** Sums over containers; a resource that one of them leaves out counts as far as it is given. */
function total(containers: readonly Json[], key: string): Amounts {
  const sums = new Map<string, bigint>();
  for (const container of containers)
    for (const [name, value] of amounts(at(container, 'resources', key)))
      sums.set(name, (sums.get(name) ?? 0n) + nanoOf(value));
  return new Map([...sums].map(([name, nano]) => [name, `${nano}n`]));
}

function claimProblems(claim: KubeObject, range: KubeObject): readonly string[] {
  return boundsOf(range)
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap((bounds) => {
      const requests = amounts(at(claim.spec, 'resources', 'requests'));
      return judge(bounds, requests, new Map(), true);
    });
}

function judge(
  { type, min, max, ratio }: Bounds,
  requests: Amounts,
  limits: Amounts,
  requestsOnly = false,
): readonly string[] {
  const problems: string[] = [];
  for (const [name, bound] of min) {
    const request = requests.get(name);
    const limit = limits.get(name);
    if (request === undefined) problems.push(`minimum ${name} usage per ${type} is ${bound}.  No request is specified`);
    else if (nanoOf(request) < nanoOf(bound))
      problems.push(`minimum ${name} usage per ${type} is ${bound}, but request is ${shown(request)}`);
    if (!requestsOnly && limit !== undefined && nanoOf(limit) < nanoOf(bound))
      problems.push(`minimum ${name} usage per ${type} is ${bound}, but limit is ${shown(limit)}`);
  }
  for (const [name, bound] of max) {
    const request = requests.get(name);
    const limit = limits.get(name);
    if (requestsOnly) {
      if (request === undefined)
        problems.push(`maximum ${name} usage per ${type} is ${bound}.  No request is specified`);
      else if (nanoOf(request) > nanoOf(bound))
        problems.push(`maximum ${name} usage per ${type} is ${bound}, but request is ${shown(request)}`);
      continue;
    }
    if (limit === undefined) problems.push(`maximum ${name} usage per ${type} is ${bound}.  No limit is specified`);
    else if (nanoOf(limit) > nanoOf(bound))
      problems.push(`maximum ${name} usage per ${type} is ${bound}, but limit is ${shown(limit)}`);
    else if (request !== undefined && nanoOf(request) > nanoOf(bound))
      problems.push(`maximum ${name} usage per ${type} is ${bound}, but request is ${shown(request)}`);
  }
  for (const [name, bound] of ratio) {
    const request = nanoOf(requests.get(name));
    const limit = nanoOf(limits.get(name));
    if (request === 0n)
      problems.push(
        `${name} max limit to request ratio per ${type} is ${bound}, but no request is specified or request is 0`,
      );
    else if (limit === 0n)
      problems.push(
        `${name} max limit to request ratio per ${type} is ${bound}, but no limit is specified or limit is 0`,
      );
    else if (limit * 1_000_000_000n > nanoOf(bound) * request)
      problems.push(
        `${name} max limit to request ratio per ${type} is ${bound}, but provided ratio is ${(Number(limit) / Number(request)).toFixed(6)}`,
      );
  }
  return problems;
}

function shown(value: string): string {
  if (!value.endsWith('n')) return value;
  const nano = BigInt(value.slice(0, -1));
  return nano % 1_000_000_000n === 0n ? String(nano / 1_000_000_000n) : `${nano / 1_000_000n}m`;
}

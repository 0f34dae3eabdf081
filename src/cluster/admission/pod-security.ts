import type { KubeObject } from '../../api/object.ts';
import { at, field, isObject, type Json, stringAt } from '../../base/json.ts';
import { items } from '../apiserver/draft.ts';
import type { Admission, Attributes } from '../apiserver/operation.ts';
import { type Cause, forbidden, goQuote, invalid, invalidValue } from '../apiserver/status.ts';
import type { StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';
import { type Finding, findings, type PodLike } from './pod-security-checks.ts';

const LABEL = 'pod-security.kubernetes.io/';
const LEVELS = ['privileged', 'baseline', 'restricted'];
const LATEST = Number.POSITIVE_INFINITY;
/** Pods that a change of a namespace's level looks at. */
const MAX_PODS = 3000;

interface Mode {
  readonly level: string;
  /** Minor version of 1.x. */
  readonly version: number;
}

interface Policy {
  readonly enforce: Mode;
  readonly warn: Mode;
  readonly problems: readonly Cause[];
}

/** Where the kinds that make pods hold what they make them from. */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['/podtemplates', ['template']],
  ['/replicationcontrollers', ['spec', 'template']],
  ['apps/replicasets', ['spec', 'template']],
  ['apps/deployments', ['spec', 'template']],
  ['apps/statefulsets', ['spec', 'template']],
  ['apps/daemonsets', ['spec', 'template']],
  ['batch/jobs', ['spec', 'template']],
  ['batch/cronjobs', ['spec', 'jobTemplate', 'spec', 'template']],
]);
const IGNORED_SUBRESOURCES = new Set([
  'exec',
  'attach',
  'binding',
  'eviction',
  'log',
  'portforward',
  'proxy',
  'status',
]);

/** Holds pods to the levels that their namespace is labelled with. Source: kubernetes@1.34 pod-security-admission/admission/admission.go. */
export function podSecurity(store: Store): Admission {
  const policyOfNamespace = (namespace: string | undefined): Policy =>
    policyOf(store.get('/namespaces', namespace ?? '')?.object.metadata.labels);
  return {
    name: 'PodSecurity',
    validate: (attributes) => {
      const { type, verb, object, namespace, subresource } = attributes;
      if (object === undefined || (verb !== 'create' && verb !== 'update')) return undefined;
      const main = subresource === undefined || subresource === '';
      if (type.storage === '/namespaces') return main ? judgeNamespace(store, attributes, object) : undefined;
      if (type.storage === '/pods') return judgePod(attributes, object, policyOfNamespace(namespace));
      const path = TEMPLATES.get(type.storage);
      const template = path === undefined || !main ? undefined : at(object as unknown as Json, ...path);
      if (template !== undefined) warn(attributes, policyOfNamespace(namespace).warn, podLike(template));
      return undefined;
    },
  };
}

function policyOf(labels: { readonly [key: string]: string } = {}): Policy {
  const problems: Cause[] = [];
  const read = (mode: string, fallback: string): Mode & { readonly stated: boolean } => {
    const level = labels[LABEL + mode];
    const known = level === undefined || LEVELS.includes(level);
    if (!known)
      problems.push(invalidValue(`metadata.labels[${LABEL}${mode}]`, level, `must be one of ${LEVELS.join(', ')}`));
    const version = labels[`${LABEL}${mode}-version`];
    const minor = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(version ?? '')?.[1];
    if (version !== undefined && version !== 'latest' && minor === undefined)
      problems.push(invalidValue(`metadata.labels[${LABEL}${mode}-version]`, version, 'must be "latest" or "v1.x"'));
    return {
      level: known ? (level ?? 'privileged') : fallback,
      version: minor === undefined ? LATEST : Number(minor),
      stated: level !== undefined && known,
    };
  };
  const enforce = read('enforce', 'restricted');
  read('audit', 'privileged');
  const warning = read('warn', 'privileged');
  const silent = labels[`${LABEL}warn`] === undefined;
  // Who enforces a level and says nothing of warnings is warned of what would break it.
  const follow = silent && enforce.stated && enforce.level !== 'privileged';
  const versioned = labels[`${LABEL}warn-version`] !== undefined;
  return {
    enforce,
    warn: follow ? { level: enforce.level, version: versioned ? warning.version : enforce.version } : warning,
    problems,
  };
}

const shown = ({ level, version }: Mode): string => `${level}:${version === LATEST ? 'latest' : `v1.${version}`}`;
const details = (found: readonly Finding[]): string =>
  found.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');

function podLike(template: Json): PodLike {
  const annotations = at(template, 'metadata', 'annotations');
  return {
    annotations: isObject(annotations) ? (annotations as { readonly [key: string]: string }) : {},
    spec: field(template, 'spec'),
  };
}

function warn(attributes: Attributes, mode: Mode, pod: PodLike): void {
  const found = findings(mode.level, mode.version, pod);
  if (found.length > 0) attributes.warn(`would violate PodSecurity ${goQuote(shown(mode))}: ${details(found)}`);
}

function judgePod(attributes: Attributes, object: KubeObject, policy: Policy): StatusError | undefined {
  const { type, name, subresource, old } = attributes;
  if (IGNORED_SUBRESOURCES.has(subresource ?? '')) return undefined;
  if (old !== undefined && !changesImages(object, old)) return undefined;
  const pod = podLike(object as unknown as Json);
  const { enforce } = policy;
  const found = findings(enforce.level, enforce.version, pod);
  if (found.length > 0)
    return forbidden(type, name, `violates PodSecurity ${goQuote(shown(enforce))}: ${details(found)}`);
  warn(attributes, policy.warn, pod);
  return undefined;
}

/** Of what may change in a pod only images, and containers that come, matter to a policy. */
function changesImages(object: KubeObject, old: KubeObject): boolean {
  const images = (pod: KubeObject, key: string): readonly string[] =>
    items(pod.spec, key).map(
      (container) => `${stringAt(container, 'name') ?? ''} ${stringAt(container, 'image') ?? ''}`,
    );
  return (
    ['containers', 'initContainers'].some((key) => images(object, key).join('\n') !== images(old, key).join('\n')) ||
    images(object, 'ephemeralContainers').some((one) => !images(old, 'ephemeralContainers').includes(one))
  );
}

function judgeNamespace(store: Store, attributes: Attributes, object: KubeObject): StatusError | undefined {
  const { old, name } = attributes;
  const policy = policyOf(object.metadata.labels);
  const before = old === undefined ? undefined : policyOf(old.metadata.labels);
  const same = before !== undefined && JSON.stringify(before.problems) === JSON.stringify(policy.problems);
  if (policy.problems.length > 0 && !same) return invalid({ group: '', kind: 'Namespace' }, name, policy.problems);
  if (before === undefined) return undefined;
  const { enforce } = policy;
  const stricter = LEVELS.indexOf(enforce.level) > LEVELS.indexOf(before.enforce.level);
  if (enforce.level === 'privileged' || (enforce.version === before.enforce.version && !stricter)) return undefined;
  for (const warning of podWarnings(store, object.metadata.name, enforce)) attributes.warn(warning);
  return undefined;
}

/** What the pods that are there would be refused for now. */
function podWarnings(store: Store, namespace: string, mode: Mode): readonly string[] {
  const pods = byController(store.list('/pods', `${namespace}/`));
  const names = new Map<string, string[]>();
  for (const pod of pods.slice(0, MAX_PODS)) {
    const found = findings(mode.level, mode.version, podLike(pod as unknown as Json));
    if (found.length === 0) continue;
    const reasons = found.map(({ reason }) => reason).join(', ');
    names.set(reasons, [...(names.get(reasons) ?? []), pod.metadata.name].sort());
  }
  if (names.size === 0 && pods.length <= MAX_PODS) return [];
  const lines = [...names].map(([reasons, [first = '', ...more]]) => {
    const others = more.length === 0 ? '' : ` (and ${more.length} other ${more.length === 1 ? 'pod' : 'pods'})`;
    return `${first}${others}: ${reasons}`;
  });
  return [
    ...(pods.length > MAX_PODS
      ? [`new PodSecurity enforce level only checked against the first ${MAX_PODS} of ${pods.length} existing pods`]
      : []),
    ...(names.size > 0
      ? [
          `existing pods in namespace ${goQuote(namespace)} violate the new PodSecurity enforce level ${goQuote(shown(mode))}`,
        ]
      : []),
    ...lines.sort(),
  ];
}

/** One pod of each controller first: the others are most likely like it. */
function byController(pods: readonly KubeObject[]): readonly KubeObject[] {
  const seen = new Set<string>();
  const isFirst = ({ metadata }: KubeObject): boolean => {
    const controller = metadata.ownerReferences?.find((owner) => owner.controller === true)?.uid;
    if (controller === undefined) return true;
    if (seen.has(controller)) return false;
    seen.add(controller);
    return true;
  };
  const first = pods.filter(isFirst);
  const chosen = new Set(first);
  return [...first, ...pods.filter((pod) => !chosen.has(pod))];
}

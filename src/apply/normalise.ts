import { groupOf, type KubeObject } from '../api/object.ts';
import { field, isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../base/json.ts';

type Change = (value: Json | undefined) => Json | undefined;

/**
 * The object as Flux sends it: what reading a built-in kind into its Go type and writing it again does to it (nulls and empty maps
 * and lists go, structs that Go always writes appear, so that the field manager owns the same fields), Secret `stringData` in
 * `data`, default port protocols, no status, no CA bundle that is none. `base64` encodes UTF-8 text. Source: fluxcd/pkg@e2cfd1a ssa/normalize/normalize.go.
 */
export function normalise(object: KubeObject, base64: (text: string) => string): KubeObject {
  const group = groupOf(object.apiVersion);
  // Skipped there because of a bug in the types' serialisation (kustomize-controller#1041).
  if (group === 'rbac.authorization.k8s.io' && (object.kind === 'Role' || object.kind === 'ClusterRole')) return object;
  let result = object as unknown as JsonObject;
  const rules = KINDS.get(`${group}/${object.kind}`);
  if (rules !== undefined) {
    result = asGoWrites(result, '') as JsonObject;
    for (const [path, change] of rules) result = changeAt(result, path, change) as JsonObject;
  }
  if (group === '' && object.kind === 'Secret') result = secretData(result, base64);
  result = changeAt(result, ['metadata', 'creationTimestamp'], () => undefined) as JsonObject;
  // kstatus reads a CRD's status, so that it stays.
  if (object.kind === 'CustomResourceDefinition') result = changeAt(result, CA_BUNDLE, validBundle) as JsonObject;
  else result = changeAt(result, ['status'], () => undefined) as JsonObject;
  return result as unknown as KubeObject;
}

function secretData(secret: JsonObject, base64: (text: string) => string): JsonObject {
  const texts = field(secret, 'stringData');
  if (!isObject(texts)) return secret;
  const data: MutableJsonObject = {};
  const existing = field(secret, 'data');
  for (const map of [existing, texts]) {
    if (!isObject(map)) continue;
    for (const key of Object.keys(map)) {
      const value = map[key];
      if (typeof value !== 'string') return secret;
      put(data, key, map === texts ? base64(value) : value);
    }
  }
  const out: MutableJsonObject = {};
  for (const key of Object.keys(secret)) {
    if (key !== 'stringData' && key !== 'data') put(out, key, secret[key] as Json);
  }
  if (Object.keys(data).length > 0) put(out, 'data', data);
  return out;
}

/** Fields that are maps of texts, left out where they are empty; in them a null is an empty text. */
const TEXT_MAPS: ReadonlySet<string> = new Set(
  'annotations binaryData data labels matchLabels nodeSelector options parameters stringData volumeAttributes'.split(
    ' ',
  ),
);
/** A list in the place of one of these is for the server to refuse; a pod's DNS options are a list. */
const ONLY_MAPS: ReadonlySet<string> = new Set([...TEXT_MAPS].filter((name) => name !== 'options'));
/** Fields that are maps of quantities. */
const QUANTITY_MAPS: ReadonlySet<string> = new Set(
  'capacity default defaultRequest hard limits max maxLimitRequestRatio min overhead requests'.split(' '),
);
/** Lists that Go writes although they are empty. Source: k8s.io/api@v0.34.1, fields without `omitempty`. */
const KEPT_LISTS: ReadonlySet<string> = new Set(
  'admissionReviewVersions containers limits nodeSelectorTerms paths sources'.split(' '),
);

/** What is left of a value that was read into Go's types and written again; undefined where its field (`name`) goes. */
function asGoWrites(value: Json, name: string): Json | undefined {
  if (value === null) return undefined;
  if (isArray(value)) {
    if (value.length === 0 && !KEPT_LISTS.has(name) && !ONLY_MAPS.has(name)) return undefined;
    return value.map((item) => asGoWrites(item, '') ?? null);
  }
  if (!isObject(value)) return value;
  const isTexts = TEXT_MAPS.has(name);
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) {
    const item = value[key] as Json;
    const written = isTexts ? (item ?? '') : asGoWrites(item, key);
    if (written !== undefined) put(out, key, written);
  }
  const isMap = isTexts || QUANTITY_MAPS.has(name);
  return isMap && Object.keys(out).length === 0 ? undefined : out;
}

const CA_BUNDLE = ['spec', 'conversion', 'webhook', 'clientConfig', 'caBundle'];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----\s+MI[\w+/=\s]+-----END CERTIFICATE-----/;

/** A bundle without a certificate is a placeholder that somebody else fills. Source: fluxcd/pkg@e2cfd1a ssa/utils RemoveCABundleFromCRD. */
function validBundle(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string') return value;
  try {
    return CERTIFICATE.test(atob(value)) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `value` with what `change` makes of the value at `path`; `*` is every item of a list. A missing parent ends it. */
function changeAt(value: Json | undefined, path: readonly string[], change: Change): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (step === '*') return isArray(value) ? value.map((item) => changeAt(item, rest, change) ?? null) : value;
  if (!isObject(value)) return value;
  const before = field(value, step);
  const after = changeAt(before, rest, change);
  if (after === before) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) if (key !== step) put(out, key, value[key] as Json);
  if (after !== undefined) put(out, step, after);
  return out;
}

const always: Change = (value) => value ?? {};
const tcp: Change = (value) => (value === undefined || value === '' ? 'TCP' : value);
const zero: Change = (value) => value ?? 0;
type Rules = readonly (readonly [path: readonly string[], change: Change])[];

/** A pod template at `path`: its metadata and each container's resources are structs. */
function podTemplate(...path: readonly string[]): Rules {
  return [[path, always], [[...path, 'metadata'], always], ...podSpec(...path, 'spec')];
}
function podSpec(...path: readonly string[]): Rules {
  return [
    [path, always],
    [[...path, 'containers', '*', 'resources'], always],
    [[...path, 'initContainers', '*', 'resources'], always],
    [[...path, 'containers', '*', 'ports', '*', 'protocol'], tcp],
  ];
}

const KINDS: ReadonlyMap<string, Rules> = new Map<string, Rules>([
  ['/ConfigMap', []],
  ['/Secret', []],
  ['/ServiceAccount', []],
  ['/Namespace', [[['spec'], always]]],
  ['/Pod', podSpec('spec')],
  ['/LimitRange', [[['spec'], always]]],
  ['/ResourceQuota', [[['spec'], always]]],
  ['/PersistentVolume', [[['spec'], always]]],
  [
    '/PersistentVolumeClaim',
    [
      [['spec'], always],
      [['spec', 'resources'], always],
    ],
  ],
  [
    '/Service',
    [
      [['spec'], always],
      [['spec', 'ports', '*', 'protocol'], tcp],
      [['spec', 'ports', '*', 'targetPort'], zero],
      [['spec', 'selector'], (value) => (isObject(value) && Object.keys(value).length === 0 ? undefined : value)],
    ],
  ],
  ['apps/Deployment', [[['spec'], always], [['spec', 'strategy'], always], ...podTemplate('spec', 'template')]],
  ['apps/DaemonSet', [[['spec'], always], [['spec', 'updateStrategy'], always], ...podTemplate('spec', 'template')]],
  ['apps/ReplicaSet', [[['spec'], always], ...podTemplate('spec', 'template')]],
  [
    'apps/StatefulSet',
    [
      [['spec'], always],
      [['spec', 'updateStrategy'], always],
      [['spec', 'serviceName'], (value) => value ?? ''],
      [['spec', 'volumeClaimTemplates', '*', 'metadata'], always],
      [['spec', 'volumeClaimTemplates', '*', 'spec'], always],
      [['spec', 'volumeClaimTemplates', '*', 'spec', 'resources'], always],
      [['spec', 'volumeClaimTemplates', '*', 'status'], always],
      ...podTemplate('spec', 'template'),
    ],
  ],
  ['batch/Job', [[['spec'], always], ...podTemplate('spec', 'template')]],
  [
    'batch/CronJob',
    [
      [['spec'], always],
      [['spec', 'jobTemplate'], always],
      [['spec', 'jobTemplate', 'metadata'], always],
      [['spec', 'jobTemplate', 'spec'], always],
      ...podTemplate('spec', 'jobTemplate', 'spec', 'template'),
    ],
  ],
  ['policy/PodDisruptionBudget', [[['spec'], always]]],
  ['networking.k8s.io/Ingress', [[['spec'], always]]],
  ['networking.k8s.io/IngressClass', [[['spec'], always]]],
  [
    'networking.k8s.io/NetworkPolicy',
    [
      [['spec'], always],
      [['spec', 'podSelector'], always],
    ],
  ],
  ['autoscaling/HorizontalPodAutoscaler', [[['spec'], always]]],
  ['rbac.authorization.k8s.io/RoleBinding', []],
  ['rbac.authorization.k8s.io/ClusterRoleBinding', []],
  ['scheduling.k8s.io/PriorityClass', [[['value'], zero]]],
  ['storage.k8s.io/StorageClass', []],
  ['admissionregistration.k8s.io/MutatingWebhookConfiguration', [[['webhooks', '*', 'clientConfig'], always]]],
  ['admissionregistration.k8s.io/ValidatingWebhookConfiguration', [[['webhooks', '*', 'clientConfig'], always]]],
]);

/** Whether the kind is one of Kubernetes' own, whose unknown fields Flux drops before it applies. */
export function isBuiltIn(object: KubeObject): boolean {
  return KINDS.has(`${groupOf(object.apiVersion)}/${object.kind}`);
}

const UNDECLARED = /(?:^|: |\n)\s*\.([^\s:]+): field not declared in schema/;

/**
 * The object without the field that a server-side apply refused as not declared; undefined when the message names none.
 * Go's types drop such fields; asking the server keeps this file free of all schemas.
 */
export function withoutUndeclared(object: KubeObject, message: string): KubeObject | undefined {
  const found = UNDECLARED.exec(message)?.[1];
  if (found === undefined) return undefined;
  const path = parsePath(found);
  if (path === undefined) return undefined;
  const result = removeAt(object as unknown as Json, path);
  return result === undefined ? undefined : (result as unknown as KubeObject);
}

type PathStep = string | number | Readonly<Record<string, string>>;

/** Reads structured-merge-diff's path syntax: `spec.containers[name="x"].foo`, `a[0].b`. */
function parsePath(text: string): readonly PathStep[] | undefined {
  const steps: PathStep[] = [];
  const token = /\.?([^.[\]]+)|\[(\d+)\]|\[((?:[\w.-]+=(?:"[^"]*"|[^,\]]*),?)+)\]/gy;
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) return undefined;
    if (match[1] !== undefined) steps.push(match[1]);
    else if (match[2] !== undefined) steps.push(Number(match[2]));
    else {
      const keys: Record<string, string> = {};
      for (const part of (match[3] as string).matchAll(/([\w.-]+)=("[^"]*"|[^,\]]*)/g)) {
        keys[part[1] as string] = (part[2] as string).replace(/^"|"$/g, '');
      }
      steps.push(keys);
    }
  }
  return steps;
}

/** `value` without what is at `path`; undefined when nothing is there. */
function removeAt(value: Json, path: readonly PathStep[]): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return undefined;
  if (typeof step === 'string') {
    const child = field(value, step);
    if (!isObject(value) || child === undefined) return undefined;
    const after = rest.length === 0 ? null : removeAt(child, rest);
    if (after === undefined) return undefined;
    const out: MutableJsonObject = {};
    for (const key of Object.keys(value)) {
      if (key !== step) put(out, key, value[key] as Json);
      else if (rest.length > 0) put(out, key, after);
    }
    return out;
  }
  if (!isArray(value) || rest.length === 0) return undefined;
  const index =
    typeof step === 'number'
      ? step
      : value.findIndex((item) => Object.entries(step).every(([key, want]) => printKey(field(item, key)) === want));
  const item = value[index];
  const after = item === undefined ? undefined : removeAt(item, rest);
  return after === undefined ? undefined : value.with(index, after);
}

function printKey(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : '';
}

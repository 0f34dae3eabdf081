import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, put, stringAt, stringifyJson } from '../../base/json.ts';
import { err, ok } from '../../base/result.ts';
import { child, draft, items, json, kube, withField } from '../apiserver/draft.ts';
import { generateName } from '../apiserver/names.ts';
import type { Admission, Attributes } from '../apiserver/operation.ts';
import { forbidden } from '../apiserver/status.ts';
import type { Store } from '../store/store.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour and seven seconds, so that kubelets can tell injected tokens. Source: kubernetes@1.34 pkg/serviceaccount. */
const TOKEN_SECONDS = 3607;
const MIRROR = 'kubernetes.io/config.mirror';
const CONTAINERS = ['initContainers', 'containers'];

function isNewPod({ type, verb, subresource }: Attributes): boolean {
  return type.storage === '/pods' && verb === 'create' && subresource === undefined;
}

/** Gives pods their service account, its token and its pull secrets. Source: kubernetes@1.34 plugin/pkg/admission/serviceaccount. */
export function serviceAccount(store: Store, random: (below: number) => number): Admission {
  return {
    name: 'ServiceAccount',
    mutate: (attributes) => {
      const { object, namespace = '', type } = attributes;
      if (!isNewPod(attributes) || object.metadata.annotations?.[MIRROR] !== undefined) return ok(object);
      const pod = draft(object);
      const spec = child(pod, 'spec');
      const asked = stringAt(spec, 'serviceAccountName') ?? '';
      const name = asked === '' ? 'default' : asked;
      put(spec, 'serviceAccountName', name);
      put(spec, 'serviceAccount', name);
      const account = store.get('/serviceaccounts', `${namespace}/${name}`)?.object;
      if (account === undefined) {
        // A namespace's default account comes a moment after the namespace: its first pods need not wait for that.
        if (name === 'default') return ok(kube(pod));
        return err(
          forbidden(
            type,
            object.metadata.name,
            `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
          ),
        );
      }
      const secrets = json(account)['imagePullSecrets'];
      if (items(spec, 'imagePullSecrets').length === 0 && isArray(secrets) && secrets.length > 0)
        put(spec, 'imagePullSecrets', secrets);
      const mount =
        field(spec, 'automountServiceAccountToken') ?? json(account)['automountServiceAccountToken'] ?? true;
      if (mount === true) mountToken(spec, random);
      return ok(kube(pod));
    },
  };
}

function mountToken(spec: MutableJsonObject, random: (below: number) => number): void {
  const volume = generateName('kube-api-access-', random);
  let used = false;
  for (const key of CONTAINERS)
    for (const container of items(spec, key)) {
      const mounts = items(container, 'volumeMounts');
      if (mounts.some((mount) => stringAt(mount, 'mountPath') === TOKEN_PATH)) continue;
      put(container, 'volumeMounts', [...mounts, { name: volume, readOnly: true, mountPath: TOKEN_PATH }]);
      used = true;
    }
  if (!used) return;
  put(spec, 'volumes', [
    ...items(spec, 'volumes'),
    {
      name: volume,
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
            },
          },
        ],
        defaultMode: 420,
      },
    },
  ]);
}

function isPodUpdate({ type, verb, subresource }: Attributes): boolean {
  return type.storage === '/pods' && verb === 'update' && (subresource === undefined || subresource === '');
}

/** A client that does not know of what was resolved does not take it away. */
function keepPriority(pod: KubeObject, old: KubeObject | undefined): KubeObject {
  const kept: { [key: string]: Json } = {};
  for (const key of ['priority', 'preemptionPolicy']) {
    const value = field(old?.spec, key);
    if (field(pod.spec, key) === undefined && value !== undefined) kept[key] = value;
  }
  return Object.keys(kept).length === 0 ? pod : withField(pod, 'spec', { ...pod.spec, ...kept });
}

/** Resolves priority classes. Source: kubernetes@1.34 plugin/pkg/admission/priority. */
export function priority(store: Store): Admission {
  return {
    name: 'Priority',
    mutate: (attributes) => {
      const { object, type } = attributes;
      if (isPodUpdate(attributes)) return ok(keepPriority(object, attributes.old));
      if (!isNewPod(attributes)) return ok(object);
      const pod = draft(object);
      const spec = child(pod, 'spec');
      const asked = stringAt(spec, 'priorityClassName') ?? '';
      let chosen: KubeObject | undefined;
      if (asked === '') {
        chosen = store.list('scheduling.k8s.io/priorityclasses').find((one) => json(one)['globalDefault'] === true);
        if (chosen !== undefined) put(spec, 'priorityClassName', chosen.metadata.name);
      } else {
        chosen = store.get('scheduling.k8s.io/priorityclasses', asked)?.object;
        if (chosen === undefined)
          return err(forbidden(type, object.metadata.name, `no PriorityClass with name ${asked} was found`));
      }
      const value: Json = chosen === undefined ? 0 : (json(chosen)['value'] ?? 0);
      const given = field(spec, 'priority');
      if (given !== undefined && given !== value)
        return err(
          forbidden(
            type,
            object.metadata.name,
            `the integer value of priority (${stringifyJson(given)}) must not be provided in pod spec; priority admission controller computed ${stringifyJson(value)} from the given PriorityClass name`,
          ),
        );
      put(spec, 'priority', value);
      const policy =
        (chosen === undefined ? undefined : stringAt(json(chosen), 'preemptionPolicy')) ?? 'PreemptLowerPriority';
      const own = stringAt(spec, 'preemptionPolicy');
      if (own !== undefined && own !== policy)
        return err(
          forbidden(
            type,
            object.metadata.name,
            `the string value of PreemptionPolicy (${own}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
          ),
        );
      put(spec, 'preemptionPolicy', policy);
      return ok(kube(pod));
    },
  };
}

const GRACE_SECONDS = 300;

/** Pods bear a node that is not ready for five minutes. Source: kubernetes@1.34 plugin/pkg/admission/defaulttolerationseconds. */
export const defaultTolerations: Admission = {
  name: 'DefaultTolerationSeconds',
  mutate: (attributes) => {
    const { object, type, subresource } = attributes;
    // An update too: a client that applies the pod's own tolerations would take these away.
    if (type.storage !== '/pods' || subresource !== undefined) return ok(object);
    const pod = draft(object);
    const spec = child(pod, 'spec');
    const list = items(spec, 'tolerations');
    const tolerates = (key: string): boolean =>
      list.some((one) => {
        const own = stringAt(one, 'key') ?? '';
        const effect = stringAt(one, 'effect') ?? '';
        return (own === key || own === '') && (effect === 'NoExecute' || effect === '');
      });
    const added = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
      .filter((key) => !tolerates(key))
      .map((key): JsonObject => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: GRACE_SECONDS }));
    if (added.length > 0) put(spec, 'tolerations', [...list, ...added]);
    return ok(kube(pod));
  },
};

/** Pods name runtime classes that exist. Source: kubernetes@1.34 plugin/pkg/admission/runtimeclass. */
export function runtimeClass(store: Store): Admission {
  return {
    name: 'RuntimeClass',
    mutate: (attributes) => {
      const { object, type } = attributes;
      if (!isNewPod(attributes)) return ok(object);
      const name = stringAt(object.spec, 'runtimeClassName') ?? '';
      if (name === '' || store.get('node.k8s.io/runtimeclasses', name) !== undefined) return ok(object);
      return err(forbidden(type, object.metadata.name, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`));
    },
  };
}

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** Claims without a class get the default one. Source: kubernetes@1.34 plugin/pkg/admission/storage/storageclass/setdefault. */
export function defaultStorageClass(store: Store): Admission {
  return {
    name: 'DefaultStorageClass',
    mutate: ({ object, type, verb }) => {
      if (type.storage !== '/persistentvolumeclaims' || verb !== 'create') return ok(object);
      if (at(object.spec, 'storageClassName') !== undefined) return ok(object);
      const defaults = store
        .list('storage.k8s.io/storageclasses')
        .filter((one) => one.metadata.annotations?.[DEFAULT_CLASS] === 'true')
        .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1));
      const [first] = defaults;
      if (first === undefined) return ok(object);
      const spec = isObject(object.spec) ? object.spec : {};
      return ok({ ...object, spec: { ...spec, storageClassName: first.metadata.name } });
    },
  };
}

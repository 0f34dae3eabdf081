import { type Kustomization, kustomization } from '../../api/kinds/kustomization.ts';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import { refOf } from '../../api/object.ts';
import { replacedManagers } from '../../apply/field-managers.ts';
import { equal, field } from '../../base/json.ts';
import type { ObjectIndex } from '../../kube/object-store.ts';
import { type Controller, defineController, type Watch } from '../../runtime/controller.ts';
import { dependencyRefs } from './dependency-graph.ts';
import { DependencyWatch } from './dependency-watch.ts';
import { DriftTracker } from './drift.ts';
import { conditionOf, GROUP, keyOf } from './plan.ts';
import { DEFAULTS, type KustomizationOptions, type KustomizationPorts } from './ports.ts';
import { KustomizationReconciler, MANAGER } from './reconciler.ts';
import { artifactOf, SOURCE_GROUP, SOURCE_KINDS, sourceRef } from './source.ts';

/** The controller of Kustomizations: build what a source holds, apply it, keep it so. */
export function kustomizationController(
  ports: KustomizationPorts,
  options: KustomizationOptions = {},
): Controller<Kustomization> {
  const settings = { ...DEFAULTS, ...options };
  const drift = new DriftTracker({
    informers: ports.informers,
    clock: ports.clock,
    rules: { manager: MANAGER, policyGroup: GROUP, replaced: replacedManagers(MANAGER, settings.overrideManagers) },
  });
  const { apiVersion, kind } = kustomization;
  const all = ports.informers.watch({ apiVersion, kind });
  const byDependency = all.index((object) => dependencyRefs(object).map(indexKey));
  const waitingFor = (object: KubeObject): readonly string[] =>
    dependents(object, byDependency, (key) => reconciler.isWaiting(key));
  const dependencies = new DependencyWatch(ports.informers, waitingFor);
  const reconciler: KustomizationReconciler = new KustomizationReconciler(ports, settings, drift, dependencies);
  all.subscribe(({ type, object }) => {
    if (type === 'DELETED') reconciler.forget(keyOf(object));
  });
  const bySource = all.index((object) => [indexKey(sourceRef(object as unknown as Kustomization))]);
  const byConfig = all.index((object) => configRefs(object as unknown as Kustomization).map(indexKey));
  return defineController({
    name: MANAGER,
    apiVersion,
    kind,
    watches: [
      ...SOURCE_KINDS.map((source) => ({
        ...sourceWatch(source, bySource, (user) => reconciler.attempted(user)),
        first: (keys: readonly string[], object: KubeObject, found: (key: string) => void) =>
          reconciler.affected(keys, object, found),
      })),
      { apiVersion, kind, map: (event) => (becameReady(event) ? waitingFor(event.object) : []) },
      ...configWatches(settings.watchConfigsLabelSelector, byConfig),
    ],
    triggers: [drift.trigger, dependencies.trigger],
    // A source that another engine left has no artifact that can be fetched until it was looked at.
    after: sourceRef,
    conditions: ['Healthy'],
    finalizer: 'finalizers.fluxcd.io',
    statusManager: `gotk-${MANAGER}`,
    reconciler,
  });
}

/** A new artifact is a cause, unless it was already attempted and all is well. Source: kustomize-controller@1.9 kustomization_indexers.go. */
function sourceWatch(kind: string, index: ObjectIndex, attempted: (user: string) => string | undefined): Watch {
  return {
    apiVersion: `${SOURCE_GROUP}/v1`,
    kind,
    map({ object, previous }) {
      const artifact = artifactOf(object);
      const before = previous === undefined ? undefined : artifactOf(previous);
      if (artifact === undefined) return [];
      const same = before?.revision === artifact.revision && before.location.digest === artifact.location.digest;
      if (same && before.location.url === artifact.location.url) return [];
      // Another engine serves it now: who could not get it tries there.
      if (same)
        return index
          .get(indexKey(refOf(object)))
          .filter((user) => !isReady(user))
          .map(keyOf);
      return index
        .get(indexKey(refOf(object)))
        .filter((found) => {
          // A pass that runs, or whose status has not been seen yet, may be about another one than the status tells.
          const revision = attempted(keyOf(found)) ?? field(found.status, 'lastAttemptedRevision');
          const current = isReady(found) && revision === artifact.revision;
          return !current || before?.revision === artifact.revision;
        })
        .map(keyOf);
    },
  };
}

function isReady(object: KubeObject): boolean {
  return conditionOf(object as unknown as Kustomization, 'Ready')?.status === 'True';
}

/** Whether a change may end somebody's wait: ready where it was not, with another revision, or for another spec. */
function becameReady({ object, previous }: Parameters<Watch['map']>[0]): boolean {
  if (!isReady(object)) return false;
  const differs = (name: string) => field(object.status, name) !== field(previous?.status, name);
  return (
    previous === undefined || !isReady(previous) || differs('lastAppliedRevision') || differs('observedGeneration')
  );
}

/** Those that depend on an object and wait for it, or are not ready for another reason. */
function dependents(
  object: KubeObject,
  index: ObjectIndex,
  isWaiting: (key: string) => boolean | undefined,
): readonly string[] {
  return index
    .get(indexKey(refOf(object)))
    .filter((found) => isWaiting(keyOf(found)) ?? !isReady(found))
    .map(keyOf);
}

function configWatches(labelSelector: string, index: ObjectIndex): readonly Watch[] {
  if (labelSelector === '') return [];
  return ['ConfigMap', 'Secret'].map((kind) => ({
    apiVersion: 'v1',
    kind,
    labelSelector,
    map({ object, previous }): readonly string[] {
      const data = (of: KubeObject) => field(of as unknown as Parameters<typeof field>[0], 'data');
      if (previous !== undefined && equal(data(object), data(previous))) return [];
      return index.get(indexKey(refOf(object))).map(keyOf);
    },
  }));
}

/** The ConfigMaps and Secrets that it takes values, keys and credentials from. Source: kustomize-controller@1.9 kustomization_manager.go. */
function configRefs({ metadata, spec }: Kustomization): readonly ObjectRef[] {
  const ref = (kind: string, name: string): ObjectRef => {
    return { apiVersion: 'v1', kind, namespace: metadata.namespace ?? '', name };
  };
  const { secretRef, configMapRef } = spec.kubeConfig ?? {};
  const secrets = [spec.decryption?.secretRef, secretRef].filter((found) => found !== undefined);
  return [
    ...(spec.postBuild?.substituteFrom ?? []).map(({ kind, name }) => ref(kind, name)),
    ...secrets.map(({ name }) => ref('Secret', name)),
    ...(configMapRef === undefined ? [] : [ref('ConfigMap', configMapRef.name)]),
  ];
}

function indexKey({ kind, namespace = '', name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

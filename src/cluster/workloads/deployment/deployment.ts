import type { Json } from '../../../base/json.ts';
import { equal } from '../../../base/json.ts';
import { conditionOf } from '../conditions.ts';
import {
  CONTROLLER_MANAGER,
  type Context,
  itself,
  ownerOfKind,
  splitKey,
  type WorkloadController,
} from '../context.ts';
import { templateHash } from '../hash.ts';
import { claim, controllerReference, isControlledBy } from '../owned.ts';
import { isFinished } from '../pods.ts';
import type { Again } from '../queue.ts';
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../resources.ts';
import { matches, selectsAll } from '../selector.ts';
import {
  type Deployment,
  type DeploymentStatus,
  type Pod,
  plain,
  type ReplicaSet,
  type StoredCondition,
  shaped,
} from '../shapes.ts';
import { timeMs } from '../times.ts';
import { deleteObject, WriteFailed, written } from '../writes.ts';
import {
  desiredReplicas,
  findNewSet,
  HASH_LABEL,
  newSetAnnotations,
  REVISION,
  revisionOf,
  sizeAnnotations,
  withoutHash,
} from './revisions.ts';
import { newSetSize, type Resize, shrinkOld, spread } from './sizes.ts';
import {
  countedStatus,
  isComplete,
  progressDeadlineMs,
  rolloutStatus,
  setProgress,
  untilDeadlineMs,
} from './status.ts';

const COMPONENT = 'deployment-controller';

interface Sets {
  /** As the status writes along the way left it. */
  deployment: Deployment;
  fresh: ReplicaSet | undefined;
  /** By age, oldest first. */
  old: readonly ReplicaSet[];
}

/** Rolls Deployments out over ReplicaSets. Source: kubernetes@1.34 pkg/controller/deployment. */
export function deploymentController(context: Context): WorkloadController {
  const { registry, clock, events } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(DEPLOYMENTS, namespace, name);
    if (stored === undefined) return undefined;
    let deployment = shaped<Deployment>(stored);
    if (selectsAll(deployment.spec.selector)) {
      const message = 'This deployment is selecting all pods. A non-empty selector is required.';
      events.record(deployment, COMPONENT, { type: 'Warning', reason: 'SelectingAll', message });
      return undefined;
    }
    const sets = byAge(await claim<ReplicaSet>(registry, REPLICA_SETS, deployment, deployment.spec.selector));
    if (deployment.metadata.deletionTimestamp !== undefined) {
      return finish(await withSets(deployment, sets, false), 'counted');
    }
    deployment = await markPause(deployment);
    if (deployment.spec.paused === true || isScaling(deployment, sets)) {
      const found = await withSets(deployment, sets, false);
      await scale(found);
      if (deployment.spec.paused === true) await cleanUp(found);
      return finish(found, 'counted');
    }
    const found = await withSets(deployment, sets, deployment.spec.strategy.type === 'RollingUpdate');
    const moved = deployment.spec.strategy.type === 'Recreate' ? await recreate(found, sets) : await roll(found);
    if (!moved && isComplete(found.deployment, found.deployment.status ?? {})) await cleanUp(found);
    return finish(found, 'rollout');
  }

  /** Says in the status that the Deployment was paused or resumed, so that the time between does not count for the deadline. */
  async function markPause(deployment: Deployment): Promise<Deployment> {
    if (progressDeadlineMs(deployment) === undefined) return deployment;
    const current = conditionOf(deployment.status?.conditions, 'Progressing');
    if (current?.reason === 'ProgressDeadlineExceeded') return deployment;
    const wasPaused = current?.reason === 'DeploymentPaused';
    if ((deployment.spec.paused === true) === wasPaused) return deployment;
    const conditions = setProgress(
      deployment.status?.conditions,
      wasPaused
        ? { type: 'Progressing', status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' }
        : { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' },
      clock.now(),
    );
    return writeDeployment(deployment, { ...deployment.status, conditions });
  }

  /** `annotations` too: the revision of a Deployment is written with its status, as the real controller does. */
  async function writeDeployment(
    deployment: Deployment,
    status: DeploymentStatus,
    annotations: Readonly<Record<string, string>> | undefined = deployment.metadata.annotations,
  ): Promise<Deployment> {
    const same =
      equal(status as Json, deployment.status as Json | undefined) &&
      equal(annotations, deployment.metadata.annotations);
    if (same) return deployment;
    const metadata = annotations === undefined ? deployment.metadata : { ...deployment.metadata, annotations };
    const next = plain({ ...deployment, metadata, status });
    return shaped<Deployment>(written(await registry.update(DEPLOYMENTS, next, CONTROLLER_MANAGER, 'status')));
  }

  /** Sorts the sets into new and old, and brings the new one's revision up to date; `create` makes it when it is missing. */
  async function withSets(deployment: Deployment, sets: readonly ReplicaSet[], create: boolean): Promise<Sets> {
    const known = findNewSet(deployment, sets);
    const old = sets.filter((set) => set !== known);
    const revision = old.reduce((most, set) => Math.max(most, revisionOf(set)), 0) + 1;
    if (known !== undefined) return adoptNewSet(deployment, known, old, revision);
    if (!create) return { deployment, fresh: undefined, old };
    return makeNewSet(deployment, old, revision);
  }

  async function adoptNewSet(
    deployment: Deployment,
    known: ReplicaSet,
    old: readonly ReplicaSet[],
    revision: number,
  ): Promise<Sets> {
    const annotations = newSetAnnotations(deployment, known.metadata.annotations, revision, true);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    let fresh = known;
    if (
      !equal(annotations, known.metadata.annotations ?? {}) ||
      minReadySeconds !== (known.spec.minReadySeconds ?? 0)
    ) {
      const { minReadySeconds: _, ...spec } = known.spec;
      const next = {
        ...known,
        metadata: { ...known.metadata, annotations },
        spec: minReadySeconds === 0 ? spec : { ...spec, minReadySeconds },
      };
      fresh = shaped<ReplicaSet>(written(await registry.update(REPLICA_SETS, plain(next), CONTROLLER_MANAGER)));
    }
    let conditions = deployment.status?.conditions;
    if (progressDeadlineMs(deployment) !== undefined && conditionOf(conditions, 'Progressing') === undefined) {
      const message = `Found new replica set ${JSON.stringify(fresh.metadata.name)}`;
      conditions = setProgress(
        conditions,
        { type: 'Progressing', status: 'True', reason: 'FoundNewReplicaSet', message },
        clock.now(),
      );
    }
    return { deployment: await withRevision(deployment, fresh, conditions), fresh, old };
  }

  async function withRevision(
    deployment: Deployment,
    fresh: ReplicaSet,
    conditions: readonly StoredCondition[] | undefined,
  ): Promise<Deployment> {
    const annotations = {
      ...deployment.metadata.annotations,
      [REVISION]: fresh.metadata.annotations?.[REVISION] ?? '1',
    };
    const status = conditions === undefined ? (deployment.status ?? {}) : { ...deployment.status, conditions };
    return writeDeployment(deployment, status, annotations);
  }

  async function makeNewSet(deployment: Deployment, old: readonly ReplicaSet[], revision: number): Promise<Sets> {
    const { template, selector, minReadySeconds } = deployment.spec;
    const hash = templateHash(template as unknown as Json, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
    const replicas = newSetSize(deployment, old, 0);
    const wanted = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        namespace: deployment.metadata.namespace ?? '',
        ownerReferences: [controllerReference(deployment)],
        labels,
        annotations: newSetAnnotations(deployment, undefined, revision, false),
      },
      spec: {
        replicas,
        ...(minReadySeconds === undefined || minReadySeconds === 0 ? {} : { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    };
    const result = await registry.create(REPLICA_SETS, plain(wanted), CONTROLLER_MANAGER);
    if (!result.ok && result.error.reason === 'AlreadyExists') {
      const other = registry.get(REPLICA_SETS, deployment.metadata.namespace, wanted.metadata.name);
      const taken = other === undefined ? undefined : shaped<ReplicaSet>(other);
      const ours = taken !== undefined && isControlledBy(taken, deployment);
      if (!ours || !equal(withoutHash(taken.spec.template), withoutHash(template))) {
        // Another template has this hash: the next try hashes with a higher collision count.
        const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
        await writeDeployment(deployment, { ...deployment.status, collisionCount });
      }
      throw new WriteFailed(result.error);
    }
    if (!result.ok) {
      const message = `Failed to create new replica set ${JSON.stringify(wanted.metadata.name)}: ${result.error.message}`;
      if (progressDeadlineMs(deployment) !== undefined) {
        const conditions = setProgress(
          deployment.status?.conditions,
          { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message },
          clock.now(),
        );
        await writeDeployment(deployment, { ...deployment.status, conditions });
      }
      events.record(deployment, COMPONENT, { type: 'Warning', reason: 'ReplicaSetCreateError', message });
      throw new WriteFailed(result.error);
    }
    const fresh = shaped<ReplicaSet>(result.value);
    if (replicas > 0) {
      const message = `Scaled up replica set ${fresh.metadata.name} from 0 to ${replicas}`;
      events.record(deployment, COMPONENT, { type: 'Normal', reason: 'ScalingReplicaSet', message });
    }
    let conditions = deployment.status?.conditions;
    if (progressDeadlineMs(deployment) !== undefined) {
      const message = `Created new replica set ${JSON.stringify(fresh.metadata.name)}`;
      conditions = setProgress(
        conditions,
        { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated', message },
        clock.now(),
      );
    }
    return { deployment: await withRevision(deployment, fresh, conditions), fresh, old };
  }

  /** Writes one set's size and says so in an event; resolves to whether the size changed. */
  async function resize(found: Sets, { set, to }: Resize): Promise<boolean> {
    const { deployment } = found;
    const from = set.spec.replicas;
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
    if (from === to && equal(annotations, set.metadata.annotations)) return false;
    const next = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: to } };
    const stored = shaped<ReplicaSet>(written(await registry.update(REPLICA_SETS, plain(next), CONTROLLER_MANAGER)));
    if (found.fresh?.metadata.uid === set.metadata.uid) found.fresh = stored;
    else found.old = found.old.map((one) => (one.metadata.uid === set.metadata.uid ? stored : one));
    if (from === to) return false;
    const direction = from < to ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${from} to ${to}`;
    events.record(deployment, COMPONENT, { type: 'Normal', reason: 'ScalingReplicaSet', message });
    return true;
  }

  async function resizeAll(found: Sets, resizes: readonly Resize[]): Promise<boolean> {
    let changed = false;
    for (const one of resizes) changed = (await resize(found, one)) || changed;
    return changed;
  }

  async function roll(found: Sets): Promise<boolean> {
    const { deployment, fresh, old } = found;
    if (fresh === undefined) return false;
    const { replicas } = deployment.spec;
    const size = fresh.spec.replicas;
    const to = size > replicas ? replicas : newSetSize(deployment, [...old, fresh], size);
    if (size !== replicas && (await resize(found, { set: fresh, to }))) return true;
    return resizeAll(found, shrinkOld(deployment, fresh, found.old));
  }

  async function recreate(found: Sets, sets: readonly ReplicaSet[]): Promise<boolean> {
    const active = found.old.filter(({ spec }) => spec.replicas > 0);
    if (
      await resizeAll(
        found,
        active.map((set) => ({ set, to: 0 })),
      )
    )
      return true;
    const oldRuns = found.old.some((set) =>
      registry
        .list(PODS, set.metadata.namespace)
        .some((pod) => isControlledBy(pod, set) && !isFinished(shaped<Pod>(pod))),
    );
    if (oldRuns) return true;
    if (found.fresh === undefined) Object.assign(found, await withSets(found.deployment, sets, true));
    if (found.fresh === undefined) return false;
    return resize(found, { set: found.fresh, to: found.deployment.spec.replicas });
  }

  async function scale(found: Sets): Promise<void> {
    const { deployment, fresh, old } = found;
    const { replicas, strategy } = deployment.spec;
    const all = fresh === undefined ? old : [...old, fresh];
    const active = all.filter(({ spec }) => spec.replicas > 0);
    if (active.length <= 1) {
      const only = active[0] ?? fresh ?? old.at(-1);
      if (only !== undefined && only.spec.replicas !== replicas) await resize(found, { set: only, to: replicas });
      return;
    }
    const saturated =
      fresh !== undefined &&
      desiredReplicas(fresh) === replicas &&
      fresh.spec.replicas === replicas &&
      (fresh.status?.availableReplicas ?? 0) === replicas;
    if (saturated) {
      await resizeAll(
        found,
        old.filter(({ spec }) => spec.replicas > 0).map((set) => ({ set, to: 0 })),
      );
    } else if (strategy.type === 'RollingUpdate') await resizeAll(found, spread(deployment, active));
  }

  async function cleanUp({ deployment, old }: Sets): Promise<void> {
    const limit = deployment.spec.revisionHistoryLimit;
    if (limit === undefined || limit === 2_147_483_647) return;
    const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const surplus = [...alive]
      .sort((a, b) => revisionOf(a) - revisionOf(b))
      .slice(0, Math.max(0, alive.length - limit));
    for (const set of surplus) {
      const busy =
        (set.status?.replicas ?? 0) !== 0 ||
        set.spec.replicas !== 0 ||
        (set.metadata.generation ?? 0) > (set.status?.observedGeneration ?? 0);
      if (!busy) await deleteObject(registry, REPLICA_SETS, set);
    }
  }

  async function finish({ deployment, fresh, old }: Sets, how: 'counted' | 'rollout'): Promise<Again> {
    const all = fresh === undefined ? old : [...old, fresh];
    const now = clock.now();
    const status =
      how === 'rollout' ? rolloutStatus(deployment, all, fresh, now) : countedStatus(deployment, all, fresh, now);
    await writeDeployment(deployment, status);
    const againInMs = untilDeadlineMs(deployment, status, now);
    return againInMs === undefined ? undefined : { againInMs };
  }

  return {
    name: COMPONENT,
    watches: [
      { resource: DEPLOYMENTS, keys: itself },
      { resource: REPLICA_SETS, keys: ownerOfKind('Deployment') },
      { resource: PODS, keys: ({ type, object }) => (type === 'DELETED' ? recreating(object.metadata) : []) },
    ],
    sync,
  };

  /** Recreate waits for the last old pod to go: the Deployments of the namespace whose selector takes it. */
  function recreating(pod: Pod['metadata']): readonly string[] {
    return registry
      .list(DEPLOYMENTS, pod.namespace)
      .map((object) => shaped<Deployment>(object))
      .filter(({ spec }) => spec.strategy.type === 'Recreate' && matches(spec.selector, pod.labels))
      .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
  }
}

function byAge(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return [...sets].sort(
    (a, b) =>
      timeMs(a.metadata.creationTimestamp) - timeMs(b.metadata.creationTimestamp) ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  );
}

/** Whether `replicas` changed since the sets were sized: then the size comes before the rollout. */
function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets
    .filter(({ spec }) => spec.replicas > 0)
    .some((set) => {
      const desired = desiredReplicas(set);
      return desired !== undefined && desired !== deployment.spec.replicas;
    });
}

import type { KubeObject } from '../../api/object.ts';
import { CONTROLLER_MANAGER, type Context, itself, splitKey, type WorkloadController } from './context.ts';
import { claim, controllerReference } from './owned.ts';
import { isFinished, isReady, podFrom, podOwners, untilAvailableMs } from './pods.ts';
import type { Again } from './queue.ts';
import { CLAIMS, PODS, STATEFUL_SETS } from './resources.ts';
import { currentRevision, revisionsOf, templateOf, truncateHistory } from './revision-history.ts';
import { selectsAll } from './selector.ts';
import { type Pod, shaped, type Volume } from './shapes.ts';
import type { ControllerRevision, StatefulSet } from './shapes-batch.ts';
import { deleteObject, WriteFailed, writeStatus } from './writes.ts';

const COMPONENT = 'statefulset-controller';
const REVISION_LABEL = 'controller-revision-hash';

interface Revisions {
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
}

/** Keeps numbered pods with their claims. Source: kubernetes@1.34 pkg/controller/statefulset/stateful_set_control.go. */
export function statefulSetController(context: Context): WorkloadController {
  const { registry, clock, events } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(STATEFUL_SETS, namespace, name);
    if (stored === undefined) return undefined;
    const set = shaped<StatefulSet>(stored);
    if (selectsAll(set.spec.selector)) return undefined;
    const update = await currentRevision(registry, set, 'controller.kubernetes.io/hash');
    const current =
      revisionsOf(registry, set).find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
    const revisions = { current, update };
    const isOurs = (pod: Pod): boolean => ordinalOf(set, pod) >= 0;
    let pods = await claim<Pod>(registry, PODS, set, set.spec.selector, isOurs);
    let failure: WriteFailed | undefined;
    if (set.metadata.deletionTimestamp === undefined) {
      try {
        await step(set, pods, revisions);
      } catch (error) {
        if (!(error instanceof WriteFailed)) throw error;
        failure = error;
      }
    }
    pods = await claim<Pod>(registry, PODS, set, set.spec.selector, isOurs);
    const now = registry.get(STATEFUL_SETS, namespace, name);
    if (now === undefined || now.metadata.uid !== set.metadata.uid) return undefined;
    const status = statusOf(set, pods, revisions);
    await writeStatus(registry, STATEFUL_SETS, shaped<StatefulSet>(now), status, CONTROLLER_MANAGER);
    const used = new Set([update.metadata.name, status.currentRevision ?? '']);
    for (const pod of pods) used.add(pod.metadata.labels?.[REVISION_LABEL] ?? '');
    await truncateHistory(registry, set, used);
    if (failure !== undefined) throw failure;
    const soonest = Math.min(
      ...pods
        .map((pod) => untilAvailableMs(pod, set.spec.minReadySeconds, clock.now()) ?? 0)
        .filter((wait) => wait > 0),
    );
    return Number.isFinite(soonest) ? { againInMs: soonest } : undefined;
  }

  /** One step towards the wish: with ordered management one pod at a time, each waiting for the one before. */
  async function step(set: StatefulSet, pods: readonly Pod[], revisions: Revisions): Promise<void> {
    const ordered = set.spec.podManagementPolicy !== 'Parallel';
    const start = set.spec.ordinals?.start ?? 0;
    const end = start + set.spec.replicas;
    const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]));
    for (let ordinal = start; ordinal < end; ordinal++) {
      const pod = byOrdinal.get(ordinal);
      if (pod === undefined) {
        await makePod(set, ordinal, revisions);
        if (ordered) return;
        continue;
      }
      if (isFinished(pod) && pod.metadata.deletionTimestamp === undefined) {
        const message = `StatefulSet ${set.metadata.namespace ?? ''}/${set.metadata.name} is recreating failed Pod ${pod.metadata.name}`;
        events.record(set, COMPONENT, { type: 'Warning', reason: 'RecreatingFailedPod', message });
        await deleteObject(registry, PODS, pod);
        if (ordered) return;
        continue;
      }
      if (ordered && !isAvailable(set, pod)) return;
    }
    const condemned = pods
      .filter((pod) => ordinalOf(set, pod) < start || ordinalOf(set, pod) >= end)
      .sort((a, b) => ordinalOf(set, b) - ordinalOf(set, a));
    for (const pod of condemned) {
      if (pod.metadata.deletionTimestamp === undefined) await removePod(set, pod);
      if (ordered) return;
    }
    await rollOver(set, byOrdinal, revisions.update.metadata.name, start, end);
  }

  /** Replaces pods of an older revision, the highest number first, down to the partition. */
  async function rollOver(
    set: StatefulSet,
    byOrdinal: ReadonlyMap<number, Pod>,
    update: string,
    start: number,
    end: number,
  ): Promise<void> {
    if (set.spec.updateStrategy?.type === 'OnDelete') return;
    const first = start + (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
    for (let ordinal = end - 1; ordinal >= first; ordinal--) {
      const pod = byOrdinal.get(ordinal);
      if (pod === undefined) return;
      if (pod.metadata.labels?.[REVISION_LABEL] !== update && pod.metadata.deletionTimestamp === undefined) {
        await removePod(set, pod);
        return;
      }
      if (!isAvailable(set, pod)) return;
    }
  }

  function isAvailable(set: StatefulSet, pod: Pod): boolean {
    return (
      pod.metadata.deletionTimestamp === undefined &&
      pod.status?.phase === 'Running' &&
      untilAvailableMs(pod, set.spec.minReadySeconds, clock.now()) === 0
    );
  }

  async function removePod(set: StatefulSet, pod: Pod): Promise<void> {
    await deleteObject(registry, PODS, pod);
    const message = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
    events.record(set, COMPONENT, { type: 'Normal', reason: 'SuccessfulDelete', message });
    if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return;
    if (ordinalOf(set, pod) < (set.spec.ordinals?.start ?? 0) + set.spec.replicas) return;
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const claimed = registry.get(CLAIMS, pod.metadata.namespace, `${template.metadata.name}-${pod.metadata.name}`);
      if (claimed !== undefined) await deleteObject(registry, CLAIMS, claimed);
    }
  }

  async function makePod(set: StatefulSet, ordinal: number, { current, update }: Revisions): Promise<void> {
    const name = `${set.metadata.name}-${ordinal}`;
    const { updateStrategy } = set.spec;
    const partition = (set.spec.ordinals?.start ?? 0) + (updateStrategy?.rollingUpdate?.partition ?? 0);
    const revision = updateStrategy?.type !== 'OnDelete' && ordinal < partition ? current : update;
    const volumes: Volume[] = [];
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const claimName = `${template.metadata.name}-${name}`;
      volumes.push({ name: template.metadata.name, persistentVolumeClaim: { claimName } });
      await makeClaim(set, template, claimName, name);
    }
    const template = templateOf(revision);
    const claimed = new Set(volumes.map((volume) => volume.name));
    const others = (template.spec.volumes ?? []).filter((volume) => !claimed.has(volume.name));
    const pod = podFrom(
      template,
      set,
      // Its template leaves a prefix behind that nobody uses.
      { name, generateName: `${set.metadata.name}-` },
      {
        labels: {
          'statefulset.kubernetes.io/pod-name': name,
          'apps.kubernetes.io/pod-index': String(ordinal),
          [REVISION_LABEL]: revision.metadata.name,
        },
        spec: {
          hostname: name,
          ...(set.spec.serviceName === undefined || set.spec.serviceName === ''
            ? {}
            : { subdomain: set.spec.serviceName }),
          ...(volumes.length + others.length === 0 ? {} : { volumes: [...volumes, ...others] }),
        },
      },
    );
    const created = await registry.create(PODS, pod, CONTROLLER_MANAGER);
    if (created.ok) {
      const message = `create Pod ${name} in StatefulSet ${set.metadata.name} successful`;
      events.record(set, COMPONENT, { type: 'Normal', reason: 'SuccessfulCreate', message });
      return;
    }
    const message = `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${created.error.message}`;
    events.record(set, COMPONENT, { type: 'Warning', reason: 'FailedCreate', message });
    throw new WriteFailed(created.error);
  }

  async function makeClaim(
    set: StatefulSet,
    template: NonNullable<StatefulSet['spec']['volumeClaimTemplates']>[number],
    claimName: string,
    podName: string,
  ): Promise<void> {
    if (registry.get(CLAIMS, set.metadata.namespace, claimName) !== undefined) return;
    const { labels, annotations } = template.metadata;
    const goesWithSet = set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete';
    const wanted = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: claimName,
        namespace: set.metadata.namespace ?? '',
        labels: { ...labels, ...set.spec.selector.matchLabels },
        ...(annotations === undefined ? {} : { annotations }),
        ...(goesWithSet ? { ownerReferences: [controllerReference(set)] } : {}),
      },
      spec: template.spec,
    };
    const created = await registry.create(CLAIMS, wanted as KubeObject, CONTROLLER_MANAGER);
    if (!created.ok && created.error.reason !== 'AlreadyExists') {
      const message = `create Claim ${claimName} for Pod ${podName} in StatefulSet ${set.metadata.name} failed error: ${created.error.message}`;
      events.record(set, COMPONENT, { type: 'Warning', reason: 'FailedCreate', message });
      throw new WriteFailed(created.error);
    }
    const message = `create Claim ${claimName} Pod ${podName} in StatefulSet ${set.metadata.name} success`;
    events.record(set, COMPONENT, { type: 'Normal', reason: 'SuccessfulCreate', message });
  }

  function statusOf(set: StatefulSet, pods: readonly Pod[], revisions: Revisions): NonNullable<StatefulSet['status']> {
    const living = pods.filter((pod) => !isFinished(pod));
    const ready = living.filter((pod) => pod.status?.phase === 'Running' && isReady(pod)).length;
    const available = living.filter((pod) => isAvailable(set, pod)).length;
    const ofRevision = (name: string): number =>
      living.filter(
        ({ metadata }) => metadata.labels?.[REVISION_LABEL] === name && metadata.deletionTimestamp === undefined,
      ).length;
    const update = revisions.update.metadata.name;
    const updated = ofRevision(update);
    const done = set.spec.updateStrategy?.type !== 'OnDelete' && updated === living.length && ready === living.length;
    const current = done ? update : revisions.current.metadata.name;
    const currentCount = ofRevision(current);
    const { conditions } = set.status ?? {};
    return {
      observedGeneration: set.metadata.generation ?? 0,
      replicas: living.length,
      ...(ready === 0 ? {} : { readyReplicas: ready }),
      ...(currentCount === 0 ? {} : { currentReplicas: currentCount }),
      ...(updated === 0 ? {} : { updatedReplicas: updated }),
      currentRevision: current,
      updateRevision: update,
      collisionCount: set.status?.collisionCount ?? 0,
      ...(conditions === undefined ? {} : { conditions }),
      availableReplicas: available,
    };
  }

  return {
    name: COMPONENT,
    watches: [
      { resource: STATEFUL_SETS, keys: itself },
      { resource: PODS, keys: podOwners(registry, 'StatefulSet', STATEFUL_SETS) },
    ],
    sync,
  };
}

/** The pod's number in the set; -1 when its name is not one of the set's. */
function ordinalOf(set: StatefulSet, { metadata }: Pod): number {
  const match = /^(.*)-(0|[1-9]\d*)$/.exec(metadata.name);
  return match !== null && match[1] === set.metadata.name ? Number(match[2]) : -1;
}

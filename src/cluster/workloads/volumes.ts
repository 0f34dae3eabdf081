import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { nanoOf } from '../apiserver/quantity.ts';
import type { GroupResource } from '../registry.ts';
import { CONTROLLER_MANAGER, type Context, itself, keyOf, splitKey, type WorkloadController } from './context.ts';
import { isFinished } from './pods.ts';
import type { Again } from './queue.ts';
import { CLAIMS, PODS, STORAGE_CLASSES, VOLUMES } from './resources.ts';
import { matches } from './selector.ts';
import { type LabelSelector, type Pod, plain, type Stored, shaped } from './shapes.ts';
import { deleteObject, writeStatus, written, writtenOrGone } from './writes.ts';

const COMPONENT = 'persistentvolume-controller';
/** Also the name of its CSI driver, which is a DNS name. */
const PROVISIONER = 'provisioner.sim.weir.dev';
const DEFAULT_CLASS = 'standard';
const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection';
const VOLUME_PROTECTION = 'kubernetes.io/pv-protection';
const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class';

type Storage = { readonly storage?: string };

type Claim = Stored<
  {
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly requests?: Storage };
    readonly storageClassName?: string;
    readonly volumeName?: string;
    readonly volumeMode?: string;
    readonly selector?: LabelSelector;
  },
  { readonly phase?: string; readonly accessModes?: readonly string[]; readonly capacity?: Storage }
>;

type Volume = Stored<
  {
    readonly capacity?: Storage;
    readonly accessModes?: readonly string[];
    readonly storageClassName?: string;
    readonly persistentVolumeReclaimPolicy?: string;
    readonly volumeMode?: string;
    readonly claimRef?: { readonly namespace?: string; readonly name?: string; readonly uid?: string };
  },
  { readonly phase?: string }
>;

/** The StorageClass whose volumes are simulated; the default one, as kind has it. */
export function storageClassController({ registry }: Context): WorkloadController {
  return {
    name: 'storage-classes',
    watches: [],
    firstKeys: () => [`/${DEFAULT_CLASS}`],
    async sync(key): Promise<Again> {
      const { name } = splitKey(key);
      if (registry.list(STORAGE_CLASSES).length > 0) return undefined;
      const storageClass = {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name, annotations: { [IS_DEFAULT]: 'true' } },
        provisioner: PROVISIONER,
        reclaimPolicy: 'Delete',
        volumeBindingMode: 'Immediate',
      };
      written(await registry.create(STORAGE_CLASSES, storageClass as unknown as KubeObject, CONTROLLER_MANAGER));
      return undefined;
    },
  };
}

/** Binds claims to volumes, and makes simulated volumes for the simulated class. Source: kubernetes@1.34 pkg/controller/volume/persistentvolume. */
export function volumeController(context: Context): WorkloadController {
  const { registry, events } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    if (namespace === '') {
      await syncVolume(name);
      return undefined;
    }
    const stored = registry.get(CLAIMS, namespace, name);
    if (stored === undefined) return undefined;
    const claim = shaped<Claim>(stored);
    if (claim.metadata.deletionTimestamp !== undefined) {
      if (!isMounted(claim)) await unprotect(CLAIMS, stored, CLAIM_PROTECTION);
      return undefined;
    }
    const { volumeName } = claim.spec;
    const volume =
      volumeName === undefined || volumeName === ''
        ? (findVolume(claim) ?? (await provision(claim)))
        : getVolume(volumeName);
    if (volume === undefined) await pending(claim);
    else await bind(claim, volume);
    return undefined;
  }

  function getVolume(name: string): Volume | undefined {
    const stored = registry.get(VOLUMES, undefined, name);
    return stored === undefined ? undefined : shaped<Volume>(stored);
  }

  function findVolume(claim: Claim): Volume | undefined {
    const asked = nanoOf(claim.spec.resources?.requests?.storage);
    const fitting = registry
      .list(VOLUMES)
      .map((volume) => shaped<Volume>(volume))
      .filter(({ metadata, spec, status }) => {
        if (metadata.deletionTimestamp !== undefined) return false;
        if (spec.claimRef !== undefined) return isFor(spec.claimRef, claim);
        return (
          status?.phase !== 'Released' &&
          status?.phase !== 'Failed' &&
          (spec.storageClassName ?? '') === (claim.spec.storageClassName ?? '') &&
          (spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem') &&
          nanoOf(spec.capacity?.storage) >= asked &&
          (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode) === true) &&
          (claim.spec.selector === undefined || matches(claim.spec.selector, metadata.labels))
        );
      });
    const size = (volume: Volume): number => Number(nanoOf(volume.spec.capacity?.storage));
    // A volume that names the claim comes first, then the smallest that is large enough.
    return fitting.sort(
      (a, b) => Number(b.spec.claimRef !== undefined) - Number(a.spec.claimRef !== undefined) || size(a) - size(b),
    )[0];
  }

  async function provision(claim: Claim): Promise<Volume | undefined> {
    const className = claim.spec.storageClassName;
    if (className === undefined || className === '' || claim.spec.selector !== undefined) return undefined;
    const storageClass = registry.get(STORAGE_CLASSES, undefined, className) as
      | (KubeObject & { provisioner?: string; reclaimPolicy?: string })
      | undefined;
    if (storageClass?.provisioner !== PROVISIONER) return undefined;
    const name = `pvc-${claim.metadata.uid ?? ''}`;
    const known = getVolume(name);
    if (known !== undefined) return known;
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': PROVISIONER } },
      spec: {
        capacity: { storage: claim.spec.resources?.requests?.storage ?? '0' },
        accessModes: [...(claim.spec.accessModes ?? [])],
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
        storageClassName: className,
        volumeMode: claim.spec.volumeMode ?? 'Filesystem',
        claimRef: referenceTo(claim),
        csi: { driver: PROVISIONER, volumeHandle: name },
      },
    };
    const created = written(await registry.create(VOLUMES, volume as unknown as KubeObject, CONTROLLER_MANAGER));
    const message = `Successfully provisioned volume ${name}`;
    events.record(claim, PROVISIONER, { type: 'Normal', reason: 'ProvisioningSucceeded', message });
    return shaped<Volume>(created);
  }

  async function pending(claim: Claim): Promise<void> {
    const className = claim.spec.storageClassName ?? '';
    if (claim.spec.volumeName === undefined || claim.spec.volumeName === '') {
      const unknown = className !== '' && registry.get(STORAGE_CLASSES, undefined, className) === undefined;
      const event = unknown
        ? { reason: 'ProvisioningFailed', message: `storageclass.storage.k8s.io "${className}" not found` }
        : {
            reason: 'FailedBinding',
            message: 'no persistent volumes available for this claim and no storage class is set',
          };
      if (unknown || className === '') {
        events.record(claim, COMPONENT, { type: unknown ? 'Warning' : 'Normal', ...event });
      }
    }
    const phase = claim.status?.phase === 'Bound' ? 'Lost' : 'Pending';
    await writeStatus(registry, CLAIMS, claim, { ...claim.status, phase }, CONTROLLER_MANAGER);
  }

  async function bind(claim: Claim, volume: Volume): Promise<void> {
    const { claimRef } = volume.spec;
    if (claimRef !== undefined && !isFor(claimRef, claim)) return pending(claim);
    let bound = volume;
    if (claimRef?.uid !== claim.metadata.uid) {
      const next = plain({ ...volume, spec: { ...volume.spec, claimRef: referenceTo(claim) } });
      bound = shaped<Volume>(written(await registry.update(VOLUMES, next, CONTROLLER_MANAGER)));
    }
    await writeStatus(registry, VOLUMES, bound, { ...bound.status, phase: 'Bound' }, CONTROLLER_MANAGER);
    let current = claim;
    if (claim.spec.volumeName !== bound.metadata.name) {
      const annotations = {
        ...claim.metadata.annotations,
        'pv.kubernetes.io/bind-completed': 'yes',
        'pv.kubernetes.io/bound-by-controller': 'yes',
      };
      const metadata = { ...claim.metadata, annotations };
      const next = plain({ ...claim, metadata, spec: { ...claim.spec, volumeName: bound.metadata.name } });
      current = shaped<Claim>(written(await registry.update(CLAIMS, next, CONTROLLER_MANAGER)));
    }
    const status = {
      ...current.status,
      phase: 'Bound',
      accessModes: bound.spec.accessModes ?? [],
      capacity: bound.spec.capacity ?? {},
    };
    await writeStatus(registry, CLAIMS, current, status, CONTROLLER_MANAGER);
  }

  /** Whether a pod that has not ended still uses the claim. */
  function isMounted({ metadata }: Claim): boolean {
    return registry.list(PODS, metadata.namespace).some((object) => {
      const pod = shaped<Pod>(object);
      return !isFinished(pod) && claimsOf(pod).includes(metadata.name);
    });
  }

  /** Takes the finalizer away that holds what is in use. Source: kubernetes@1.34 pkg/controller/volume/{pvc,pv}protection. */
  async function unprotect(resource: GroupResource, object: KubeObject, finalizer: string): Promise<void> {
    const finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
    if (finalizers.length === (object.metadata.finalizers ?? []).length) return;
    const freed = { ...object, metadata: { ...object.metadata, finalizers } };
    writtenOrGone(await registry.update(resource, freed, CONTROLLER_MANAGER));
  }

  /** A volume that lost its claim is released, and deleted when its policy says so. */
  async function syncVolume(name: string): Promise<void> {
    const volume = getVolume(name);
    if (volume === undefined) return;
    const { claimRef } = volume.spec;
    const claim =
      claimRef?.name === undefined ? undefined : registry.get(CLAIMS, claimRef.namespace ?? '', claimRef.name);
    const isBound = claim !== undefined && (claimRef?.uid === undefined || claim.metadata.uid === claimRef.uid);
    if (isBound) return;
    if (volume.metadata.deletionTimestamp !== undefined) {
      await unprotect(VOLUMES, plain(volume), VOLUME_PROTECTION);
      return;
    }
    const wasBound = claimRef?.uid !== undefined && claimRef.uid !== '';
    if (wasBound && volume.spec.persistentVolumeReclaimPolicy === 'Delete') {
      await deleteObject(registry, VOLUMES, volume);
      return;
    }
    const phase = wasBound ? 'Released' : 'Available';
    await writeStatus(registry, VOLUMES, volume, { ...volume.status, phase }, CONTROLLER_MANAGER);
  }

  const waiting = (): string[] =>
    registry
      .list(CLAIMS)
      .filter((claim) => shaped<Claim>(claim).status?.phase !== 'Bound')
      .map(keyOf);

  return {
    name: COMPONENT,
    watches: [
      {
        resource: CLAIMS,
        keys: (change) => {
          const volume = shaped<Claim>(change.object).spec.volumeName;
          return change.type === 'DELETED' ? (volume === undefined ? [] : [`/${volume}`]) : itself(change);
        },
      },
      { resource: VOLUMES, keys: (change) => [...itself(change), ...waiting()] },
      { resource: STORAGE_CLASSES, keys: waiting },
      {
        resource: PODS,
        keys: ({ object }) => claimsOf(shaped<Pod>(object)).map((name) => `${object.metadata.namespace ?? ''}/${name}`),
      },
    ],
    sync,
  };
}

function claimsOf({ spec }: Pod): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
}

function isFor(reference: NonNullable<Volume['spec']['claimRef']>, { metadata }: Claim): boolean {
  return (
    reference.namespace === metadata.namespace &&
    reference.name === metadata.name &&
    (reference.uid === undefined || reference.uid === '' || reference.uid === metadata.uid)
  );
}

function referenceTo({ metadata }: Claim): Record<string, Json> {
  const { namespace, name, uid } = metadata;
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: namespace ?? '', name, uid: uid ?? '' };
}

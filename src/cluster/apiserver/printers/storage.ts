import type { Json } from '../../../base/json.ts';
import { at, isArray, stringAt } from '../../../base/json.ts';
import { list, number, text } from './fields.ts';
import { type Cells, created, nameOf, simple } from './printer.ts';

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modes(all: readonly Json[]): string {
  return Object.keys(MODES)
    .filter((mode) => all.includes(mode))
    .map((mode) => MODES[mode])
    .join(',');
}

function orUnset(value: string): string {
  return value === '' ? '<unset>' : value;
}

/** The class of a volume or of a claim; the annotation is what was there before the field. */
function storageClass(object: Json): string {
  const old = stringAt(at(object, 'metadata', 'annotations'), 'volume.beta.kubernetes.io/storage-class');
  return old ?? text(object, 'spec', 'storageClassName');
}

function phase(object: Json): string {
  return at(object, 'metadata', 'deletionTimestamp') === undefined ? text(object, 'status', 'phase') : 'Terminating';
}

export const claimCells: Cells = simple(
  (object) => {
    const volume = text(object, 'spec', 'volumeName');
    return [
      phase(object),
      volume,
      volume === '' ? '' : text(object, 'status', 'capacity', 'storage') || '0',
      volume === '' ? '' : modes(list(object, 'status', 'accessModes')),
      storageClass(object),
      orUnset(text(object, 'spec', 'volumeAttributesClassName')),
    ];
  },
  (object) => [orUnset(text(object, 'spec', 'volumeMode'))],
);

export const volumeCells: Cells = simple(
  (object) => {
    const claim = at(object, 'spec', 'claimRef');
    return [
      text(object, 'spec', 'capacity', 'storage') || '0',
      modes(list(object, 'spec', 'accessModes')),
      text(object, 'spec', 'persistentVolumeReclaimPolicy'),
      phase(object),
      claim === undefined ? '' : `${text(claim, 'namespace')}/${text(claim, 'name')}`,
      storageClass(object),
      orUnset(text(object, 'spec', 'volumeAttributesClassName')),
      text(object, 'status', 'reason'),
    ];
  },
  (object) => [orUnset(text(object, 'spec', 'volumeMode'))],
);

export const storageClassCells: Cells = (object, now) => {
  const annotations = at(object, 'metadata', 'annotations');
  const standard = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];
  const name = nameOf(object);
  return [
    standard.some((key) => stringAt(annotations, key) === 'true') ? `${name} (default)` : name,
    text(object, 'provisioner'),
    text(object, 'reclaimPolicy') || 'Delete',
    text(object, 'volumeBindingMode') || 'Immediate',
    at(object, 'allowVolumeExpansion') === true,
    created(object, now),
  ];
};

export const driverCells: Cells = simple((object) => {
  const requests = at(object, 'spec', 'tokenRequests');
  return [
    at(object, 'spec', 'attachRequired') !== false,
    at(object, 'spec', 'podInfoOnMount') === true,
    at(object, 'spec', 'storageCapacity') === true,
    isArray(requests) ? requests.map((one) => text(one, 'audience')).join(',') : '<unset>',
    at(object, 'spec', 'requiresRepublish') === true,
    list(object, 'spec', 'volumeLifecycleModes').map(String).join(',') || '<none>',
  ];
});

export const driverNodeCells: Cells = simple((object) => [list(object, 'spec', 'drivers').length]);

export const attachmentCells: Cells = simple((object) => [
  text(object, 'spec', 'attacher'),
  text(object, 'spec', 'source', 'persistentVolumeName'),
  text(object, 'spec', 'nodeName'),
  at(object, 'status', 'attached') === true,
]);

export const attributesClassCells: Cells = simple((object) => [text(object, 'driverName')]);

export const resourceClaimCells: Cells = simple((object) => {
  const deleted = at(object, 'metadata', 'deletionTimestamp') !== undefined;
  const allocated = at(object, 'status', 'allocation') !== undefined;
  const states = [
    ...(deleted ? ['deleted'] : []),
    ...(allocated ? ['allocated'] : deleted ? [] : ['pending']),
    ...(allocated && list(object, 'status', 'reservedFor').length > 0 ? ['reserved'] : []),
  ];
  return [states.join(',')];
});

export const resourceSliceCells: Cells = simple((object) => [
  text(object, 'spec', 'nodeName'),
  text(object, 'spec', 'driver'),
  text(object, 'spec', 'pool', 'name'),
]);

/** Only a name and an age. */
export const ageCells: Cells = simple(() => []);

export const runtimeClassCells: Cells = simple((object) => [text(object, 'handler')]);

export const priorityClassCells: Cells = simple(
  (object) => [number(object, 'value'), at(object, 'globalDefault') === true],
  (object) => [text(object, 'preemptionPolicy')],
);

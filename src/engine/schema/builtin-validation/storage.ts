import { equal, type Json, type JsonObject } from '../../../base/json.ts';
import { dns1123Subdomain, qualifiedName } from '../names.ts';
import {
  duplicate,
  type Errors,
  each,
  equalOr,
  forbidden,
  has,
  IMMUTABLE,
  invalid,
  items,
  labelSelector,
  nonNegative,
  notSupported,
  number,
  object,
  quantity,
  required,
  Seen,
  text,
  texts,
  utf8Length,
} from './field-checks.ts';
import { ATTACHMENT_SPEC, CSI_NODE_DRIVER, internalForm } from './internal-form.ts';

/** (kubernetes@1.34 pkg/apis/storage/validation) */

const MAX_PARAMETERS = 256 * 1024;

/** The name of a CSI driver: a short host name. */
export function driverName(errors: Errors, name: string, path: string): void {
  if (name === '') errors.push(required(path));
  if (name.length > 63)
    errors.push({ field: path, reason: 'FieldValueTooLong', message: 'Too long: may not be more than 63 bytes' });
  each(errors, dns1123Subdomain(name.toLowerCase()), path, name);
}

function parameters(errors: Errors, value: JsonObject, mayBeEmpty: boolean): void {
  const own = object(value, 'parameters') ?? {};
  const keys = Object.keys(own);
  if (keys.includes('')) errors.push(invalid('parameters', '', 'field can not be empty.'));
  const size = keys.reduce((sum, key) => sum + utf8Length(key) + utf8Length(text(own, key)), 0);
  if (size > MAX_PARAMETERS)
    errors.push({
      field: 'parameters',
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${MAX_PARAMETERS} bytes`,
    });
  if (!mayBeEmpty && keys.length === 0) errors.push(required('parameters', 'must contain at least one key/value pair'));
}

export function storageClass(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const provisioner = text(value, 'provisioner');
  if (provisioner === '') errors.push(required('provisioner', provisioner));
  else {
    const own = provisioner.toLowerCase();
    each(errors, qualifiedName(own), 'provisioner', own);
  }
  parameters(errors, value, true);
  const reclaim = text(value, 'reclaimPolicy');
  if (reclaim !== '' && !['Delete', 'Retain'].includes(reclaim))
    errors.push(notSupported('reclaimPolicy', reclaim, ['Delete', 'Retain']));
  const mode = text(value, 'volumeBindingMode');
  if (!has(value, 'volumeBindingMode')) errors.push(required('volumeBindingMode'));
  else if (!['Immediate', 'WaitForFirstConsumer'].includes(mode))
    errors.push(notSupported('volumeBindingMode', mode, ['Immediate', 'WaitForFirstConsumer']));
  topologies(errors, value);
  if (old === undefined) return;
  if (!equal(object(value, 'parameters') ?? {}, object(old, 'parameters') ?? {}))
    errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
  if (provisioner !== text(old, 'provisioner'))
    errors.push(forbidden('provisioner', 'updates to provisioner are forbidden.'));
  if (reclaim !== text(old, 'reclaimPolicy'))
    errors.push(forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'));
  if (mode !== text(old, 'volumeBindingMode')) errors.push(invalid('volumeBindingMode', mode, IMMUTABLE));
}

function topologies(errors: Errors, value: JsonObject): void {
  const seen: string[] = [];
  items(value, 'allowedTopologies').forEach((topology, index) => {
    const at = `allowedTopologies[${index}].matchLabelExpressions`;
    const keys = new Seen();
    const expressions = items(topology, 'matchLabelExpressions');
    expressions.forEach((expression, place) => {
      const path = `${at}[${place}]`;
      const values = texts(expression, 'values');
      if (values.length === 0) errors.push(required(`${path}.values`));
      const known = new Seen();
      values.forEach((own, position) => {
        if (!known.add(own)) errors.push(duplicate(`${path}.values[${position}]`, own));
      });
      const key = text(expression, 'key');
      each(errors, qualifiedName(key), `${path}.key`, key);
      if (!keys.add(key)) errors.push(duplicate(`${path}.key`, key));
    });
    const form = JSON.stringify(
      expressions.map((one) => `${text(one, 'key')} ${texts(one, 'values').toSorted().join(' ')}`).toSorted(),
    );
    if (seen.includes(form)) errors.push(duplicate(at, ''));
    seen.push(form);
  });
}

export function csiDriver(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  for (const [key, shown] of [
    ['attachRequired', 'attachedRequired'],
    ['podInfoOnMount', 'podInfoOnMount'],
    ['storageCapacity', 'storageCapacity'],
  ] as const)
    if (!has(spec, key)) errors.push(required(`spec.${shown}`));
  const policies = ['File', 'None', 'ReadWriteOnceWithFSType'];
  if (has(spec, 'fsGroupPolicy') && !policies.includes(text(spec, 'fsGroupPolicy')))
    errors.push(notSupported('spec.fsGroupPolicy', text(spec, 'fsGroupPolicy'), policies));
  const audiences = new Seen();
  items(spec, 'tokenRequests').forEach((request, index) => {
    const at = `spec.tokenRequests[${index}]`;
    const audience = text(request, 'audience');
    if (!audiences.add(audience)) {
      errors.push(duplicate(`${at}.audience`, audience));
      return;
    }
    const seconds = number(request, 'expirationSeconds');
    if (seconds !== undefined && seconds < 600)
      errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
    if (seconds !== undefined && seconds > 2 ** 32)
      errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
  });
  for (const mode of texts(spec, 'volumeLifecycleModes'))
    if (!['Persistent', 'Ephemeral'].includes(mode))
      errors.push(notSupported('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']));
  if (!has(spec, 'seLinuxMount')) errors.push(required('spec.seLinuxMount'));
  if (old === undefined) return;
  const before = object(old, 'spec') ?? {};
  if (!equalOr(spec['attachRequired'], before['attachRequired']))
    errors.push(invalid('spec.attachedRequired', spec['attachRequired'] ?? null, IMMUTABLE));
  if (!equalOr(spec['volumeLifecycleModes'], before['volumeLifecycleModes']))
    errors.push(invalid('spec.volumeLifecycleModes', spec['volumeLifecycleModes'] ?? null, IMMUTABLE));
}

export function csiNode(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const drivers = items(object(value, 'spec'), 'drivers');
  const names = new Seen();
  drivers.forEach((driver, index) => {
    const at = `spec.drivers[${index}]`;
    const name = text(driver, 'name');
    driverName(errors, name, `${at}.name`);
    const id = text(driver, 'nodeID');
    if (id === '') errors.push(required(`${at}.nodeID`));
    if (id.length > 256) errors.push(invalid(`${at}.nodeID`, id, 'must be 256 characters or less'));
    nonNegative(errors, number(object(driver, 'allocatable'), 'count'), `${at}.allocatable.count`);
    if (!names.add(name)) errors.push(duplicate(`${at}.name`, name));
    const keys = new Seen();
    for (const key of texts(driver, 'topologyKeys')) {
      if (key === '') errors.push(required(at));
      if (!keys.add(key)) errors.push(duplicate(at, key));
      each(errors, qualifiedName(key), at, key);
    }
  });
  for (const before of items(object(old, 'spec'), 'drivers'))
    for (const driver of drivers)
      if (text(before, 'name') === text(driver, 'name') && !equal(before, driver))
        errors.push(invalid('spec.drivers', internalForm(driver, CSI_NODE_DRIVER), IMMUTABLE));
}

export function volumeAttachment(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const attacher = text(spec, 'attacher');
  const source = object(spec, 'source');
  const nodeName = text(spec, 'nodeName');
  if (attacher === '') errors.push(required('spec.attacher'));
  const [named, inline] = [has(source, 'persistentVolumeName'), has(source, 'inlineVolumeSpec')];
  const volume = text(source, 'persistentVolumeName');
  if (!named && !inline)
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  else if (named && inline)
    errors.push(forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  else if (named) {
    const at = 'spec.source.persistentVolumeName';
    if (volume === '') errors.push(required(at, 'must specify non empty persistentVolumeName'));
    each(errors, dns1123Subdomain(volume), at, volume);
  }
  each(errors, dns1123Subdomain(nodeName), 'spec.nodeName', nodeName);
  if (old === undefined) {
    // The stricter rules of creation come after; of the name only what the first left open.
    const strict: Errors = [];
    driverName(strict, attacher, 'spec.attacher');
    errors.push(...strict.filter(({ reason }) => attacher !== '' || reason !== 'FieldValueRequired'));
  } else if (!equal(spec, object(old, 'spec') ?? {}))
    errors.push(invalid('spec', internalForm(spec, ATTACHMENT_SPEC), IMMUTABLE));
}

export function csiStorageCapacity(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const className = text(value, 'storageClassName');
  labelSelector(errors, object(value, 'nodeTopology'), 'nodeTopology');
  each(errors, dns1123Subdomain(className), 'storageClassName', className);
  for (const key of ['capacity', 'maximumVolumeSize']) {
    const own = value[key];
    if (own !== undefined && own !== null && quantity(own).value < 0n)
      errors.push(invalid(key, own, 'must be greater than or equal to 0'));
  }
  if (old === undefined) return;
  for (const key of ['nodeTopology', 'storageClassName'] as const)
    if (!equalOr(value[key], old[key])) errors.push(invalid(key, value[key] as Json, IMMUTABLE));
}

export function volumeAttributesClass(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  driverName(errors, text(value, 'driverName'), 'driverName');
  parameters(errors, value, false);
  if (old === undefined) return;
  if (!equalOr(value['parameters'], old['parameters']))
    errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
  if (text(value, 'driverName') !== text(old, 'driverName'))
    errors.push(forbidden('driverName', 'updates to driverName are forbidden.'));
}

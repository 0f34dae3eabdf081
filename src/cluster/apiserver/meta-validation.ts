import type { KubeObject, ObjectMeta } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { equal } from '../../base/json.ts';
import { checkLabelKey, checkLabelValue, nameRule } from './names.ts';
import type { ResourceType } from './resource-type.ts';
import type { Cause } from './status.ts';
import { forbiddenField, invalidValue, required, tooLong } from './status.ts';

/** Source: kubernetes@1.34 apimachinery/pkg/api/validation/objectmeta.go. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;
const STANDARD_FINALIZERS = new Set(['foregroundDeletion', 'orphan', 'kubernetes']);
const IMMUTABLE = 'field is immutable';

export function validateMeta(type: ResourceType, { metadata }: KubeObject): readonly Cause[] {
  const causes: Cause[] = [];
  const rule = nameRule(type.storage);
  const { generateName, name } = metadata;
  if (generateName !== undefined && generateName !== '') {
    // A generated name may end where the suffix begins, hence with a dash.
    const trimmed =
      generateName.endsWith('-') && generateName.length > 1 ? `${generateName.slice(0, -1)}a` : generateName;
    for (const message of rule(trimmed)) causes.push(invalidValue('metadata.generateName', generateName, message));
  }
  if (name === undefined || name === '') {
    causes.push(required('metadata.name', 'name or generateName is required'));
  } else for (const message of rule(name)) causes.push(invalidValue('metadata.name', name, message));
  if (type.namespaced && (metadata.namespace === undefined || metadata.namespace === ''))
    causes.push(required('metadata.namespace'));
  if (!type.namespaced && metadata.namespace !== undefined && metadata.namespace !== '')
    causes.push(forbiddenField('metadata.namespace', 'not allowed on this type'));
  causes.push(...validateLabels(metadata.labels, 'metadata.labels'));
  causes.push(...validateAnnotations(metadata.annotations, 'metadata.annotations'));
  causes.push(...validateOwners(metadata));
  causes.push(
    ...validateFinalizers(
      metadata.finalizers ?? [],
      type.definition === undefined && type.group !== 'apiextensions.k8s.io',
    ),
  );
  return causes;
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, field: string): readonly Cause[] {
  const causes: Cause[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const message of checkLabelKey(key)) causes.push(invalidValue(field, key, message));
    for (const message of checkLabelValue(value)) causes.push(invalidValue(field, value, message));
  }
  return causes;
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): readonly Cause[] {
  const causes: Cause[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const message of checkLabelKey(key.toLowerCase())) causes.push(invalidValue(field, key, message));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > MAX_ANNOTATIONS_BYTES) causes.push(tooLong(field, '', MAX_ANNOTATIONS_BYTES));
  return causes;
}

const EMPTY_OWNER = { apiVersion: '', kind: '', name: '', uid: '' };

function validateOwners({ ownerReferences }: ObjectMeta): readonly Cause[] {
  const causes: Cause[] = [];
  let controller: string | undefined;
  // The real server names no index here.
  const at = 'metadata.ownerReferences';
  for (const owner of ownerReferences ?? []) {
    // What clients send may lack any of them.
    const { apiVersion, kind, name, uid } = { ...EMPTY_OWNER, ...owner };
    const slashes = apiVersion.split('/').length - 1;
    if (slashes > 1) {
      causes.push(invalidValue(`${at}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    } else if (apiVersion === '' || apiVersion.endsWith('/'))
      causes.push(invalidValue(`${at}.apiVersion`, apiVersion, 'version must not be empty'));
    if (kind === '') causes.push(invalidValue(`${at}.kind`, kind, 'must not be empty'));
    if (name === '') causes.push(invalidValue(`${at}.name`, name, 'must not be empty'));
    if (uid === '') causes.push(invalidValue(`${at}.uid`, uid, 'must not be empty'));
    if (apiVersion === 'v1' && kind === 'Event')
      causes.push(
        invalidValue(at, owner as unknown as Json, `/${apiVersion}, Kind=${kind} is disallowed from being an owner`),
      );
    if (owner.controller === true) {
      const self = `${kind}/${name}`;
      if (controller !== undefined)
        causes.push(
          invalidValue(
            'metadata.ownerReferences',
            ownerReferences as unknown as Json,
            `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${self}`,
          ),
        );
      else controller = self;
    }
  }
  return causes;
}

/** Names without a group are refused for built-in kinds only. Source: kubernetes@1.34 pkg/apis/core/validation ValidateObjectMeta. */
function validateFinalizers(finalizers: readonly string[], isBuiltIn: boolean): readonly Cause[] {
  const causes: Cause[] = [];
  for (const [index, finalizer] of finalizers.entries()) {
    const at = `metadata.finalizers[${index}]`;
    for (const message of checkLabelKey(finalizer)) causes.push(invalidValue(at, finalizer, message));
    if (isBuiltIn && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer))
      causes.push(invalidValue(at, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    causes.push(
      invalidValue('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'),
    );
  return causes;
}

export function validateMetaUpdate(object: KubeObject, old: KubeObject): readonly Cause[] {
  const [now, was] = [object.metadata, old.metadata];
  const causes: Cause[] = [];
  if (was.deletionTimestamp !== undefined) {
    const added = (now.finalizers ?? []).filter((finalizer) => !(was.finalizers ?? []).includes(finalizer));
    if (added.length > 0)
      causes.push(
        forbiddenField(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`,
        ),
      );
  }
  for (const key of [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const) {
    if (!equal(now[key], was[key])) causes.push(invalidValue(`metadata.${key}`, now[key] ?? null, IMMUTABLE));
  }
  causes.push(...validateLabels(now.labels, 'metadata.labels'));
  causes.push(...validateAnnotations(now.annotations, 'metadata.annotations'));
  causes.push(...validateOwners(now));
  return causes;
}

import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, stringAt } from '../../base/json.ts';
import { json, withField } from './draft.ts';

/** What the API server itself says about a CRD: its names are accepted and it is served, at once. */
export function establish(definition: KubeObject, now: string): KubeObject {
  const spec = definition.spec ?? {};
  const status = json(definition)['status'];
  const names = field(spec, 'names') as JsonObject;
  const versions = field(spec, 'versions');
  const stored = (isArray(versions) ? versions : [])
    .filter((version) => field(version, 'storage') === true)
    .map((version) => stringAt(version, 'name') ?? '');
  const before = isArray(at(status, 'storedVersions'))
    ? (at(status, 'storedVersions') as readonly Json[]).map(String)
    : [];
  const kept = isArray(at(status, 'conditions')) ? (at(status, 'conditions') as readonly Json[]) : [];
  const keep = (type: string, reason: string, message: string): Json => {
    const found = kept.find((condition) => field(condition, 'type') === type && field(condition, 'status') === 'True');
    return found ?? { type, status: 'True', lastTransitionTime: now, reason, message };
  };
  const others = kept.filter(
    (condition) => !['NamesAccepted', 'Established'].includes(stringAt(condition, 'type') ?? ''),
  );
  return withField(definition, 'status', {
    ...(isObject(status) ? status : {}),
    conditions: [
      keep('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      keep('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ...others,
    ],
    acceptedNames: names,
    storedVersions: [...new Set([...before, ...stored])],
  });
}

/** A definition as its create answers: served from then on, and said to be so a moment later. */
export function unestablished(definition: KubeObject): KubeObject {
  const versions = field(definition.spec, 'versions');
  const stored = (isArray(versions) ? versions : [])
    .filter((version) => field(version, 'storage') === true)
    .map((version) => stringAt(version, 'name') ?? '');
  return withField(definition, 'status', {
    conditions: null,
    acceptedNames: { plural: '', kind: '' },
    storedVersions: stored,
  });
}

export function isEstablished(definition: KubeObject): boolean {
  const conditions = at(json(definition), 'status', 'conditions');
  return (
    isArray(conditions) &&
    conditions.some((one) => field(one, 'type') === 'Established' && field(one, 'status') === 'True')
  );
}

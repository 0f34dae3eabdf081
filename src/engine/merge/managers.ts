import { field, isArray, type Json, type JsonObject, type MutableJsonObject, put, stringAt } from '../../base/json.ts';
import { EMPTY_FIELDS, type FieldSet, parseFields, printFields } from './fields.ts';
import { withoutManagedFields } from './managed-object.ts';

/** One entry of `metadata.managedFields`, read. */
export interface Entry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time?: string;
  readonly set: FieldSet;
}
/** Entries by {@link identify}. */
export type Managers = Map<string, Entry>;

/** What tells the entries of `metadata.managedFields` apart, and their time. */
export interface ManagerKey {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly subresource?: string;
  readonly time?: string;
}

/** Identity of a manager: an applier is the same in every version. */
export function identify(entry: ManagerKey): string {
  const { manager, operation, apiVersion, subresource = '' } = entry;
  return JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource]);
}

/** Reads `metadata.managedFields`; a text is the error. */
export function decodeManagers(value: Json | undefined): Managers | string {
  const managers: Managers = new Map();
  if (value === undefined || value === null) return managers;
  if (!isArray(value)) return 'managedFields must be a list';
  for (const item of value) {
    const operation = stringAt(item, 'operation');
    if (operation !== 'Apply' && operation !== 'Update') return `invalid operation: ${operation ?? ''}`;
    const apiVersion = stringAt(item, 'apiVersion') ?? '';
    if (apiVersion === '') return 'apiVersion must not be empty';
    const fieldsType = stringAt(item, 'fieldsType') ?? '';
    if (fieldsType === '') return 'missing fieldsType in managed fields entry';
    if (fieldsType !== 'FieldsV1') return `invalid fieldsType "${fieldsType}" in managed fields entry`;
    const fields = field(item, 'fieldsV1');
    const set = fields === undefined || fields === null ? EMPTY_FIELDS : parseFields(fields);
    if (set === undefined) return 'error decoding fieldsV1';
    const time = stringAt(item, 'time');
    const entry: Entry = {
      manager: stringAt(item, 'manager') ?? '',
      operation,
      apiVersion,
      subresource: stringAt(item, 'subresource') ?? '',
      ...(time === undefined ? {} : { time }),
      set,
    };
    managers.set(identify(entry), entry);
  }
  return managers;
}

/** The order of entries in an object: appliers first, then by time. (managedfields/internal/managedfields.go sortEncodedManagedFields) */
export function compareManagers(a: ManagerKey, b: ManagerKey): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? '', b.time ?? '') ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource ?? '', b.subresource ?? '')
  );
}

/** The object with these managers as its `metadata.managedFields`. */
export function encodeManagers(object: JsonObject, managers: Managers): JsonObject {
  const entries = [...managers.values()].toSorted(compareManagers);
  const stripped = withoutManagedFields(object);
  if (entries.length === 0) return stripped;
  const metadata: MutableJsonObject = { ...(field(stripped, 'metadata') as JsonObject | undefined) };
  put(
    metadata,
    'managedFields',
    entries.map((entry) => ({
      manager: entry.manager,
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      ...(entry.time === undefined ? {} : { time: entry.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: printFields(entry.set),
      ...(entry.subresource === '' ? {} : { subresource: entry.subresource }),
    })),
  );
  return { ...stripped, metadata };
}

/** By UTF-16 units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

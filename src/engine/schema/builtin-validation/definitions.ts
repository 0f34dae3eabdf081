import { equal, field, type Json, type JsonObject } from '../../../base/json.ts';
import { compileJsonPath } from '../../jsonpath/jsonpath.ts';
import { dns1035Label, dns1123Subdomain } from '../names.ts';
import type { Schema } from '../schema.ts';
import {
  type Errors,
  each,
  forbidden,
  has,
  immutable,
  invalid,
  items,
  notSupported,
  number,
  object,
  required,
  Seen,
  text,
  texts,
} from './field-checks.ts';
import { structuralSchema } from './structural.ts';

/** (apiextensions-apiserver@0.34 pkg/apis/apiextensions/validation/validation.go) */
export function customResourceDefinition(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const names = object(spec, 'names') ?? {};
  const name = text(object(value, 'metadata'), 'name');
  if (old === undefined && name !== `${text(names, 'plural')}.${text(spec, 'group')}`) {
    errors.push(invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  }
  const unchanged = old !== undefined && equal(spec, object(old, 'spec') ?? {});
  if (!unchanged) specification(errors, spec, old === undefined ? undefined : (object(old, 'spec') ?? {}));
  if (old === undefined) storedOnCreate(errors, spec);
  else storedOnUpdate(errors, value, spec);
}

function specification(errors: Errors, spec: JsonObject, old: JsonObject | undefined): void {
  const group = text(spec, 'group');
  if (group === '') errors.push(required('spec.group'));
  else if (dns1123Subdomain(group).length > 0) each(errors, dns1123Subdomain(group), 'spec.group', group);
  else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  const scope = text(spec, 'scope');
  if (scope === '') errors.push(required('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  if (spec['preserveUnknownFields'] === true && old?.['preserveUnknownFields'] !== true) {
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
  versions(errors, spec);
  definitionNames(errors, object(spec, 'names') ?? {});
  hoisted(errors, spec);
  conversion(errors, object(spec, 'conversion') ?? {});
  if (old === undefined) return;
  immutable(errors, spec['group'], old['group'], 'spec.group');
  immutable(errors, spec['scope'], old['scope'], 'spec.scope');
  for (const key of ['kind', 'plural'])
    immutable(errors, object(spec, 'names')?.[key], object(old, 'names')?.[key], `spec.names.${key}`);
}

/** Parts that all versions have alike stand at the top in the server's own form, and are named there. */
function shared(spec: JsonObject, key: string): Json | undefined {
  const [first, ...rest] = items(spec, 'versions');
  const own = field(first, key);
  return own !== undefined && rest.every((version) => equal(field(version, key), own)) ? own : undefined;
}

function versions(errors: Errors, spec: JsonObject): void {
  const list = items(spec, 'versions');
  const seen = new Seen();
  let unique = true;
  list.forEach((version, index) => {
    const name = text(version, 'name');
    if (!seen.add(name)) unique = false;
    each(errors, dns1035Label(name), `spec.versions[${index}].name`, name);
    const schema = object(object(version, 'schema'), 'openAPIV3Schema');
    if (schema === undefined)
      errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`, 'schemas are required'));
    else if (shared(spec, 'schema') === undefined)
      structuralSchema(errors, schema as Schema, `spec.versions[${index}].schema.openAPIV3Schema`);
    if (shared(spec, 'subresources') === undefined)
      subresources(errors, object(version, 'subresources'), `spec.versions[${index}].subresources`);
    if (shared(spec, 'additionalPrinterColumns') === undefined)
      columns(errors, items(version, 'additionalPrinterColumns'), `spec.versions[${index}].additionalPrinterColumns`);
    if (shared(spec, 'selectableFields') === undefined)
      selectable(errors, version, schema, `spec.versions[${index}].selectableFields`);
  });
  const dump = list.map((version) => versionDump(version, spec));
  if (!unique) errors.push(invalid('spec.versions', dump, 'must contain unique version names'));
  if (list.filter((version) => field(version, 'storage') === true).length !== 1) {
    errors.push(invalid('spec.versions', dump, 'must have exactly one version marked as storage version'));
  }
  const first = text(list[0], 'name');
  if (list.length > 0) each(errors, dns1035Label(first), 'spec.version', first);
}

/** A version as Go prints its internal type; what is hoisted is null. */
function versionDump(version: Json, spec: JsonObject): JsonObject {
  const own = (key: string): Json => (shared(spec, key) === undefined ? (field(version, key) ?? null) : null);
  return {
    Name: text(version, 'name'),
    Served: field(version, 'served') === true,
    Storage: field(version, 'storage') === true,
    Deprecated: field(version, 'deprecated') === true,
    DeprecationWarning: field(version, 'deprecationWarning') ?? null,
    Schema: own('schema'),
    Subresources: own('subresources'),
    AdditionalPrinterColumns: own('additionalPrinterColumns'),
    SelectableFields: own('selectableFields'),
  };
}

function definitionNames(errors: Errors, names: JsonObject): void {
  for (const key of ['plural', 'singular', 'kind', 'listKind'])
    if (text(names, key) === '') errors.push(required(`spec.names.${key}`));
  for (const key of ['plural', 'singular'])
    if (text(names, key) !== '') each(errors, dns1035Label(text(names, key)), `spec.names.${key}`, text(names, key));
  for (const key of ['kind', 'listKind']) {
    const own = text(names, key);
    const wrong = own === '' ? [] : dns1035Label(own.toLowerCase());
    if (wrong.length > 0)
      errors.push(
        invalid(`spec.names.${key}`, own, `may have mixed case, but should otherwise match: ${wrong.join(',')}`),
      );
  }
  for (const key of ['shortNames', 'categories']) {
    texts(names, key).forEach((own, index) => each(errors, dns1035Label(own), `spec.names.${key}[${index}]`, own));
  }
  if (text(names, 'kind') !== '' && text(names, 'kind') === text(names, 'listKind')) {
    errors.push(invalid('spec.names.listKind', text(names, 'listKind'), 'kind and listKind may not be the same'));
  }
}

function hoisted(errors: Errors, spec: JsonObject): void {
  const schema = object({ schema: shared(spec, 'schema') ?? null }, 'schema');
  const own = object(schema, 'openAPIV3Schema');
  if (own !== undefined) structuralSchema(errors, own as Schema, 'spec.validation.openAPIV3Schema');
  const first = items(spec, 'versions')[0];
  if (shared(spec, 'subresources') !== undefined)
    subresources(errors, object(first, 'subresources'), 'spec.subresources');
  if (shared(spec, 'additionalPrinterColumns') !== undefined)
    columns(errors, items(first, 'additionalPrinterColumns'), 'spec.additionalPrinterColumns');
  if (shared(spec, 'selectableFields') !== undefined) selectable(errors, first ?? null, own, 'spec.selectableFields');
}

const SIMPLE_PATH = /^(?:\.[a-zA-Z_][\w-]*(?:\\\.[\w-]+)*)+$/;

function subresources(errors: Errors, own: JsonObject | undefined, path: string): void {
  const scale = object(own, 'scale');
  if (scale === undefined) return;
  const check = (key: string, under: string, needed: boolean): void => {
    const value = text(scale, key);
    if (value === '') {
      if (needed) errors.push(required(`${path}.scale.${key}`));
    } else if (!SIMPLE_PATH.test(value))
      errors.push(invalid(`${path}.scale.${key}`, value, 'must be a simple json path starting with .'));
    else if (!value.startsWith(`${under}.`) && !(key === 'labelSelectorPath' && value.startsWith('.spec.'))) {
      errors.push(
        invalid(
          `${path}.scale.${key}`,
          value,
          key === 'labelSelectorPath'
            ? 'should be a json path under either .spec or .status'
            : `should be a json path under ${under}`,
        ),
      );
    }
  };
  check('specReplicasPath', '.spec', true);
  check('statusReplicasPath', '.status', true);
  check('labelSelectorPath', '.status', false);
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function columns(errors: Errors, list: readonly Json[], path: string): void {
  const names = new Seen();
  list.forEach((column, index) => {
    const at = `${path}[${index}]`;
    if (text(column, 'name') === '') errors.push(required(`${at}.name`));
    else if (!names.add(text(column, 'name')))
      errors.push({
        field: `${at}.name`,
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${JSON.stringify(text(column, 'name'))}`,
      });
    const type = text(column, 'type');
    if (type === '') errors.push(required(`${at}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
    else if (!COLUMN_TYPES.includes(type))
      errors.push(invalid(`${at}.type`, type, `must be one of ${COLUMN_TYPES.join(',')}`));
    const format = text(column, 'format');
    if (format !== '' && !COLUMN_FORMATS.includes(format))
      errors.push(invalid(`${at}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    const jsonPath = text(column, 'jsonPath');
    if (jsonPath === '') errors.push(required(`${at}.JSONPath`));
    else if (!jsonPath.startsWith('.'))
      errors.push(invalid(`${at}.JSONPath`, jsonPath, 'must be a simple json path starting with .'));
    else {
      const compiled = compileJsonPath(jsonPath);
      if (!compiled.ok)
        errors.push(invalid(`${at}.JSONPath`, jsonPath, `is an invalid JSONPath: ${compiled.error.message}`));
    }
  });
}

/** At most this many, each the path of a plain string, boolean or integer. */
const MAX_SELECTABLE = 8;

function selectable(errors: Errors, version: Json, schema: JsonObject | undefined, path: string): void {
  const list = items(version, 'selectableFields');
  if (list.length > MAX_SELECTABLE)
    errors.push({
      field: path,
      reason: 'FieldValueTooMany',
      message: `Too many: ${list.length}: must have at most ${MAX_SELECTABLE} items`,
    });
  const seen = new Seen();
  list.forEach((entry, index) => {
    const at = `${path}[${index}].jsonPath`;
    const own = text(entry, 'jsonPath');
    if (own === '') {
      errors.push(required(at));
      return;
    }
    if (!own.startsWith('.')) {
      errors.push(invalid(at, own, 'must be a simple json path starting with .'));
      return;
    }
    let current: JsonObject | undefined = schema;
    for (const step of own.slice(1).split('.')) current = object(object(current, 'properties'), step);
    if (current === undefined) errors.push(invalid(at, own, 'is an invalid path: does not refer to a valid field'));
    else if (!['string', 'boolean', 'integer'].includes(text(current, 'type'))) {
      errors.push(
        invalid(
          at,
          own,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      );
    } else if (!seen.add(own))
      errors.push({ field: at, reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(own)}` });
    if (own === '.metadata.name' || own === '.metadata.namespace')
      errors.push(invalid(at, own, 'must not point to fields in metadata'));
  });
}

function conversion(errors: Errors, own: JsonObject): void {
  const strategy = text(own, 'strategy');
  if (strategy === '') errors.push(required('spec.conversion.strategy'));
  else if (strategy !== 'None' && strategy !== 'Webhook')
    errors.push(notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook']));
  const webhook = object(own, 'webhook');
  const client = object(webhook, 'clientConfig');
  if (strategy !== 'Webhook') {
    if (client !== undefined)
      errors.push(
        forbidden('spec.conversion.webhookClientConfig', 'should not be set when strategy is not set to Webhook'),
      );
    if (items(webhook, 'conversionReviewVersions').length > 0) {
      errors.push(
        forbidden('spec.conversion.conversionReviewVersions', 'should not be set when strategy is not set to Webhook'),
      );
    }
    return;
  }
  if (client === undefined)
    errors.push(required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook'));
  else {
    if (has(client, 'url') === has(client, 'service'))
      errors.push(required('spec.conversion.webhookClientConfig', 'exactly one of url or service is required'));
    const port = number(object(client, 'service'), 'port');
    if (port !== undefined && (port < 1 || port > 65_535))
      errors.push(
        invalid(
          'spec.conversion.webhookClientConfig.service.port',
          port,
          'port is not valid: must be between 1 and 65535, inclusive',
        ),
      );
  }
  if (texts(webhook, 'conversionReviewVersions').length === 0)
    errors.push(required('spec.conversion.conversionReviewVersions'));
}

/** A new definition stores what its first storage version says. */
function storedOnCreate(errors: Errors, spec: JsonObject): void {
  const storage = items(spec, 'versions')
    .filter((version) => field(version, 'storage') === true)
    .map((version) => text(version, 'name'));
  const last = storage.at(-1);
  if (last !== undefined && storage[0] !== last)
    errors.push(invalid('status.storedVersions', [storage[0] as string], `must have the storage version ${last}`));
}

function storedOnUpdate(errors: Errors, value: JsonObject, spec: JsonObject): void {
  const known = new Set(items(spec, 'versions').map((version) => text(version, 'name')));
  texts(object(value, 'status'), 'storedVersions').forEach((version, index) => {
    if (!known.has(version)) {
      errors.push(
        invalid(
          `status.storedVersions[${index}]`,
          version,
          `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
        ),
      );
    }
  });
}

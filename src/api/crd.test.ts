import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../base/json.ts';
import { at, equal, isObject } from '../base/json.ts';
import { crdOf, structural } from './crd.ts';
import { kinds } from './kinds/all.ts';

const here = dirname(fileURLToPath(import.meta.url));

/** The flat form in which the reference lists a CRD's fields: one row per path, `[]` for items, `*` for map values. */
function flatten(schema: JsonObject, path: string, required: boolean | undefined): JsonObject[] {
  const row: Record<string, Json> = { path: path === '' ? '.' : path, type: schema['type'] as string };
  if (required !== undefined) row['required'] = required;
  for (const key of ['enum', 'default', 'pattern', 'format', 'minLength', 'maxLength', 'minimum', 'maximum']) {
    if (schema[key] !== undefined) row[key] = schema[key] as Json;
  }
  const rules = schema['x-kubernetes-validations'];
  if (rules !== undefined) row['cel'] = rules;
  const items = schema['items'] as JsonObject | undefined;
  const values = schema['additionalProperties'] as JsonObject | undefined;
  if (items !== undefined) row['itemsType'] = items['type'] as string;
  if (values !== undefined) row['valuesType'] = values['type'] as string;
  const rows: JsonObject[] = [row];
  const names = isObject(schema['properties']) ? Object.keys(schema['properties']) : [];
  const needed = (schema['required'] as readonly string[] | undefined) ?? [];
  for (const name of names) {
    const property = at(schema, 'properties', name) as JsonObject;
    rows.push(...flatten(property, path === '' ? name : `${path}.${name}`, needed.includes(name)));
  }
  if (items !== undefined) rows.push(...flatten(items, `${path}[]`, undefined));
  if (values !== undefined) rows.push(...flatten(values, `${path}.*`, undefined));
  return rows;
}

/** Optional fields that users asked for and Flux does not have (ADR 0009): an object of Flux's is one of ours. */
const OWN_FIELDS = new Set(['spec.dependsOn[].apiVersion', 'spec.dependsOn[].kind']);

/** What the reference says of one kind and what our CRD has, in one shape. */
function summary(crd: JsonObject): JsonObject {
  const names = at(crd, 'spec', 'names') as JsonObject;
  const version = (at(crd, 'spec', 'versions') as readonly JsonObject[])[0] as JsonObject;
  return {
    group: at(crd, 'spec', 'group') as string,
    kind: names['kind'] as string,
    listKind: names['listKind'] as string,
    plural: names['plural'] as string,
    singular: names['singular'] as string,
    shortNames: names['shortNames'] ?? [],
    categories: names['categories'] ?? [],
    scope: at(crd, 'spec', 'scope') as string,
    crdName: at(crd, 'metadata', 'name') as string,
    version: version['name'] as string,
    subresources: version['subresources'] as JsonObject,
    printerColumns: version['additionalPrinterColumns'] as Json,
    fields: flatten(at(version, 'schema', 'openAPIV3Schema') as JsonObject, '', undefined).filter(
      (row) => !OWN_FIELDS.has(row['path'] as string) || row['required'] === true,
    ),
  };
}

/** The reference data when this machine has it, else the golden that was made of it. */
function expected(kind: string): { readonly from: string; readonly value: JsonObject } {
  const configured = process.env['WEIR_CONFORMANCE_DIR'];
  const conformance = configured ?? join(here, '../../../shared/conformance');
  const file = join(conformance, '../reference/flux-api.json');
  const golden = join(here, `kinds/testdata/${kind}.json`);
  if (!existsSync(file)) return { from: golden, value: JSON.parse(readFileSync(golden, 'utf8')) as JsonObject };
  const all = JSON.parse(readFileSync(file, 'utf8')) as { readonly kinds: readonly JsonObject[] };
  const entry = all.kinds.find((other) => other['kind'] === kind && other['family'] === 'flux') as JsonObject;
  const version = (entry['versions'] as readonly JsonObject[])[0] as JsonObject;
  const keys = ['group', 'kind', 'listKind', 'plural', 'singular', 'shortNames', 'categories', 'scope', 'crdName'];
  const value: JsonObject = {
    ...Object.fromEntries(keys.map((key) => [key, entry[key] as Json])),
    version: version['name'] as string,
    subresources: version['subresources'] as Json,
    printerColumns: version['printerColumns'] as Json,
    fields: version['fields'] as Json,
  };
  return { from: file, value };
}

function byPath(fields: Json | undefined): ReadonlyMap<string, JsonObject> {
  return new Map((fields as readonly JsonObject[]).map((row) => [row['path'] as string, row]));
}

describe.each(kinds.map((kind) => [kind.kind, kind] as const))('the CRD of %s', (name, kind) => {
  const crd = JSON.parse(JSON.stringify(crdOf(kind))) as JsonObject;
  const ours = summary(crd);
  const { value: theirs } = expected(name);

  test('has the names, scope, columns and subresources of Flux', () => {
    expect({ ...ours, fields: [] }).toEqual({ ...theirs, fields: [] });
  });

  test('has the fields of Flux, with the same types, constraints and defaults', () => {
    const wanted = byPath(theirs['fields']);
    const have = byPath(ours['fields']);
    expect([...have.keys()].sort()).toEqual([...wanted.keys()].sort());
    expect(Object.fromEntries(have)).toEqual(Object.fromEntries(wanted));
  });

  test('is what the golden says, so that a machine without the reference checks the same', async () => {
    await expect(`${JSON.stringify(ours, null, 1)}\n`).toMatchFileSnapshot(join(here, `kinds/testdata/${name}.json`));
  });

  test('describes every field', () => {
    const undescribed: string[] = [];
    const visit = (schema: JsonObject, path: string): void => {
      if (schema['description'] === undefined) undescribed.push(path);
      for (const [key, property] of Object.entries((schema['properties'] ?? {}) as Record<string, JsonObject>)) {
        visit(property, `${path}.${key}`);
      }
      const items = schema['items'];
      if (isObject(items) && items['type'] === 'object') visit(items, `${path}[]`);
    };
    visit(structural(kind.specSchema as unknown as Json), 'spec');
    visit(structural(kind.statusSchema as unknown as Json), 'status');
    expect(undescribed).toEqual([]);
  });
});

describe('structural', () => {
  test('turns a record into additionalProperties', () => {
    const schema = { type: 'object', patternProperties: { '^.*$': { type: 'string' } } };
    expect(structural(schema)).toEqual({ type: 'object', additionalProperties: { type: 'string' } });
  });

  test('refuses a keyword that the API server would not take', () => {
    expect(() => structural({ type: 'object', oneOf: [] })).toThrow('the schema keyword oneOf has no structural form');
  });

  test('sorts required names and properties', () => {
    const schema = {
      type: 'object',
      required: ['b', 'a'],
      properties: { b: { type: 'string' }, a: { type: 'string' } },
    };
    expect(equal(structural(schema)['required'] as Json, ['a', 'b'])).toBe(true);
    expect(Object.keys(structural(schema)['properties'] as JsonObject)).toEqual(['a', 'b']);
  });
});

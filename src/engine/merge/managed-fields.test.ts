import { describe, expect, it } from 'vitest';
import { at, type JsonObject } from '../../base/json.ts';
import { NO_REFERENCES, type Schema } from '../schema/schema.ts';
import { applyServerSide, resetFieldsOf, trackUpdate } from './managed-fields.ts';

const text: Schema = { type: 'string' };
const schema: Schema = {
  type: 'object',
  properties: {
    apiVersion: text,
    kind: text,
    metadata: { type: 'object', properties: { name: text, labels: { type: 'object', additionalProperties: text } } },
    data: { type: 'object', additionalProperties: text },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: {
        type: 'object',
        properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, name: text },
      },
    },
    status: { type: 'object', properties: { phase: text } },
  },
};
const context = { schema, resolve: NO_REFERENCES, apiVersion: 'v1' };
const thing = (rest: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'T', metadata: { name: 't' }, ...rest });

function apply(
  live: JsonObject | undefined,
  manager: string,
  rest: JsonObject,
  time: string,
  force = false,
): JsonObject | string {
  const result = applyServerSide({ ...context, live, applied: thing(rest), manager, force, time });
  return result.ok ? result.value.object : result.error.message;
}
function applied(
  live: JsonObject | undefined,
  manager: string,
  rest: JsonObject,
  time: string,
  force = false,
): JsonObject {
  const out = apply(live, manager, rest, time, force);
  if (typeof out === 'string') throw new Error(out);
  return out;
}

describe('server-side apply', () => {
  it('owns what it set, and removes what it no longer sets', () => {
    const first = applied(undefined, 'one', { data: { a: '1', b: '2' } }, '2020-01-01T00:00:00Z');
    const second = applied(first, 'one', { data: { a: '1' } }, '2020-01-01T00:00:01Z');
    expect(second['data']).toEqual({ a: '1' });
    expect(at(second, 'metadata', 'managedFields')).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time: '2020-01-01T00:00:01Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} } },
      },
    ]);
  });

  it('keeps a field that another manager owns too', () => {
    const one = applied(undefined, 'one', { data: { a: '1' } }, '1');
    const both = applied(one, 'two', { data: { a: '1' } }, '2');
    expect(applied(both, 'one', {}, '3')['data']).toEqual({ a: '1' });
  });

  it('names conflicts by manager and field, and takes over when forced', () => {
    const one = applied(undefined, 'one', { data: { a: '1' } }, '1');
    expect(apply(one, 'two', { data: { a: '2' } }, '2')).toBe(
      'Apply failed with 1 conflict: conflict with "one": .data.a',
    );
    const forced = applied(one, 'two', { data: { a: '2' } }, '2', true);
    expect((at(forced, 'metadata', 'managedFields') as JsonObject[]).map((entry) => entry['manager'])).toEqual(['two']);
  });

  it('tells items of a map list apart by their keys, defaults included', () => {
    const one = applied(undefined, 'one', { ports: [{ port: 80, name: 'a' }] }, '1');
    const two = applied(one, 'two', { ports: [{ port: 80, protocol: 'UDP', name: 'b' }] }, '2');
    expect(two['ports']).toEqual([
      { port: 80, name: 'a' },
      { port: 80, protocol: 'UDP', name: 'b' },
    ]);
    expect(apply(two, 'three', { ports: [{ port: 80, name: 'c' }] }, '3')).toContain(
      '.ports[port=80,protocol="TCP"].name',
    );
  });

  it('leaves the time of a manager whose apply changes nothing', () => {
    const one = applied(undefined, 'one', { data: { a: '1' } }, '1');
    expect(applied(one, 'one', { data: { a: '1' } }, '2')).toEqual(one);
  });

  it.each<[string, JsonObject, string]>([
    [
      'an unknown field',
      { bogus: 1 },
      'failed to create typed patch object (/t; /v1, Kind=T): .bogus: field not declared in schema',
    ],
    [
      'a wrong scalar',
      { data: { a: 1 } },
      'failed to create typed patch object (/t; /v1, Kind=T): .data.a: expected string, got &value.valueUnstructured{Value:1}',
    ],
    [
      'an item twice',
      { ports: [{ port: 1 }, { port: 1 }] },
      'failed to create typed patch object (/t; /v1, Kind=T): .ports: duplicate entries for key [port=1,protocol="TCP"]',
    ],
  ])('refuses %s', (_what, rest, message) => {
    expect(apply(undefined, 'one', rest, '1')).toBe(message);
  });
});

describe('updates', () => {
  it('take from other managers what they change', () => {
    const one = applied(undefined, 'one', { data: { a: '1', b: '1' } }, '1');
    const after = trackUpdate({
      ...context,
      before: one,
      after: { ...one, data: { a: '2', b: '1' } },
      manager: 'edit',
      time: '2',
    });
    expect(at(after, 'metadata', 'managedFields')).toMatchObject([
      { manager: 'one', operation: 'Apply', fieldsV1: { 'f:data': { 'f:b': {} } } },
      { manager: 'edit', operation: 'Update', fieldsV1: { 'f:data': { 'f:a': {} } } },
    ]);
  });

  it('never own what their strategy resets', () => {
    const after = trackUpdate({
      ...context,
      before: undefined,
      after: thing({ status: { phase: 'x' }, data: { a: '1' } }),
      manager: 'edit',
      time: '1',
      resetFields: resetFieldsOf('status'),
    });
    expect(at(after, 'metadata', 'managedFields')).toMatchObject([{ fieldsV1: { 'f:data': { '.': {}, 'f:a': {} } } }]);
  });

  it('forget all managers when the client sends one empty entry', () => {
    const one = applied(undefined, 'one', { data: { a: '1' } }, '1');
    const cleared = { ...one, metadata: { name: 't', managedFields: [{}] } };
    const after = trackUpdate({ ...context, before: one, after: cleared, manager: 'edit', time: '2' });
    expect(at(after, 'metadata', 'managedFields')).toBeUndefined();
  });
});

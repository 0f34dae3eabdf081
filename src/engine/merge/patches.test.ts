import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../base/json.ts';
import { NO_REFERENCES, type Schema } from '../schema/schema.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

describe('JSON patch', () => {
  const document: Json = { a: { b: 1 }, list: ['x', 'y'] };
  it.each<[string, Json, Json]>([
    ['adds', [{ op: 'add', path: '/a/c', value: 2 }], { a: { b: 1, c: 2 }, list: ['x', 'y'] }],
    [
      'counts negative indices from the end',
      [{ op: 'replace', path: '/list/-1', value: 'z' }],
      { a: { b: 1 }, list: ['x', 'z'] },
    ],
    ['appends', [{ op: 'add', path: '/list/-', value: 'z' }], { a: { b: 1 }, list: ['x', 'y', 'z'] }],
    ['drops what stands before the first slash', [{ op: 'remove', path: 'any/a' }], { list: ['x', 'y'] }],
    ['passes a test for null on a missing key', [{ op: 'test', path: '/zz', value: null }], document],
    [
      'keeps __proto__ as a key',
      [{ op: 'add', path: '/__proto__', value: 1 }],
      JSON.parse('{"a":{"b":1},"list":["x","y"],"__proto__":1}') as Json,
    ],
    ['refuses an index beyond the end', [{ op: 'add', path: '/list/9', value: 1 }], 'refused'],
    ['refuses to remove what is not there', [{ op: 'remove', path: '/zz' }], 'refused'],
    ['refuses an unknown operation', [{ op: 'frobnicate', path: '/a' }], 'refused'],
  ])('%s', (_what, patch, expected) => {
    const result = applyJsonPatch(document, patch);
    expect(result.ok ? result.value : 'refused').toEqual(expected);
    expect(document).toEqual({ a: { b: 1 }, list: ['x', 'y'] });
  });

  it('has an end: more than 10,000 operations are too many', () => {
    const result = applyJsonPatch(
      {},
      Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: null })),
    );
    expect(result.ok ? '' : result.error.code).toBe('too-many');
  });
});

it('a merge patch removes by null and replaces lists', () => {
  expect(applyMergePatch({ a: { b: 1, c: 2 }, l: [1] }, { a: { b: null }, l: [2, 3] })).toEqual({
    a: { c: 2 },
    l: [2, 3],
  });
});

describe('strategic merge', () => {
  const item: Schema = { type: 'object', properties: { name: { type: 'string' }, image: { type: 'string' } } };
  const schema: Schema = {
    type: 'object',
    properties: {
      containers: {
        type: 'array',
        items: item,
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'name',
      },
      finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
      args: { type: 'array', items: { type: 'string' } },
      strategy: { type: 'object', properties: { type: { type: 'string' }, rolling: { type: 'object' } } },
    },
  };
  const original: JsonObject = {
    containers: [
      { name: 'a', image: '1' },
      { name: 'b', image: '1' },
    ],
    finalizers: ['x', 'y'],
    args: ['1'],
    strategy: { type: 'R', rolling: {} },
  };
  it.each<[string, JsonObject, JsonObject | string]>([
    [
      'merges items by key',
      { containers: [{ name: 'b', image: '2' }] },
      {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '2' },
        ],
      },
    ],
    ['deletes an item', { containers: [{ name: 'a', $patch: 'delete' }] }, { containers: [{ name: 'b', image: '1' }] }],
    [
      'replaces a list when told so',
      { containers: [{ $patch: 'replace' }, { name: 'c' }] },
      { containers: [{ name: 'c' }] },
    ],
    [
      'orders items',
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
      {
        containers: [
          { name: 'b', image: '1' },
          { name: 'a', image: '1' },
        ],
      },
    ],
    ['merges primitive lists without doubles', { finalizers: ['y', 'z'] }, { finalizers: ['x', 'y', 'z'] }],
    ['deletes from a primitive list', { '$deleteFromPrimitiveList/finalizers': ['x'] }, { finalizers: ['y'] }],
    ['replaces other lists', { args: ['2'] }, { args: ['2'] }],
    ['retains only the keys named', { strategy: { $retainKeys: ['type'], type: 'Q' } }, { strategy: { type: 'Q' } }],
    [
      'refuses a directive it does not know',
      { strategy: { $patch: 'explode' } },
      'unknown patch type: explode in map: map[$patch:explode]',
    ],
    [
      'refuses keys that it does not retain',
      { strategy: { $retainKeys: ['type'], rolling: {} } },
      'invalid patch format of retainKeys',
    ],
  ])('%s', (_what, patch, expected) => {
    const result = applyStrategicMerge(original, patch, schema, NO_REFERENCES);
    expect(result.ok ? result.value : result.error.message).toEqual(
      typeof expected === 'string' ? expected : { ...original, ...expected },
    );
  });
});

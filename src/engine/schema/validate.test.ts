import { describe, expect, it } from 'vitest';
import type { Json } from '../../base/json.ts';
import { applyDefaults } from './defaults.ts';
import type { Schema } from './schema.ts';
import { validate } from './validate.ts';

/** Answers of a kube-apiserver 1.34.1 to custom resources. */
describe('a custom resource', () => {
  const embedded: Schema = { type: 'object', 'x-kubernetes-embedded-resource': true };

  it.each<[string, Schema, Json, readonly string[]]>([
    ['needs a version in an embedded resource', embedded, { kind: 'Pod' }, ['a.apiVersion: Required value']],
    [
      'is refused versions and kinds that are none in an embedded resource',
      embedded,
      { apiVersion: 'a/b/c', kind: '' },
      [
        'a.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        'a.kind: Invalid value: "": must not be empty',
      ],
    ],
    [
      'is told only the first that is wrong with a text',
      { type: 'string', minLength: 2, pattern: '^[a-z]+$' },
      'A',
      ['a: Invalid value: "A": a in body should be at least 2 chars long'],
    ],
    [
      'has no formats of numbers',
      { type: 'integer', format: 'int32' },
      1.5,
      ['a: Invalid value: "number": a in body must be of type integer: "number"'],
    ],
    [
      'has its whole numbers divided by whole numbers',
      { type: 'number', multipleOf: 0.5 },
      2,
      ['a: Invalid value: 0: factor MultipleOf declared for a must be positive: 0'],
    ],
  ])('%s', (_, schema, value, want) => {
    const found = validate({ a: value }, { type: 'object', properties: { a: schema } });
    expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
  });

  it('loses the nulls of fields that are not nullable, and no others', () => {
    const schema: Schema = {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string', nullable: true }, c: { type: 'array', items: {} } },
    };
    expect(applyDefaults({ a: null, b: null, c: [null] }, schema)).toEqual({ b: null, c: [null] });
  });
});

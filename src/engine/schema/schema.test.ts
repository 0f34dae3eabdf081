import { describe, expect, it } from 'vitest';
import type { Json } from '../../base/json.ts';
import { applyDefaults } from './defaults.ts';
import { pruneUnknown } from './prune.ts';
import { canonicalQuantity, compareQuantities, parseQuantity } from './quantity.ts';
import { blockingError, validateRules } from './rules.ts';
import type { Schema } from './schema.ts';
import { validate } from './validate.ts';

const object = (properties: { [name: string]: Schema }, rest: Partial<Schema> = {}): Schema => ({
  type: 'object',
  properties,
  ...rest,
});
const spec = (schema: Schema): Schema => object({ spec: schema });

describe('defaults', () => {
  const schema = spec(
    object({
      a: { type: 'integer', default: 5 },
      n: { type: 'string', nullable: true, default: 'z' },
      o: object({ x: { type: 'string', default: 'd' } }, { default: { x: 'e' } }),
      l: { type: 'array', items: object({ x: { type: 'integer', default: 1 } }) },
    }),
  );
  it.each<[string, Json, Json]>([
    ['no parent, no default', {}, {}],
    ['missing fields', { spec: {} }, { spec: { a: 5, n: 'z', o: { x: 'e' } } }],
    [
      'nulls that are not allowed',
      { spec: { a: null, n: null, o: {}, l: [{}] } },
      { spec: { a: 5, n: null, o: { x: 'd' }, l: [{ x: 1 }] } },
    ],
  ])('%s', (_what, value, expected) => {
    expect(applyDefaults(value, schema)).toEqual(expected);
  });
});

it('pruning reports what it drops in order, metadata of embedded resources last', () => {
  const schema = spec(
    object({
      a: { type: 'integer' },
      free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      emb: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: {} },
    }),
  );
  const value = {
    kind: 'K',
    spec: { b: 1, a: 1, free: { q: 1 }, emb: { kind: 'E', junk: 1, metadata: { name: 'n', zz: 1 } } },
    extra: 1,
  };
  expect(pruneUnknown(value, schema)).toEqual({
    value: { kind: 'K', spec: { a: 1, free: { q: 1 }, emb: { kind: 'E', metadata: { name: 'n' } } } },
    unknown: ['extra', 'spec.b', 'spec.emb.junk', 'spec.emb.metadata.zz'],
  });
});

describe('validation', () => {
  it.each<[Schema, Json, string]>([
    [
      { type: 'integer', minimum: 1 },
      0,
      'spec.v: Invalid value: 0: spec.v in body should be greater than or equal to 1',
    ],
    [
      { type: 'integer', minimum: 1, exclusiveMinimum: true },
      1,
      'spec.v: Invalid value: 1: spec.v in body should be greater than 1',
    ],
    [{ type: 'string', maxLength: 4 }, 'xxxxx', 'spec.v: Too long: may not be more than 4 bytes'],
    [
      { type: 'string', pattern: '^[a-z]+$' },
      'A1',
      `spec.v: Invalid value: "A1": spec.v in body should match '^[a-z]+$'`,
    ],
    [{ type: 'string', enum: ['a', 'b'] }, 'c', 'spec.v: Unsupported value: "c": supported values: "a", "b"'],
    [
      { type: 'string', format: 'ipv4' },
      '1.2.3',
      'spec.v: Invalid value: "1.2.3": spec.v in body must be of type ipv4: "1.2.3"',
    ],
    [
      { type: 'string', format: 'duration' },
      5,
      'spec.v: Invalid value: "int64": spec.v in body must be of type duration: "int64"',
    ],
    [
      { 'x-kubernetes-int-or-string': true },
      1.5,
      'spec.v: Invalid value: "number": spec.v in body must be of type integer,string: "number"',
    ],
    [
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      ['a', 'a'],
      'spec.v[1]: Duplicate value: "a"',
    ],
    [
      { type: 'array', items: { type: 'string' }, maxItems: 1 },
      ['a', 'b'],
      'spec.v: Too many: 2: must have at most 1 items',
    ],
    [object({ a: { type: 'integer' } }, { required: ['a'] }), {}, 'spec.v.a: Required value'],
    [
      { type: 'integer', not: { enum: [5] } },
      5,
      '<nil>: Invalid value: "": "spec.v" must not validate the schema (not)',
    ],
  ])('%j', (schema, value, expected) => {
    const errors = validate({ spec: { v: value } }, spec(object({ v: schema })));
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([expected]);
  });

  it('lets through what was wrong before and did not change', () => {
    const schema = spec(object({ s: { type: 'string', pattern: '^a$' }, t: { type: 'integer' } }));
    const old = { spec: { s: 'bad', t: 1 } };
    expect(validate({ spec: { s: 'bad', t: 2 } }, schema, { old })).toEqual([]);
    expect(validate({ spec: { s: 'worse', t: 1 } }, schema, { old })).toHaveLength(1);
  });
});

describe('CEL rules', () => {
  const schema = spec(
    object(
      {
        a: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'only up' }] },
        b: { type: 'integer' },
      },
      {
        'x-kubernetes-validations': [
          { rule: 'self.a < 10', message: 'small', reason: 'FieldValueForbidden', fieldPath: '.a' },
          { rule: '!has(self.b) || self.b > 5', messageExpression: "'b is ' + string(self.b)" },
        ],
      },
    ),
  );
  it.each<[string, Json, Json | undefined, string[]]>([
    ['hold', { spec: { a: 1 } }, undefined, []],
    [
      'fail with reason, path and message',
      { spec: { a: 50, b: 1 } },
      undefined,
      ['spec.a: Forbidden: small', 'spec: Invalid value: "object": b is 1'],
    ],
    [
      'compare with the old value',
      { spec: { a: 4 } },
      { spec: { a: 5 } },
      ['spec.a: Invalid value: "integer": only up'],
    ],
  ])('%s', (_what, value, old, expected) => {
    const errors = validateRules(value, schema, old === undefined ? {} : { old });
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(expected);
  });

  it('end at the budget of the whole object', () => {
    const dear = spec(
      object({
        l: {
          type: 'array',
          items: { type: 'integer' },
          'x-kubernetes-validations': [{ rule: 'self.all(a, self.all(b, a <= b || a > b))' }],
        },
      }),
    );
    const errors = validateRules({ spec: { l: Array.from({ length: 100 }, (_, index) => index) } }, dear, {
      costBudget: 1000,
    });
    expect(errors[0]?.message).toContain('running out of cost budget');
  });

  it('are not asked of an object of the wrong shape', () => {
    expect(blockingError(validate({ spec: { a: 'x' } }, schema))?.message).toContain(
      'some validation rules were not checked',
    );
  });
});

describe('quantities', () => {
  it.each([
    ['0.5', '500m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1000m', '1'],
    ['1e3', '1e3'],
    ['2000', '2k'],
    ['-1Gi', '-1Gi'],
    ['0.0000000001', '1n'],
    ['100Ki', '100Ki'],
    ['1.1Ki', '1126400m'],
    ['12E', '12E'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each(['', 'abc', '1.2.3', '1 Gi', '1e99999', '9'.repeat(200)])('%j is none', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it('compare by value', () => {
    const [a, b] = [parseQuantity('1Gi'), parseQuantity('1073741824')];
    expect(a !== undefined && b !== undefined && compareQuantities(a, b)).toBe(0);
  });
});

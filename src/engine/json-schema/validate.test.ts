import { describe, expect, it } from 'vitest';
import type { Json } from '../../base/json.ts';
import { printIssues } from './issue.ts';
import { validate } from './validate.ts';

const D4 = 'http://json-schema.org/draft-04/schema#';
const D7 = 'http://json-schema.org/draft-07/schema#';
const D19 = 'https://json-schema.org/draft/2019-09/schema';

/** For schemas with a key that must not be written in a program. */
function parse(text: string): Json {
  return JSON.parse(text) as Json;
}

function said(schema: Json, value: Json): string {
  const found = validate(schema, value);
  return found.ok ? printIssues(found.value) : found.error;
}

/** Texts as santhosh-tekuri/jsonschema 6.0.2 in helm 4.1.4 prints them; tests/peers/helm-template compares more. */
describe('a schema', () => {
  it.each<[Json, Json, string]>([
    [true, 1, ''],
    [false, 1, "- at '': false schema"],
    [{ type: 'integer' }, 1.5, "- at '': got number, want integer"],
    [{ type: 'integer' }, 1.0, ''],
    [{ type: ['string', 'null'] }, 1, "- at '': got number, want null or string"],
    [{ enum: ['a', "b'"] }, 'c', "- at '': value must be one of 'a', 'b\\''"],
    [{ enum: [{ a: 1 }] }, 'c', "- at '': 'enum' failed"],
    [{ const: null }, 1, "- at '': value must be <nil>"],
    [{ minimum: 1000 }, 1, "- at '': minimum: got 1, want 1,000"],
    [{ $schema: D4, minimum: 1, exclusiveMinimum: true }, 1, "- at '': exclusiveMinimum: got 1, want 1"],
    [{ multipleOf: 0.1 }, 0.3, ''],
    [{ multipleOf: 0.1 }, 0.35, "- at '': multipleOf: got 0.35, want 0.1"],
    [{ maxLength: 1 }, '\u{1f600}', ''],
    [{ pattern: '^a' }, 'b', "- at '': 'b' does not match pattern '^a'"],
    [{ required: ['a', 'b'] }, {}, "- at '': missing properties 'a', 'b'"],
    [
      { additionalProperties: false, properties: { a: true } },
      { a: 1, c: 1, b: 1 },
      "- at '': additional properties 'b', 'c' not allowed",
    ],
    [{ patternProperties: { '^x': { type: 'string' } } }, { 'x/y~': 1 }, "- at '/x~1y~0': got number, want string"],
    [
      { propertyNames: { maxLength: 1 } },
      { ab: 1 },
      "- at '': invalid propertyName 'ab'\n  - at '': maxLength: got 2, want 1",
    ],
    [{ dependentRequired: { a: ['b'] } }, { a: 1 }, "- at '': properties 'b' required, if 'a' exists"],
    [{ items: { type: 'string' } }, ['a', 1], "- at '/1': got number, want string"],
    [
      { $schema: D7, items: [true], additionalItems: false },
      [1, 2, 3],
      "- at '': last 2 additionalItem(s) not allowed",
    ],
    [{ uniqueItems: true }, [1, 2, 1], "- at '': items at 0 and 2 are equal"],
    [{ contains: { const: 1 } }, [2], "- at '': no items match contains schema\n  - at '/0': value must be 1"],
    [
      { anyOf: [{ type: 'string' }, { minimum: 2 }] },
      1,
      "- at '': 'anyOf' failed\n  - at '': got number, want string\n  - at '': minimum: got 1, want 2",
    ],
    [{ oneOf: [true, true] }, 1, "- at '': 'oneOf' failed, subschemas 0, 1 matched"],
    [{ not: {} }, 1, "- at '': 'not' failed"],
    [
      parse('{"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}'),
      1,
      "- at '': minimum: got 1, want 2",
    ],
    [{ $schema: D7, format: 'ipv4' }, '1.2.3', "- at '': '1.2.3' is not valid ipv4: invalid ipv4 address"],
    [{ format: 'ipv4' }, '1.2.3', ''],
    [{ $defs: { s: { type: 'string' } }, $ref: '#/$defs/s' }, 1, "- at '': got number, want string"],
    [{ $schema: D7, definitions: { s: { type: 'string' } }, $ref: '#/definitions/s', minimum: 5 }, 'x', ''],
    [
      { $id: 'https://a.example/x/', $defs: { s: { $id: 'y', type: 'string' } }, $ref: 'y' },
      1,
      "- at '': got number, want string",
    ],
    [{ $defs: { s: { $anchor: 'here', type: 'string' } }, $ref: '#here' }, 1, "- at '': got number, want string"],
    [
      { $schema: D19, allOf: [{ properties: { a: true } }], unevaluatedProperties: false },
      { a: 1, b: 1 },
      "- at '/b': false schema",
    ],
    [{ prefixItems: [true], unevaluatedItems: false }, [1, 2], "- at '/1': false schema"],
    [
      { properties: { a: { properties: { b: { type: 'string' } }, required: ['c'] } } },
      { a: { b: 1 } },
      "- at '/a': missing property 'c'\n- at '/a/b': got number, want string",
    ],
  ])('%j says of %j', (schema, value, want) => {
    expect(said(schema, value)).toBe(want);
  });
});

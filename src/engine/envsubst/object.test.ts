import { expect, it } from 'vitest';
import { substituteObject } from './object.ts';

const read = (value: string, variable: string): unknown => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: value } };
  const result = substituteObject(object, { variables: new Map([['U', variable]]), strict: true, always: false });
  return result.ok ? (result.value['data'] as Record<string, unknown>)['a'] : result.error.message;
};

it.each([
  ['${U:1:2}', 'h\u00e9llo', '\u00e9'],
  ['${U:1:1}', 'h\u00e9llo', 'envsubst error: YAMLToJSON: yaml: invalid trailing UTF-8 octet'],
  ['${U:0:2}', 'h\u00e9llo', 'envsubst error: YAMLToJSON: yaml: invalid trailing UTF-8 octet'],
  ['${U:0:9}', 'a\ufffdb', 'a\ufffdb'],
])('bytes %s of %s: %s', (expression, variable, value) => {
  expect(read(expression, variable)).toBe(value);
});

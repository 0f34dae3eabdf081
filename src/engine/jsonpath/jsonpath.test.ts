import { expect, it } from 'vitest';
import type { Json } from '../../base/json.ts';
import { compileJsonPath, findAll } from './jsonpath.ts';

const value: Json = {
  metadata: { labels: { 'a.b/c': 'x' } },
  spec: {
    list: [1, 2, 3],
    items: [
      { name: 'a', n: 1 },
      { name: 'b', n: 2 },
    ],
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
};

it.each<[string, Json[] | 'refused']>([
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  ["{.status.conditions[?(@.type == 'Other')].status}", ['False']],
  ['.metadata.labels.a\\.b/c', ['x']],
  [".metadata.labels['a.b/c']", ['x']],
  ['.spec.list[-1]', [3]],
  ['.spec.list[0:2]', [1, 2]],
  ['.spec.list[*]', [1, 2, 3]],
  ['.spec.items[*].name', ['a', 'b']],
  ['.spec.items[?(@.n>1)].name', ['b']],
  ['..type', ['Ready', 'Other']],
  ['.spec.nothing.at.all', []],
  ['.spec.list[', 'refused'],
  ['.spec[?(@.a==', 'refused'],
])('%s', (path, expected) => {
  const compiled = compileJsonPath(path);
  expect(compiled.ok ? findAll(compiled.value, value) : 'refused').toEqual(expected);
});

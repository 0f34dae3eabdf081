import { expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { field, type JsonObject } from '../base/json.ts';
import { adoptIgnored, type IgnoreSpec, ignoreRules } from './ignore-rules.ts';

const object = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'team', labels: { tier: 'a' }, annotations: { n: '1' } },
};

it.each<[NonNullable<IgnoreSpec['target']>, boolean]>([
  [{}, true],
  [{ kind: 'Deploy.*' }, true],
  [{ kind: 'Deploy' }, false],
  [{ name: 'we.' }, true],
  [{ namespace: 'other' }, false],
  [{ group: 'apps', version: 'v1' }, true],
  [{ labelSelector: 'tier in (a,b),!x' }, true],
  [{ labelSelector: 'tier!=a' }, false],
  [{ annotationSelector: 'n=1' }, true],
  [{ annotationSelector: 'n notin (1)' }, false],
])('target %j fits: %s', (target, fits) => {
  const rules = ignoreRules([{ paths: ['/spec'], target }]);
  expect(rules.ok && rules.value[0]?.matches(object)).toBe(fits);
});

it.each<[NonNullable<IgnoreSpec['target']>, string]>([
  [{ name: '(' }, 'invalid name regex: error parsing regexp: missing closing ): `^(?:()$`'],
  [{ group: '*' }, 'invalid group regex: error parsing regexp: missing argument to repetition operator: `*`'],
  [{ labelSelector: 'a===' }, "invalid label selector: unable to parse requirement: found '=', expected: identifier"],
  [
    { annotationSelector: 'a in b' },
    "invalid annotation selector: unable to parse requirement: found 'b' expected: '('",
  ],
])('target %j cannot be read: %s', (target, message) => {
  expect(ignoreRules([{ paths: ['/spec'], target }])).toEqual({
    ok: false,
    error: `failed to create ignore rule selector: ${message}`,
  });
});

const config = (data: object, by: readonly string[] = []): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'c',
      managedFields: by.map((manager) => ({ manager, operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {} } } })),
    },
    data,
  }) as unknown as KubeObject;

it.each<[string, string, { live: KubeObject; dryRun: KubeObject }, unknown]>([
  ['takes its live value', '/data/a', { live: config({ a: '2' }), dryRun: config({ a: '1' }) }, { a: '2' }],
  [
    'is left to the applier that owns it',
    '/data/a',
    { live: config({ a: '2' }, ['other']), dryRun: config({ a: '1' }) },
    {},
  ],
  [
    'that applying leaves as it is is sent as it is wanted: what others put beside it stays theirs',
    '/data',
    { live: config({ a: '1', b: '2' }), dryRun: config({ a: '1', b: '2' }) },
    { a: '1' },
  ],
])('an ignored field %s', (_, path, states, data) => {
  const rules = ignoreRules([{ paths: [path] }]);
  const options = { ignore: rules.ok ? rules.value : [], manager: 'own' };
  expect(field(adoptIgnored(config({ a: '1' }), states, options) as unknown as JsonObject, 'data')).toEqual(data);
});

import { expect, it } from 'vitest';
import { type IgnoreSpec, ignoreRules } from './ignore-rules.ts';

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

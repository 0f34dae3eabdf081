import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { readRelease } from './release-spec.ts';
import { releaseValues } from './release-values.ts';

function hr(spec: JsonObject, name = 'shop'): KubeObject {
  const chart = { spec: { chart: 'c', sourceRef: { kind: 'HelmRepository', name: 'r' } } };
  return {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name, namespace: 'apps' },
    spec: { chart, ...spec },
  };
}

const TEXTS: Readonly<Record<string, string>> = {
  one: 'a: {b: 1, c: 1}\nl: [1]\n',
  two: 'a: {c: 2}\nl: [2]\n',
  flat: 'x,y',
  quoted: '"8080"',
  number: '8080',
  broken: '- hunter22',
};

async function values(spec: JsonObject): Promise<Json> {
  const release = readRelease(hr(spec));
  if (release === undefined) return 'no release';
  const found = await releaseValues(release, async ({ name }) => {
    if (name === 'unknown') return ok({ found: 'unknown' });
    const text = TEXTS[name];
    return ok(
      text === undefined
        ? { found: 'nothing', what: name === 'keyless' ? 'key' : 'resource' }
        : { found: 'text', text },
    );
  });
  return found.ok ? found.value : found.error;
}

const from = (name: string, more: JsonObject = {}): JsonObject => ({ kind: 'ConfigMap', name, ...more });

describe('values of a release', () => {
  it.each<[JsonObject, Json]>([
    [{ values: { a: 1 } }, { a: 1 }],
    [{ valuesFrom: [from('one'), from('two')] }, { a: { b: 1, c: 2 }, l: [2] }],
    [
      { valuesFrom: [from('one')], values: { a: { b: null } } },
      { a: { b: null, c: 1 }, l: [1] },
    ],
    [{ valuesFrom: [from('number', { targetPath: 'p.q' })] }, { p: { q: 8080n } }],
    [{ valuesFrom: [from('quoted', { targetPath: 'p.q' })] }, { p: { q: '8080' } }],
    [{ valuesFrom: [from('flat', { targetPath: 'p', literal: true })] }, { p: 'x,y' }],
    [{ valuesFrom: [from('number', { targetPath: 'a' })], values: { a: 'own' } }, { a: 'own' }],
    [{ valuesFrom: [from('unknown'), from('gone', { optional: true })] }, {}],
    [
      { valuesFrom: [from('gone')] },
      "could not resolve ConfigMap chart values reference 'apps/gone' with key 'values.yaml': resource not found",
    ],
    [
      { valuesFrom: [from('keyless', { valuesKey: 'k' })] },
      "could not resolve ConfigMap chart values reference 'apps/keyless' with key 'k': key not found",
    ],
    [
      { valuesFrom: [from('broken')] },
      "could not resolve ConfigMap chart values reference 'apps/broken' with key 'values.yaml': the values cannot be read or merged",
    ],
  ])('case %# are merged as Flux merges them', async (spec, want) => {
    expect(await values(spec)).toEqual(want);
  });
});

describe('the name of a release', () => {
  it.each([
    ['shop', {}, 'shop', 'apps'],
    ['shop', { targetNamespace: 'web' }, 'web-shop', 'web'],
    ['shop', { targetNamespace: 'web', releaseName: 'r' }, 'r', 'web'],
    // 40 characters, a dash, and 12 of the SHA-256 of the whole name.
    ['a'.repeat(54), {}, `${'a'.repeat(40)}-a3f01b693925`, 'apps'],
    ['a'.repeat(53), {}, 'a'.repeat(53), 'apps'],
  ])('of %s with %j is %s', (name, spec, releaseName, releaseNamespace) => {
    expect(readRelease(hr(spec, name))).toMatchObject({ releaseName, releaseNamespace });
  });

  it('is none without a chart', () => {
    expect(readRelease({ ...hr({}), spec: {} })).toBeUndefined();
  });
});

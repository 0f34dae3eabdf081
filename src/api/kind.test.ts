import { describe, expect, test } from 'vitest';
import { gitRepository } from './kinds/git-repository.ts';
import { kustomization } from './kinds/kustomization.ts';
import type { KubeObject } from './object.ts';

function repository(spec: KubeObject['spec']): KubeObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'app', namespace: 'flux-system' },
    ...(spec === undefined ? {} : { spec }),
  };
}

describe('a kind', () => {
  test('fills in defaults at every depth and leaves its argument alone', () => {
    const object = repository({ url: 'ssh://git@host/r', interval: '1m', verify: { secretRef: { name: 'keys' } } });
    const before = JSON.stringify(object);
    expect(gitRepository.withDefaults(object).spec).toEqual({
      url: 'ssh://git@host/r',
      interval: '1m',
      timeout: '60s',
      verify: { mode: 'HEAD', secretRef: { name: 'keys' } },
    });
    expect(JSON.stringify(object)).toBe(before);
  });

  test('does not invent optional objects', () => {
    expect(gitRepository.withDefaults(repository({ url: 'u', interval: '1m' })).spec).not.toHaveProperty('verify');
  });

  test('gives the typed object of a right one', () => {
    const parsed = gitRepository.parse(repository({ url: 'https://host/r', interval: '1m30s' }));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const url: string = parsed.value.spec.url;
    expect(url).toBe('https://host/r');
    expect(parsed.value.spec.timeout).toBe('60s');
  });

  test.each([
    ['a missing field', { interval: '1m' }, ['spec.url']],
    ['a wrong type', { url: 1, interval: '1m' }, ['spec.url']],
    ['a pattern', { url: 'ftp://host', interval: '1m' }, ['spec.url']],
    ['an enum', { url: 'https://h', interval: '1m', provider: 'gcp' }, ['spec.provider']],
    [
      'an item of a list',
      { url: 'https://h', interval: '1m', include: [{ repository: {} }] },
      ['spec.include[0].repository.name'],
    ],
    ['no spec at all', undefined, ['spec.interval', 'spec.url']],
  ])('names the path of %s', (_, spec, paths) => {
    const parsed = gitRepository.parse(repository(spec as KubeObject['spec']));
    expect(parsed.ok ? [] : parsed.error.map(({ path }) => path).sort()).toEqual(paths);
  });

  test('keeps keys of maps as data, also __proto__', () => {
    const substitute = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Record<string, string>;
    const object: KubeObject = {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'app', namespace: 'flux-system' },
      spec: {
        interval: '1m',
        prune: true,
        sourceRef: { kind: 'GitRepository', name: 'app' },
        postBuild: { substitute },
      },
    };
    const parsed = kustomization.parse(object);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    expect(JSON.stringify(parsed.value.spec.postBuild)).toBe('{"substitute":{"__proto__":"x","constructor":"y"}}');
    expect(parsed.value.spec.force).toBe(false);
  });
});

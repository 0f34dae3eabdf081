import type { KubeObject, ObjectRef } from '../../../src/api/object.ts';
import type { Json, JsonObject } from '../../../src/base/json.ts';

const NAMESPACE = 'fleet';
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
/** Longer than anybody waits here: whoever is to go on must be told to. */
const INTERVAL = '1h';
const CREDENTIALS = { username: 'reader', password: 'letters' };
/** What the server of the guarded repository wants to see. */
export const AUTHORIZATION = `Basic ${Buffer.from(Object.values(CREDENTIALS).join(':')).toString('base64')}`;
export const OPEN: ObjectRef = { apiVersion: SOURCE, kind: 'GitRepository', namespace: NAMESPACE, name: 'open' };

export function kustomizationRef(name: string): ObjectRef {
  return { apiVersion: KUSTOMIZE, kind: 'Kustomization', namespace: NAMESPACE, name };
}

export function configMap(name: string, at: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { at } });
}

/** Nothing runs pods here. */
export const NEVER_READY: string = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'slow' },
  spec: {
    selector: { matchLabels: { app: 'slow' } },
    template: { metadata: { labels: { app: 'slow' } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
  },
});

const FOLDERS = ['base', 'infra', 'app-0', 'app-1', 'app-2', 'app-3', 'last', 'suspended'];

/** What the open repository holds first. `sealed` is a Secret as sops leaves it. */
export function firstFiles(sealed: string): Readonly<Record<string, string>> {
  const folder = (name: string): readonly (readonly [string, string])[] =>
    ['one', 'two', 'three'].map((part) => [`${name}/${part}.yaml`, configMap(`${name}-${part}`, 'first')]);
  const unknown = { apiVersion: 'example.com/v1', kind: 'Unknown', metadata: { name: 'a' } };
  return Object.fromEntries([
    ...FOLDERS.flatMap(folder),
    ['sealed/secret.yaml', sealed],
    ['failing/unknown.yaml', JSON.stringify(unknown)],
    ['empty/.gitkeep', ''],
    // Something that two compressors do not compress alike.
    ['notes.txt', Array.from({ length: 5_000 }, (_, line) => `line ${line * 7919}`).join('\n')],
  ]);
}

export const GUARDED_FILES = { 'app/config.yaml': configMap('guarded', 'first') };

/** The objects that the engines work on. `agekey` opens the sealed Secret. */
export function objects(url: string, agekey: string): readonly KubeObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    secret('keys', { 'key.agekey': agekey }),
    secret('credentials', CREDENTIALS),
    repository('open', `${url}/open.git`),
    repository('guarded', `${url}/guarded.git`, { secretRef: { name: 'credentials' } }),
    kustomization('base', { wait: true }),
    kustomization('infra', { wait: true, dependsOn: [{ name: 'base' }] }),
    ...[0, 1, 2, 3].map((number) => kustomization(`app-${number}`, { dependsOn: [{ name: 'infra' }] })),
    kustomization('last', { dependsOn: [{ name: 'app-0' }] }),
    kustomization('sealed', { decryption: { provider: 'sops', secretRef: { name: 'keys' } } }),
    kustomization('guarded', { path: './app', sourceRef: { kind: 'GitRepository', name: 'guarded' } }),
    kustomization('empty'),
    kustomization('failing'),
    kustomization('suspended', { suspend: true }),
  ];
}

/** Those that get ready. */
export const STEADY = ['base', 'infra', 'app-0', 'app-1', 'app-2', 'app-3', 'last', 'sealed', 'guarded', 'empty'];

function secret(name: string, stringData: Readonly<Record<string, string>>): KubeObject {
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, stringData };
  return object as unknown as KubeObject;
}

function repository(name: string, url: string, spec: JsonObject = {}): KubeObject {
  return {
    apiVersion: SOURCE,
    kind: 'GitRepository',
    metadata: { name, namespace: NAMESPACE },
    spec: { interval: INTERVAL, url, ref: { branch: 'main' }, ...spec },
  };
}

function kustomization(name: string, spec: Readonly<Record<string, Json>> = {}): KubeObject {
  return {
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      interval: INTERVAL,
      path: `./${name}`,
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'open' },
      targetNamespace: NAMESPACE,
      timeout: '20s',
      ...spec,
    },
  };
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryFiles } from '../../src/base/files.ts';
import { buildKustomization } from '../../src/engine/kustomize/build.ts';

const exec = promisify(execFile);
const kubectl = fileURLToPath(new URL('../../.cache/tools/kubectl', import.meta.url));
if (!existsSync(kubectl))
  console.log('the comparison with kubectl kustomize did not run: node tools/test-tools.mjs brings kubectl');

type Tree = Readonly<Record<string, string>>;

const CONFIG_MAP =
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {b: "yes", "10": ten, "9": "0x1F"}\n';
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the front
spec:
  template:
    spec:
      containers:
      - name: main
        image: nginx:1.25
        envFrom:
        - configMapRef: {name: settings}
`;
const BASE: Tree = {
  'base/kustomization.yaml': 'resources: [web.yaml, settings.yaml]\n',
  'base/web.yaml': DEPLOYMENT,
  'base/settings.yaml': CONFIG_MAP,
};
const over = (text: string, more: Tree = {}): Tree => ({
  ...BASE,
  ...more,
  'app/kustomization.yaml': `resources: [../base]\n${text}`,
});

/** What kubectl's kustomize (v5.7.1 in kubectl 1.34) and v5.8 must agree about. */
const TREES: readonly (readonly [string, Tree])[] = [
  ['a base', over('')],
  [
    'names, a namespace and labels',
    over('namePrefix: p-\nnameSuffix: -s\nnamespace: prod\nlabels: [{pairs: {app: x}, includeSelectors: true}]\n'),
  ],
  [
    'an image and replicas',
    over('images: [{name: nginx, newName: mirror/nginx, newTag: "1.0"}]\nreplicas: [{name: web, count: 3}]\n'),
  ],
  [
    'a strategic merge patch',
    over(
      'patches: [{patch: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: [{name: main, env: [{name: A, value: x}]}, {name: side, image: s}]}}}}"}]\n',
    ),
  ],
  [
    'a JSON patch',
    over(
      'patches: [{target: {kind: Deployment}, patch: "[{op: remove, path: /spec/template/spec/containers/0/envFrom}]"}]\n',
    ),
  ],
  [
    'generators with hashes',
    over(
      'configMapGenerator: [{name: settings, behavior: merge, literals: [a=1]}, {name: made, files: [f.txt]}]\nsecretGenerator: [{name: s, literals: [p=w]}]\n',
      { 'app/f.txt': 'l1\nl2\n' },
    ),
  ],
  [
    'a component',
    over('components: [../part]\n', {
      'part/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {note: "on"}\n',
    }),
  ],
  [
    'replacements',
    over(
      'replacements: [{source: {kind: ConfigMap, name: settings, fieldPath: data.b}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.annotations.b], options: {create: true}}]}]\n',
    ),
  ],
  ['origins', over('buildMetadata: [originAnnotations, transformerAnnotations]\nnamePrefix: p-\n')],
  ['a file outside', over('configMapGenerator: [{name: x, files: [../base/web.yaml]}]\n')],
  ['a cycle', over('', { 'base/kustomization.yaml': 'resources: [../app]\n' })],
  ['a patch of nothing', over('patches: [{patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: none}}"}]\n')],
  ['a field that is none', over('namePrefixes: x\n')],
  ['a key twice', over('', { 'base/settings.yaml': `${CONFIG_MAP}kind: ConfigMap\n` })],
];

describe.skipIf(!existsSync(kubectl))('the engine beside kubectl kustomize', () => {
  let root = '';
  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'weir-peer-')));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each(TREES)('%s', async (_, tree) => {
    await rm(root, { recursive: true, force: true });
    for (const [path, text] of Object.entries(tree)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    const real = await exec(kubectl, ['kustomize', join(root, 'app')]).then(
      ({ stdout }) => stdout,
      ({ stderr }: { readonly stderr: string }) => stderr.trim().toLowerCase(),
    );
    const result = buildKustomization(memoryFiles(tree), 'app', {
      rootPath: root,
      sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    });
    // Kubectl begins the same failures with another case.
    expect(result.ok ? result.value.yaml : `error: ${result.error.message}`.trim().toLowerCase()).toBe(real);
  });
});

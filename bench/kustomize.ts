/**
 * `npx tsx bench/kustomize.ts`: time and memory of overlays over 1,000, 2,000 and 10,000 resources, half of them
 * Deployments, with a prefix, labels, an image and 50 patches. Prints one line per figure: name, value, unit.
 */
import { createHash } from 'node:crypto';
import { memoryFiles, type FileTree } from '../src/base/files.ts';
import { buildKustomization } from '../src/engine/kustomize/build.ts';

const SIZES = [1000, 2000, 10_000];
const PATCHES = 50;

for (const size of SIZES) {
  const files = overlay(size);
  const began = performance.now();
  const result = buildKustomization(files, '', {
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  });
  if (!result.ok) throw new Error(result.error.message);
  const built = performance.now();
  const bytes = result.value.yaml.length;
  print(`${size} resources, build`, built - began, 'ms');
  print(`${size} resources, print`, performance.now() - built, 'ms');
  print(`${size} resources, output`, bytes / 2 ** 20, 'MiB');
}
print('memory', process.memoryUsage.rss() / 2 ** 20, 'MiB');

function overlay(size: number): FileTree {
  const resources = Array.from({ length: size }, (_, index) =>
    index % 2 === 0 ? deployment(index) : configMap(index),
  );
  const patches = Array.from({ length: PATCHES }, (_, index) => patch(index * 2));
  return memoryFiles({
    'kustomization.yaml': [
      'namePrefix: p-',
      'resources: [all.yaml]',
      'labels: [{pairs: {team: x}, includeSelectors: true}]',
      'images: [{name: nginx, newTag: "9"}]',
      'patches:',
      ...patches,
    ].join('\n'),
    'all.yaml': resources.join('---\n'),
  });
}

function configMap(index: number): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: config-${index}
data:
  key: value-${index}
`;
}

function deployment(index: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-${index}
spec:
  selector:
    matchLabels:
      app: web-${index}
  template:
    metadata:
      labels:
        app: web-${index}
    spec:
      containers:
      - name: main
        image: nginx:1.2
        envFrom:
        - configMapRef:
            name: config-${index + 1}
`;
}

function patch(index: number): string {
  return `- patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web-${index}}, spec: {replicas: 5}}'`;
}

function print(name: string, value: number, unit: string): void {
  console.log(`kustomize: ${name}: ${value.toFixed(1)} ${unit}`);
}

import { afterAll, beforeAll, expect, test } from 'vitest';
import { crdOf } from '../../src/api/crd.ts';
import { kinds } from '../../src/api/kinds/all.ts';
import { run, startCluster, type TestCluster } from './harness.ts';

const REVISION = `main@sha1:${'0123456789'.repeat(4)}`;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
  await cluster.create(kinds.map((kind) => crdOf(kind)));
  await cluster.load(`apiVersion: v1
kind: Namespace
metadata: {name: apps}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: apps}
spec: {interval: 1m, url: "https://git.example/fleet.git"}
status: {artifact: {revision: "${REVISION}", digest: "sha256:0", lastUpdateTime: "2026-01-02T03:00:00Z", path: x, url: "http://x"}}
`);
});
afterAll(() => cluster.plane.stop());

const rows: readonly (readonly [
  name: string,
  reason: string,
  message: string,
  spec: string,
  wanted: readonly string[],
])[] = [
  [
    'build',
    'BuildFailed',
    'x',
    '',
    ['✔ dependencies', '✗ build', '· apply', 'BuildFailed: x', 'a.yaml:3: ${x}', 'next: weir diff kustomization build'],
  ],
  ['files', 'BuildFailed', 'in /tmp/kustomization-123456/web/a.yaml', '', ['BuildFailed: in web/a.yaml']],
  [
    'path',
    'ArtifactFailed',
    'kustomization path not found: stat x',
    '',
    ['✗ source', '· build', 'next: correct spec.path, which is ./web'],
  ],
  ['artifact', 'ArtifactFailed', 'Source artifact not found', '', ['next: weir get sources all -n apps']],
  [
    'missing',
    'ArtifactFailed',
    'x',
    'sourceRef: {kind: GitRepository, name: gone}',
    ['GitRepository/apps/gone not found'],
  ],
  [
    'dependency',
    'DependencyNotReady',
    'x',
    'dependsOn: [{name: db}]',
    ['✔ source', '✗ dependencies', 'next: weir debug kustomization db -n apps'],
  ],
  ['apply', 'ReconciliationFailed', 'x', '', ['✔ build', '✗ apply', '· health']],
  ['health', 'HealthCheckFailed', 'x', '', ['✔ apply', '✗ health', 'next: weir tree kustomization health -n apps']],
  [
    'suspended',
    'HealthCheckFailed',
    'x',
    'suspend: true',
    ['is not ready and suspended', 'next: weir resume kustomization suspended -n apps'],
  ],
];

test.each(rows)('debug of a failure: %s', async (name, reason, message, spec, wanted) => {
  const source = spec.startsWith('sourceRef') ? '' : 'sourceRef: {kind: GitRepository, name: fleet},';
  const event = (number: number, revision: string): string => `---
apiVersion: v1
kind: Event
metadata: {name: ${name}.${number}, namespace: apps, annotations: {kustomize.toolkit.fluxcd.io/revision: "${revision}"}}
involvedObject: {kind: ConfigMap, name: x, namespace: apps}
reason: SubstitutionFailed
message: "cannot be built by Kustomization apps/${name}:\\na.yaml:${number}: \${x}"
`;
  await cluster.load(`apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: apps}
spec: {interval: 1m, path: ./web, prune: true, ${source} ${spec}}
status:
  lastAttemptedRevision: "${REVISION}"
  conditions:
  - {type: Ready, status: "False", reason: ${reason}, message: "${message}", lastTransitionTime: "2026-01-02T03:00:00Z"}
${event(3, REVISION)}${event(1, 'old')}`);
  const { code, stdout } = await run(`debug ks ${name} -n apps`, { client: cluster.client });
  expect(code).toBe(0);
  for (const line of wanted) expect(stdout).toContain(line);
  expect(stdout).not.toContain('a.yaml:1');
});

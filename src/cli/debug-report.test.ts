import { expect, test } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import type { CliContext } from './command.ts';
import { debugReport } from './debug-report.ts';

const REVISION = `main@sha1:${'0123456789'.repeat(4)}`;
const context = { signal: new AbortController().signal } as CliContext;
const source = { status: { artifact: { revision: REVISION } } };
const event = (revision: string, message: string): object => ({
  metadata: { name: 'e', annotations: { 'kustomize.toolkit.fluxcd.io/revision': revision } },
  message,
});
const HEAD = 'cannot be built by Kustomization apps/web:\n';
/** Answers what the report asks for, and nothing else. */
const client = {
  get: () => Promise.resolve(ok(source)),
  list: () =>
    Promise.resolve(
      ok({
        items: [event(REVISION, `${HEAD}a.yaml:3: \${x}`), event('old', `${HEAD}a.yaml:1: \${x}`)],
        resourceVersion: '1',
      }),
    ),
} as unknown as KubeClient;

function kustomization(reason: string, message: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'web', namespace: 'apps' },
    spec: { path: './web', sourceRef: { kind: 'GitRepository', name: 'fleet' }, ...spec },
    status: { lastAttemptedRevision: REVISION, conditions: [{ type: 'Ready', status: 'False', reason, message }] },
  } as unknown as KubeObject;
}

const rows: readonly (readonly [reason: string, message: string, spec: object, wanted: readonly string[]])[] = [
  [
    'BuildFailed',
    'x',
    {},
    ['✔ dependencies', '✗ build', '· apply', 'BuildFailed: x', 'a.yaml:3: ${x}', 'next: weir diff kustomization web'],
  ],
  ['BuildFailed', 'in /tmp/kustomization-123456/web/a.yaml', {}, ['BuildFailed: in web/a.yaml']],
  [
    'ArtifactFailed',
    'kustomization path not found: stat x',
    {},
    ['✗ source', '· build', 'next: correct spec.path, which is ./web'],
  ],
  ['ArtifactFailed', 'Source artifact not found', {}, ['next: weir get sources all -n apps']],
  [
    'DependencyNotReady',
    'x',
    { dependsOn: [{ name: 'db' }] },
    ['✔ source', '✗ dependencies', 'next: weir debug kustomization db -n apps'],
  ],
  ['ReconciliationFailed', 'x', {}, ['✔ build', '✗ apply', '· health']],
  ['HealthCheckFailed', 'x', {}, ['✔ apply', '✗ health', 'next: weir tree kustomization web -n apps']],
  [
    'HealthCheckFailed',
    'x',
    { suspend: true },
    ['is not ready and suspended', 'next: weir resume kustomization web -n apps'],
  ],
];
test.each(rows)('%s: %s %o', async (reason, message, spec, wanted) => {
  const report = await debugReport(context, client, kustomization(reason, message, spec));
  const text = report.ok ? report.value : '';
  for (const line of wanted) expect(text).toContain(line);
  expect(text).not.toContain('a.yaml:1');
});

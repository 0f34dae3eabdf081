/** helm against a cluster in the box: helm 4 from `.cache/tools`, and helm 3 where WEIR_PEER_HELM3 names its program. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../../src/base/log.ts';
import { kubeconfigFor } from '../../src/cli/cluster/kubeconfig.ts';
import { type Box, startBox } from '../../src/wiring-box.ts';

const exec = promisify(execFile);
const tools = fileURLToPath(new URL('../../.cache/tools/', import.meta.url));
const helm3 = process.env['WEIR_PEER_HELM3'];
if (helm3 === undefined) console.log('helm 3 did not run: WEIR_PEER_HELM3 does not name its program');

const CHART: Readonly<Record<string, string>> = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: "7"\n',
  'chart/values.yaml': 'image: nginx:1\ncolor: red\nport: 80\n',
  'chart/crds/thing.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.shop.example.org}
spec:
  group: shop.example.org
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {color: {type: string}}}}}}
`,
  'chart/templates/all.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-cm}
data:
  color: {{ .Values.color }}
  space: {{ (lookup "v1" "Namespace" "" "default").status.phase | default "unknown" }}
  apps: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: {{ .Values.port }}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: 1
  progressDeadlineSeconds: 5
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: c, image: {{ .Values.image }}}]}
---
apiVersion: shop.example.org/v1
kind: Thing
metadata: {name: {{ .Release.Name }}}
spec: {color: {{ .Values.color }}}
`,
  'chart/templates/hooks.yaml': `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-prepare
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test}
spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, "exit 0"]}]}
`,
  'chart/templates/NOTES.txt': 'Welcome to {{ .Release.Name }}.\n',
};

let box: Box;
let home = '';

async function run(program: string, args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const env = { HOME: home, KUBECONFIG: join(home, 'kubeconfig'), PATH: process.env['PATH'] ?? '' };
  try {
    const { stdout, stderr } = await exec(program, args, { cwd: home, env, timeout: 90_000 });
    return { code: 0, out: stdout + stderr };
  } catch (cause) {
    const { code = 1, stdout = '', stderr = '' } = cause as { code?: number; stdout?: string; stderr?: string };
    return { code, out: stdout + stderr };
  }
}
const kubectl = (...args: readonly string[]): ReturnType<typeof run> => run(join(tools, 'kubectl'), args);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'weir-helm-'));
  box = await startBox({ port: 0, log: silent });
  const access = { url: box.url, authority: box.authority, ...box.admin };
  await writeFile(join(home, 'kubeconfig'), JSON.stringify(kubeconfigFor('weir', access)), { mode: 0o600 });
  for (const [path, text] of Object.entries(CHART)) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text);
  }
});
afterAll(async () => {
  await box?.stop();
  await rm(home, { recursive: true, force: true });
});

const VERSIONS: readonly (readonly [version: number, program: string])[] = [
  [4, join(tools, 'helm')],
  ...(helm3 === undefined ? [] : ([[3, helm3]] as const)),
];

describe.each(VERSIONS)('helm %i', (version, program) => {
  const name = `r${version}`;
  const helm = (...args: readonly string[]): ReturnType<typeof run> => run(program, args);
  const rollBack = version === 4 ? '--rollback-on-failure' : '--atomic';
  const get = async (kind: string, path: string): Promise<string> =>
    (await kubectl('get', kind, '-o', `jsonpath=${path}`)).out;

  it('installs with definitions and hooks, and waits until all is ready', async () => {
    const installed = await helm('install', name, './chart', '--wait', '--timeout', '60s');
    expect(installed).toMatchObject({ code: 0, out: expect.stringContaining(`Welcome to ${name}.`) as unknown });
    expect(await get(`deploy/${name}`, '{.status.readyReplicas}')).toBe('1');
    expect(await get(`job/${name}-prepare`, '{.status.succeeded}')).toBe('1');
    expect(await get(`thing/${name}`, '{.spec.color}')).toBe('red');
    expect((await helm('list')).out).toMatch(new RegExp(`${name}\\s+default\\s+1\\s.*deployed\\s+shop-1\\.2\\.3\\s+7`));
  });

  it('shows what it would install, as the cluster sees it', async () => {
    const dry = await helm('install', `${name}-dry`, './chart', '--dry-run=server');
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining('space: Active') as unknown });
    expect(dry.out).toContain('apps: "true"');
    expect((await helm('status', `${name}-dry`)).out).toContain('release: not found');
  });

  it('owns what it applied by the means of its version', async () => {
    const managers = await get(`cm/${name}-cm`, '{.metadata.managedFields[*].operation}');
    expect(managers).toBe(version === 4 ? 'Apply' : 'Update');
  });

  it('runs tests', async () => {
    expect(await helm('test', name, '--logs')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Phase:\s+Succeeded/) as unknown,
    });
  });

  it('upgrades, and installs what is not there', async () => {
    expect((await helm('upgrade', name, './chart', '--set', 'color=blue', '--wait')).out).toContain('REVISION: 2');
    expect(await get(`cm/${name}-cm`, '{.data.color}')).toBe('blue');
    expect((await helm('upgrade', '--install', `${name}-new`, './chart')).out).toContain('STATUS: deployed');
    expect((await helm('uninstall', `${name}-new`, '--wait')).code).toBe(0);
  });

  it('fails in the words of the cluster, and goes back on its own when told to', async () => {
    const failed = await helm('upgrade', name, './chart', '--set', 'port=99999', rollBack);
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive');
    const stuck = await helm('upgrade', name, './chart', '--set', 'image=nginx:bad', rollBack, '--timeout', '8s');
    expect(stuck.code).toBe(1);
    expect(await get(`deploy/${name}`, '{.spec.template.spec.containers[0].image}')).toBe('nginx:1');
    expect((await helm('history', name)).out).toMatch(/Rollback to \d/);
  });

  it('rolls back by hand', async () => {
    expect((await helm('rollback', name, '1', '--wait')).out).toContain('Rollback was a success!');
    expect(await get(`cm/${name}-cm`, '{.data.color}')).toBe('red');
    expect((await helm('rollback', name, '99')).out).toContain('release has no 99 version');
  });

  it('tells everything about a release', async () => {
    const all = (await helm('get', 'all', name)).out;
    for (const part of ['MANIFEST:', 'HOOKS:', 'USER-SUPPLIED VALUES:', `# Source: shop/templates/all.yaml`])
      expect(all).toContain(part);
    expect((await helm('status', name, '-o', 'json')).out).toContain('"status":"deployed"');
  });

  it('refuses to take what is not its own', async () => {
    await kubectl('create', 'configmap', `${name}-other-cm`);
    const refused = await helm('install', `${name}-other`, './chart');
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('invalid ownership metadata') as unknown });
  });

  it('uninstalls, keeps the history when asked, and brings a release back', async () => {
    expect((await helm('uninstall', name, '--keep-history', '--wait')).out).toContain(`release "${name}" uninstalled`);
    expect((await kubectl('get', `deploy/${name}`)).code).toBe(1);
    expect((await helm('list', '--uninstalled')).out).toContain(name);
    expect((await helm('rollback', name, '1', '--wait')).code).toBe(0);
    expect((await helm('uninstall', name, '--wait')).code).toBe(0);
    expect((await kubectl('get', 'secret', '-l', `owner=helm,name=${name}`, '-o', 'name')).out).toBe('');
  });
});

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../../src/base/log.ts';
import { kubeconfigFor } from '../../src/cli/cluster/kubeconfig.ts';
import { type Box, startBox } from '../../src/wiring-box.ts';

const exec = promisify(execFile);
const tools = fileURLToPath(new URL('../../.cache/tools/', import.meta.url));
let box: Box;
let home = '';

async function run(program: string, args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const env = { HOME: home, KUBECONFIG: join(home, 'kubeconfig'), PATH: process.env['PATH'] ?? '' };
  try {
    const { stdout, stderr } = await exec(join(tools, program), args, { cwd: home, env, timeout: 60_000 });
    return { code: 0, out: stdout + stderr };
  } catch (cause) {
    const { code = 1, stdout = '', stderr = '' } = cause as { code?: number; stdout?: string; stderr?: string };
    return { code, out: stdout + stderr };
  }
}
const kubectl = (...args: readonly string[]): ReturnType<typeof run> => run('kubectl', args);
const helm = (...args: readonly string[]): ReturnType<typeof run> => run('helm', args);

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: w}
spec:
  replicas: 1
  selector: {matchLabels: {app: w}}
  template:
    metadata: {labels: {app: w}}
    spec: {containers: [{name: c, image: "nginx:1", ports: [{containerPort: 80}]}]}
`;

/** For CN=r; its key is gone. */
const SIGNING_REQUEST =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIR01HNENBUUF3RERFS01BZ0dBMVVFQXd3QmNqQlpNQk1HQnlxR1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQTBJQQpCR082QThoMHlqcERlNkFPTHZMQUh3OGFnWU1NTU5zLytPT1Q5eTNWNDVmM1lrMFRNcEJxbU8wLzhwL0tWNENsCmQ2Z2FObmZDVlRtVGFVemVHOGU5dm91Z0FEQUtCZ2dxaGtqT1BRUURBZ05JQURCRkFpRUExR0hXWS9qcDJxYm8Kd2t5TThPWHpZckZtdnVGWVBvVUlXQUU5V21TdXFXc0NJQ2Nyd1p0RFIrbEh1NmVCQ1RSVEMybnpsR0hERW1nTQpFMVZhdTFWcG9IRE0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'weir-kubectl-'));
  box = await startBox({ port: 0, log: silent });
  const access = { url: box.url, authority: box.authority, ...box.admin };
  await writeFile(join(home, 'kubeconfig'), JSON.stringify(kubeconfigFor('weir', access)), { mode: 0o600 });
  await writeFile(join(home, 'dep.yaml'), DEPLOYMENT);
  await writeFile(join(home, 'dep2.yaml'), DEPLOYMENT.replace('nginx:1', 'nginx:2'));
});
afterAll(async () => {
  await box?.stop();
  await rm(home, { recursive: true, force: true });
});

describe('kubectl', () => {
  it('applies, sees no change, diffs, and applies again', async () => {
    expect(await kubectl('apply', '-f', 'dep.yaml')).toEqual({ code: 0, out: 'deployment.apps/w created\n' });
    expect((await kubectl('apply', '-f', 'dep.yaml')).out).toBe('deployment.apps/w unchanged\n');
    const diff = await kubectl('diff', '-f', 'dep2.yaml');
    expect(diff.code).toBe(1);
    expect(diff.out).toContain('+      - image: nginx:2');
    expect((await kubectl('apply', '-f', 'dep2.yaml')).out).toBe('deployment.apps/w configured\n');
    expect((await kubectl('rollout', 'status', 'deployment/w', '--timeout=30s')).out).toContain(
      'successfully rolled out',
    );
    expect((await kubectl('rollout', 'undo', 'deployment/w')).out).toBe('deployment.apps/w rolled back\n');
  });

  it('applies on the server and names a conflict', async () => {
    await writeFile(join(home, 'cm.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ssa}\ndata: {k: "1"}\n');
    await writeFile(join(home, 'cm2.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ssa}\ndata: {k: "2"}\n');
    expect((await kubectl('apply', '--server-side', '--field-manager=one', '-f', 'cm.yaml')).out).toBe(
      'configmap/ssa serverside-applied\n',
    );
    const conflict = await kubectl('apply', '--server-side', '--field-manager=two', '-f', 'cm2.yaml');
    expect(conflict.code).toBe(1);
    expect(conflict.out).toContain('conflict with "one": .data.k');
  });

  it.each([
    [['get', 'ns', 'default', '-o', 'jsonpath={.status.phase}'], 'Active'],
    [['create', 'configmap', 'made', '--from-literal=a=b'], 'configmap/made created'],
    [['label', 'configmap', 'made', 'x=y'], 'configmap/made labeled'],
    [['annotate', 'configmap', 'made', 'x=y'], 'configmap/made annotated'],
    [
      ['get', 'configmap', 'made', '-o', 'custom-columns=N:.metadata.name,X:.metadata.labels.x', '--no-headers'],
      'made   y',
    ],
    [
      ['patch', 'configmap', 'made', '--type=json', '-p', '[{"op":"add","path":"/data/c","value":"d"}]'],
      'configmap/made patched',
    ],
    [['describe', 'configmap', 'made'], 'Name:         made'],
    [['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], 'kubernetes-admin'],
    [['auth', 'can-i', 'create', 'pods'], 'yes'],
    [['auth', 'can-i', 'create', 'pods', '--as=nobody'], 'no'],
    [['explain', 'deployment.spec.replicas'], 'FIELD: replicas <integer>'],
    [['explain', 'deployment.spec.replicas'], 'Number of desired pods.'],
    [['explain', 'pods.spec.containers', '--output=plaintext-openapiv2'], 'A single application container'],
    [['get', 'apiservices,flowschemas,csidrivers,validatingadmissionpolicies'], ''],
    [['get', '--raw', '/version'], '"gitVersion": "v1.34.1"'],
    [['get', 'configmaps', '--field-selector=x.y=z'], '"x.y" is not a known field selector'],
    [['scale', 'deployment/w', '--replicas=2'], 'deployment.apps/w scaled'],
    [['wait', 'deployment/w', '--for=condition=Available', '--timeout=30s'], 'deployment.apps/w condition met'],
    [['create', 'token', 'default'], 'eyJ'],
    [['api-resources', '--api-group=apps', '-o', 'name'], 'deployments.apps'],
    [['delete', 'configmap', 'made'], 'configmap "made" deleted'],
    [['get', 'configmap', 'made'], 'Error from server (NotFound): configmaps "made" not found'],
  ])('%j', async (args, expected) => {
    expect((await kubectl(...args)).out).toContain(expected);
  });

  it('reads logs and runs commands in a simulated pod', async () => {
    expect((await kubectl('logs', 'deployment/w')).out).toContain('simulated');
    expect((await kubectl('logs', 'deployment/w', '--limit-bytes=9')).out).toMatch(/^simulatedFound 2 pods/);
    expect((await kubectl('logs', 'deployment/w', '--previous')).out).toMatch(
      /previous terminated container "c" in pod "w-.*" not found/,
    );
    expect((await kubectl('exec', 'deployment/w', '--', 'no-such-program')).code).toBe(127);
    expect((await kubectl('exec', 'deployment/w', '--', 'sh', '-c', 'exit 3')).code).toBe(3);
  });

  it('reaches pods and services through the API server', async () => {
    expect((await kubectl('expose', 'deployment/w', '--port=8080', '--target-port=80')).code).toBe(0);
    const base = '/api/v1/namespaces/default';
    const page = await kubectl('get', '--raw', `${base}/services/w:8080/proxy/some/page?x=y`);
    expect(page).toMatchObject({ code: 0, out: expect.stringContaining('"simulated": true') as unknown });
    const pod = (await kubectl('get', 'pods', '-l', 'app=w', '-o', 'jsonpath={.items[0].metadata.name}')).out;
    expect((await kubectl('get', '--raw', `${base}/pods/${pod}:80/proxy/`)).out).toContain(pod);
    expect((await kubectl('get', '--raw', `${base}/services/w:9/proxy/`)).out).toContain(
      'no service port 9 found for service "w"',
    );
  });

  it('approves a request for a certificate once, and shows who made it', async () => {
    await writeFile(
      join(home, 'csr.yaml'),
      `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: r}
spec: {signerName: example.org/s, usages: [client auth], username: somebody-else, request: ${SIGNING_REQUEST}}
`,
    );
    const made = await kubectl('create', '-f', 'csr.yaml');
    expect(made.out).toContain('certificatesigningrequest.certificates.k8s.io/r created');
    expect((await kubectl('certificate', 'approve', 'r')).code).toBe(0);
    expect((await kubectl('get', 'csr', 'r')).out).toMatch(/example\.org\/s\s+kubernetes-admin\s+<none>\s+Approved/);
    expect((await kubectl('certificate', 'deny', 'r')).out).toContain('is already Approved');
  });
});

describe('helm', () => {
  it('installs, upgrades, rolls back and uninstalls', async () => {
    await helm('create', 'chart');
    const install = await helm('install', 'r', './chart', '--set', 'serviceAccount.create=false');
    expect([install.code, install.out]).toEqual([0, expect.stringContaining('STATUS: deployed')]);
    const upgrade = await helm(
      'upgrade',
      'r',
      './chart',
      '--set',
      'replicaCount=2',
      '--set',
      'serviceAccount.create=false',
    );
    expect([upgrade.code, upgrade.out]).toEqual([0, expect.stringContaining('REVISION: 2')]);
    const rollback = await helm('rollback', 'r', '1');
    expect([rollback.code, rollback.out]).toEqual([0, expect.stringContaining('Rollback was a success')]);
    expect((await helm('list', '-o', 'json')).out).toContain('"revision":"3"');
    expect((await helm('uninstall', 'r')).out).toContain('release "r" uninstalled');
  });
});

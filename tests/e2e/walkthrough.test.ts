import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, freeNodePort, Terminal } from './terminal.ts';

const examples = fileURLToPath(new URL('../../examples/walkthrough', import.meta.url));
const terminal = new Terminal();
const at = (...path: string[]) => join(terminal.home, ...path);
let port = 0;

/** What people do in their clone: change, commit, push. */
async function push(repository: string, message: string): Promise<string> {
  const cwd = at(repository);
  await terminal.line('git add --all', { cwd });
  await terminal.run('git', ['commit', '--quiet', '-m', message], { cwd });
  await terminal.line('git push --quiet origin master', { cwd });
  return (await terminal.line('git rev-parse HEAD', { cwd })).stdout.trim();
}

async function kubectl(...args: string[]): Promise<string> {
  return (await terminal.run('kubectl', args)).stdout;
}

async function applied(namespace: string, name: string, commit: string): Promise<void> {
  await eventually(async () => {
    const ready = '{.status.conditions[?(@.type=="Ready")]';
    const path = `{.status.lastAppliedRevision} ${ready}.status} ${ready}.message}`;
    const state = await kubectl('get', 'kustomization', name, '-n', namespace, '-o', `jsonpath=${path}`);
    expect(state).toMatch(new RegExp(`^master@sha1:${commit} True `));
  });
}

async function reconcile(name: string): Promise<void> {
  await terminal.line(`weir reconcile kustomization ${name} --with-source -n flux-cluster`, { mayFail: true });
}

beforeAll(async () => {
  port = await freeNodePort();
  terminal.env['GIT_SSH_COMMAND'] =
    `ssh -i ${at('fluxpres')} -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${at('known_hosts')}`;
});
afterAll(async () => {
  await terminal.line('weir cluster delete --name walk', { mayFail: true });
  await terminal.close();
});

it('creates a cluster that kubectl works on', async () => {
  await terminal.line('weir check --pre', { mayFail: true });
  expect((await terminal.line('weir version --client')).stdout).toMatch(/weir: v?\d+\.\d+\.\d+/);
  await terminal.line('weir cluster create --name walk');
  expect((await terminal.line('kubectl config get-contexts -o name')).stdout).toContain('weir-walk');
  await terminal.line('kubectl config use-context weir-walk');
  await kubectl('get', 'pods', '-A');
  expect(await kubectl('get', 'nodes', '-o', 'name')).toMatch(/^node\/.+\nnode\/.+\n$/);
});

it('starts a git server that lets in the key, and only to git', async () => {
  await terminal.run('ssh-keygen', ['-q', '-t', 'ed25519', '-f', at('fluxpres'), '-N', '', '-C', 'walk-through']);
  await terminal.start(
    'weir',
    [
      'git-server',
      '--user=fluxpres',
      `--authorized-keys=${at('fluxpres.pub')}`,
      `--root=${at('git')}`,
      `--port=${port}`,
    ],
    /^ready /,
  );
  const service = readFileSync(join(examples, 'sshd-service.yaml'), 'utf8').replace(
    'nodePort: 30022',
    `nodePort: ${port}`,
  );
  await terminal.run('kubectl', ['apply', '-f', '-'], { input: service });
  const ssh = (command: string) =>
    terminal.run(
      'ssh',
      ['-i', at('fluxpres'), '-o', 'StrictHostKeyChecking=accept-new', '-o', `UserKnownHostsFile=${at('known_hosts')}`]
        .concat(['-p', String(port), 'fluxpres@localhost'])
        .concat(command.split(' ')),
      { mayFail: true },
    );
  for (const name of ['flux-system', 'flux-cluster', 'flux-tenant']) {
    const made = await ssh(`git init --bare ${name}.git`);
    expect(made.code, made.stderr).toBe(0);
    await terminal.line(`git clone --quiet ssh://fluxpres@localhost:${port}/home/fluxpres/${name}.git`);
  }
  expect((await ssh('id')).code).not.toBe(0);
  expect((await ssh('git init --bare ../outside.git')).code).not.toBe(0);
});

it('installs Weir from the repository flux-system', async () => {
  const cwd = at('flux-system');
  const install = await terminal.line(
    'weir install --components=source-controller,kustomize-controller,helm-controller,notification-controller --components-extra=image-reflector-controller,image-automation-controller --export',
  );
  expect(install.stdout).toMatch(/^---\n/);
  writeFileSync(join(cwd, 'gotk-components.yaml'), install.stdout);
  await secret('flux-system', 'flux-system', cwd);
  cpSync(join(examples, 'flux-system', 'flux-system-sync.yaml'), join(cwd, 'flux-system-sync.yaml'));
  await terminal.line('weir kustomize create --namespace=flux-system --autodetect .', { cwd });
  await push('flux-system', 'Add flux-system');
  const built = (await terminal.line('weir kustomize build .', { cwd })).stdout;
  const first = await terminal.run('kubectl', ['apply', '-f', '-'], { input: built, mayFail: true });
  // The custom resources may come before their kinds are served: kubectl says so, and a second apply succeeds.
  expect(first.code === 0 ? '' : first.stderr).toMatch(/^$|no matches for kind/);
  await terminal.run('kubectl', ['apply', '-f', '-'], { input: built });
  const head = (await terminal.line('git rev-parse HEAD', { cwd })).stdout.trim();
  await applied('flux-system', 'flux-system', head);
});

/** `weir create secret git`, and the server's name inside the cluster in its known hosts. */
async function secret(name: string, namespace: string, directory: string): Promise<void> {
  const made = await terminal.line(
    `weir create secret git ${name} --url=ssh://fluxpres@localhost:${port}/home/fluxpres/${name}.git --private-key-file=${at('fluxpres')} --namespace=${namespace} --export`,
  );
  writeFileSync(join(directory, `${name}-secret.yaml`), made.stdout.replaceAll(`[localhost]:${port}`, 'sshd.default'));
}

it('gives the cluster and its tenant repositories of their own', async () => {
  const cwd = at('flux-cluster');
  await secret('flux-cluster', 'flux-cluster', cwd);
  for (const file of [
    'flux-cluster-namespace.yaml',
    'flux-cluster-sync.yaml',
    'flux-tenant-namespace.yaml',
    'flux-tenant-sync.yaml',
  ])
    cpSync(join(examples, 'flux-cluster', file), join(cwd, file));
  await terminal.line('weir kustomize create --autodetect .', { cwd });
  await secret('flux-tenant', 'flux-cluster', cwd);
  await terminal.line('weir kustomize edit add resource flux-tenant-secret.yaml', { cwd });
  expect(readFileSync(join(cwd, 'kustomization.yaml'), 'utf8')).toContain('- flux-tenant-secret.yaml\n');

  const tenant = at('flux-tenant');
  const created = await terminal.line(
    'weir create tenant dev-team --with-namespace=frontend --with-namespace=backend --export',
  );
  writeFileSync(join(tenant, 'dev-team.yaml'), created.stdout);
  await terminal.line('weir kustomize create --autodetect .', { cwd: tenant });
  await push('flux-tenant', 'Add dev-team');

  const commit = await push('flux-cluster', 'Add flux-cluster');
  const built = (await terminal.line('weir kustomize build .', { cwd })).stdout;
  await terminal.run('kubectl', ['apply', '-f', '-'], { input: built });
  await applied('flux-cluster', 'flux-cluster', commit);
  await eventually(() => kubectl('get', 'serviceaccount', 'dev-team', '-n', 'frontend'));
});

it('rolls out the application, a change of it, and its revert', async () => {
  const cwd = at('flux-tenant');
  cpSync(join(examples, 'flux-tenant', 'backend'), join(cwd, 'backend'), { recursive: true });
  await terminal.line('weir kustomize edit add resource backend', { cwd });
  await applied('flux-cluster', 'flux-tenant', await pushAndPoke('Add the application'));
  await kubectl('rollout', 'status', '-n', 'backend', 'deployment/nginx-test', '--timeout=60s');
  expect(await pageOfPod()).toContain('local-test:v1');

  const manifest = join(cwd, 'backend', 'nginx-deployment.yaml');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('local-test:v1', 'local-test:v2'));
  await applied('flux-cluster', 'flux-tenant', await pushAndPoke('Use v2'));
  await kubectl('rollout', 'status', '-n', 'backend', 'deployment/nginx-test', '--timeout=60s');
  expect(await pageOfPod()).toContain('local-test:v2');

  await terminal.line('git revert --no-edit HEAD', { cwd });
  await terminal.line('git push --quiet origin master', { cwd });
  await reconcile('flux-tenant');
  await applied('flux-cluster', 'flux-tenant', (await terminal.line('git rev-parse HEAD', { cwd })).stdout.trim());
  await kubectl('rollout', 'status', '-n', 'backend', 'deployment/nginx-test', '--timeout=60s');
  expect(await pageOfPod()).toContain('local-test:v1');
});

async function pushAndPoke(message: string): Promise<string> {
  const commit = await push('flux-tenant', message);
  await reconcile('flux-tenant');
  return commit;
}

/** What a browser would see through `kubectl port-forward`. */
async function pageOfPod(): Promise<string> {
  const forward = await terminal.start(
    'kubectl',
    ['port-forward', '-n', 'backend', 'svc/nginx-test', ':8080'],
    /Forwarding from 127/,
  );
  try {
    const local = /127\.0\.0\.1:(\d+)/.exec(forward.line)?.[1];
    const page = await (await fetch(`http://localhost:${local}/`, { headers: { accept: 'text/html' } })).text();
    expect(page.toLowerCase()).toContain('simulated');
    return page;
  } finally {
    await terminal.stop(forward.process);
  }
}

it('corrects drift without waiting for the interval', async () => {
  await kubectl('scale', '-n', 'backend', 'deployment/nginx-test', '--replicas=3');
  await eventually(async () => {
    expect(await kubectl('get', 'deployment', 'nginx-test', '-n', 'backend', '-o', 'jsonpath={.spec.replicas}')).toBe(
      '1',
    );
  }, 20_000);
  await kubectl('delete', 'service', 'nginx-test', '-n', 'backend');
  await eventually(() => kubectl('get', 'service', 'nginx-test', '-n', 'backend'), 20_000);
});

it('keeps the last good state when a push breaks the YAML, and says where', async () => {
  const cwd = at('flux-tenant');
  const service = join(cwd, 'backend', 'nginx-service.yaml');
  appendFileSync(service, '  broken: [\n');
  await pushAndPoke('Break the service');
  await eventually(async () => {
    const message = await kubectl(
      'get',
      'ks',
      'flux-tenant',
      '-n',
      'flux-cluster',
      '-o',
      'jsonpath={.status.conditions[?(@.type=="Ready")].message}',
    );
    expect(message).toMatch(/nginx-service\.yaml/);
    expect(message).toMatch(/line \d+/);
  });
  await kubectl('get', 'service,deployment', 'nginx-test', '-n', 'backend');
  await terminal.line('git revert --no-edit HEAD', { cwd });
  await terminal.line('git push --quiet origin master', { cwd });
  await reconcile('flux-tenant');
  await applied('flux-cluster', 'flux-tenant', (await terminal.line('git rev-parse HEAD', { cwd })).stdout.trim());
});

it('prunes what git no longer has', async () => {
  const cwd = at('flux-tenant');
  await terminal.line('weir kustomize edit remove resource nginx-service.yaml', { cwd: join(cwd, 'backend') });
  await terminal.line('git rm --quiet backend/nginx-service.yaml', { cwd });
  await applied('flux-cluster', 'flux-tenant', await pushAndPoke('Remove the service'));
  const gone = await terminal.line('kubectl get service nginx-test -n backend', { mayFail: true });
  expect(gone.stderr).toContain('NotFound');
});

it('answers what people ask', async () => {
  const sources = (await terminal.line('weir get sources git -A')).stdout;
  expect(sources.split('\n')[0]).toMatch(/^NAMESPACE\s+NAME\s+REVISION\s+SUSPENDED\s+READY\s+MESSAGE/);
  expect(
    sources.split('\n').filter((line) => /stored artifact for revision 'master@sha1:[0-9a-f]{8}'/.test(line)),
    sources,
  ).toHaveLength(3);
  expect((await terminal.line('weir get kustomizations -A')).stdout).toContain('Applied revision: master@sha1:');
  expect((await terminal.line('weir tree kustomization flux-tenant -n flux-cluster')).stdout).toContain(
    'Deployment/backend/nginx-test',
  );
  expect((await terminal.line('weir events -n flux-cluster')).stdout).toContain('Kustomization/flux-tenant');
  expect((await terminal.line('weir logs -A')).stdout).toContain('Kustomization/flux-tenant.flux-cluster');
  const suspended = await terminal.line('weir suspend kustomization flux-tenant -n flux-cluster');
  expect(suspended.stderr).toContain('✔ kustomization suspended');
  const resumed = await terminal.line('weir resume kustomization flux-tenant -n flux-cluster');
  expect(resumed.stderr).toContain('✔ applied revision master@sha1:');
  const unknown = await terminal.line('weir install --components=nope --export', { mayFail: true });
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('source-controller');
});

import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { eventually, freeNodePort, Terminal } from './terminal.ts';

/** The engine as a process of its own, beside a cluster and a git server: each can fail alone. */
const terminal = new Terminal();
const at = (...path: string[]) => join(terminal.home, ...path);
const OBJECTS = 300;
let port = 0;
let gitServer: ChildProcess;
let engine: ChildProcess;

afterAll(async () => {
  await terminal.line('weir cluster delete --name faults', { mayFail: true });
  await terminal.close();
});

async function kubectl(...args: string[]): Promise<string> {
  return (await terminal.run('kubectl', args)).stdout;
}

async function startGitServer(): Promise<void> {
  const keys = `--authorized-keys=${at('key.pub')}`;
  gitServer = (
    await terminal.start('weir', ['git-server', '--user=ann', keys, `--root=${at('git')}`, `--port=${port}`], /^ready /)
  ).process;
}

async function startEngine(): Promise<void> {
  const flags = [
    '--storage-addr=127.0.0.1:0',
    '--metrics-addr=127.0.0.1:0',
    '--health-addr=127.0.0.1:0',
    `--storage-path=${at('storage')}`,
  ];
  // However long the git server is away: what failed is tried again within this.
  const delays = ['--requeue-dependency=1s', '--max-retry-delay=5s'];
  engine = (await terminal.start('weir', ['run', ...flags, ...delays], /"msg":"engine started"/)).process;
}

async function countConfigMaps(): Promise<number> {
  return (
    (await kubectl('get', 'configmaps', '-l', 'kustomize.toolkit.fluxcd.io/name=many', '-o', 'name')).split('\n')
      .length - 1
  );
}

async function ready(kind: string, name: string): Promise<string> {
  return kubectl(
    'get',
    kind,
    name,
    '-n',
    'flux-system',
    '-o',
    'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].message}',
  );
}

async function push(content: string): Promise<string> {
  const cwd = at('many');
  const objects = Array.from({ length: OBJECTS }, (_, index) =>
    [
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata:',
      `  name: many-${index}`,
      '  namespace: default',
      'data:',
      `  content: ${content}`,
    ].join('\n'),
  );
  writeFileSync(join(cwd, 'many.yaml'), `${objects.join('\n---\n')}\n`);
  await terminal.line('git add --all', { cwd });
  await terminal.line(`git commit --quiet -m ${content}`, { cwd });
  await terminal.line('git push --quiet origin HEAD:master', { cwd });
  return (await terminal.line('git rev-parse HEAD', { cwd })).stdout.trim();
}

it('sets up a cluster with the kinds, a git server, and an engine outside', async () => {
  port = await freeNodePort();
  await terminal.line('weir cluster create --name faults --ephemeral');
  const manifests = (await terminal.line('weir install --export')).stdout.split(/^---$/m);
  const kinds = manifests.filter((manifest) => /^kind: (CustomResourceDefinition|Namespace)$/m.test(manifest));
  await terminal.run('kubectl', ['apply', '-f', '-'], { input: kinds.join('---') });

  await terminal.run('ssh-keygen', ['-q', '-t', 'ed25519', '-f', at('key'), '-N', '']);
  terminal.env['GIT_SSH_COMMAND'] =
    `ssh -i ${at('key')} -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${at('known_hosts')}`;
  await startGitServer();
  const url = `ssh://ann@localhost:${port}/home/ann/many.git`;
  await terminal.run('ssh', [
    '-i',
    at('key'),
    '-o',
    'StrictHostKeyChecking=accept-new',
    '-o',
    `UserKnownHostsFile=${at('known_hosts')}`,
    '-p',
    String(port),
    'ann@localhost',
    'git',
    'init',
    '--bare',
    'many.git',
  ]);
  mkdirSync(at('many'));
  await terminal.line('git init --quiet --initial-branch=master', { cwd: at('many') });
  await terminal.line(`git remote add origin ${url}`, { cwd: at('many') });
  await push('first');

  const secret = await terminal.line(
    `weir create secret git many --url=${url} --private-key-file=${at('key')} --export`,
  );
  const source = await terminal.line(
    `weir create source git many --url=${url} --branch=master --interval=1h --secret-ref=many --export`,
  );
  const kustomization = await terminal.line(
    'weir create kustomization many --source=GitRepository/many --path=./ --prune=true --interval=1h --export',
  );
  await terminal.run('kubectl', ['apply', '-f', '-'], {
    input: [secret, source, kustomization].map(({ stdout }) => stdout).join('\n'),
  });
  expect(await kubectl('get', 'kustomization', '-n', 'flux-system', '-o', 'name')).toContain('/many');
});

it('converges after a SIGKILL in the middle of an apply, with every object in the inventory', async () => {
  await startEngine();
  await eventually(async () => expect(await countConfigMaps()).toBeGreaterThan(0));
  await terminal.stop(engine, 'SIGKILL');

  await startEngine();
  await eventually(async () => expect(await ready('kustomization', 'many')).toMatch(/^True Applied revision/));
  expect(await countConfigMaps()).toBe(OBJECTS);
  const inventory = await kubectl(
    'get',
    'kustomization',
    'many',
    '-n',
    'flux-system',
    '-o',
    'jsonpath={.status.inventory.entries[*].id}',
  );
  expect(inventory.split(' ')).toHaveLength(OBJECTS);
});

it('says that the git server is gone, keeps what runs, and recovers by itself', async () => {
  await terminal.stop(gitServer);
  await terminal.line('weir reconcile source git many --timeout=5s', { mayFail: true });
  await eventually(async () =>
    expect(await ready('gitrepository', 'many')).toMatch(/^False failed to checkout and determine revision/),
  );
  expect(await countConfigMaps()).toBe(OBJECTS);

  await startGitServer();
  const commit = await push('second');
  await eventually(async () => {
    const revision = await kubectl(
      'get',
      'kustomization',
      'many',
      '-n',
      'flux-system',
      '-o',
      'jsonpath={.status.lastAppliedRevision}',
    );
    const said = `${await ready('gitrepository', 'many')}\n${await ready('kustomization', 'many')}`;
    expect(revision, said).toBe(`master@sha1:${commit}`);
  });
  expect(await kubectl('get', 'configmap', 'many-7', '-o', 'jsonpath={.data.content}')).toBe('second');
});

it('stops at once and cleanly when asked to', async () => {
  expect(await terminal.stop(engine)).toBe(0);
});

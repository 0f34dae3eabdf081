import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crdOf } from '../../src/api/crd.ts';
import { gitRepository } from '../../src/api/kinds/git-repository.ts';
import { kustomization } from '../../src/api/kinds/kustomization.ts';
import { type ControlPlane, createControlPlane } from '../../src/cluster/control-plane.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { commitFiles, type GitHttp, serveGit } from '../support/git-http.ts';
import { entries, ks, manifest, messageOf } from '../support/kustomization-scenario.ts';
import { eventually, Terminal } from './terminal.ts';

/** The engine as a process that is killed at a request of its own: that of a commit to git, or a write to the cluster. */
const terminal = new Terminal();
const at = (...path: string[]) => join(terminal.home, ...path);
const app = ks('app');
let plane: ControlPlane;
let client: KubeClient;
let api: Server;
let git: GitHttp;
/** Called before a request is answered; the answer says what is to become of it. */
let onWrite: () => 'pass' | 'kill before' | 'kill after' = () => 'pass';
let onGit: (path: string) => void = () => undefined;
let engine: ChildProcess | undefined;

beforeAll(async () => {
  plane = await createControlPlane();
  client = createKubeClient({ handler: plane.handler, userAgent: 'test' });
  for (const kind of [gitRepository, kustomization]) await client.create(crdOf(kind as never));
  api = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  mkdirSync(at('tmp'));
  git = await serveGit(at('git'), 0, (path) => onGit(path));
  const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const config = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: {} }],
  };
  writeFileSync(at('kubeconfig'), JSON.stringify(config));
});

afterAll(async () => {
  await terminal.close();
  await git.close();
  api.closeAllConnections();
  api.close();
  await plane.stop();
});

/** The cluster over a socket, as far as an engine needs it. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = 'GET', url: path = '/' } = request;
  const fate = method === 'GET' ? 'pass' : onWrite();
  if (fate === 'kill before') return kill();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const answer = await plane.handler({ method, path, headers, body: Buffer.concat(chunks), signal: gone.signal });
  if (fate === 'kill after') return kill();
  response.writeHead(answer.status, answer.headers);
  response.flushHeaders();
  for await (const chunk of answer.body) response.write(chunk);
  response.end();
}

function kill(): void {
  engine?.kill('SIGKILL');
}

/** Resolves when the engine has ended, by whatever. */
async function startEngine(): Promise<{ readonly ended: Promise<void> }> {
  const flags = [
    '--storage-addr=127.0.0.1:0',
    '--metrics-addr=127.0.0.1:0',
    '--health-addr=127.0.0.1:0',
    '--events-addr=',
  ];
  const args = ['run', ...flags, `--storage-path=${at('storage')}`, `--kubeconfig=${at('kubeconfig')}`];
  const started = terminal.start('weir', args, /"msg":"engine started"/, { env: { TMPDIR: at('tmp') } });
  const { process: child } = await started;
  engine = child;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return { ended };
}

const repository = (): string => at('git', 'repo.git');

/** Another revision: one object changed, one new, the one of the revision before gone. */
function commit(round: number): string {
  return commitFiles(repository(), `round ${round}`, {
    'app/changed.yaml': manifest('changed', `${round}`),
    'app/coming.yaml': manifest(`of-${round}`),
  });
}

async function owned(): Promise<readonly string[]> {
  const labelSelector = 'kustomize.toolkit.fluxcd.io/name=app';
  const listed = await client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { labelSelector });
  if (!listed.ok) throw new Error(listed.error.message);
  return listed.value.items.map(({ metadata }) => `default_${metadata.name}__ConfigMap`).sort();
}

async function inventory(): Promise<readonly string[]> {
  const found = await client.get(app);
  return found.ok ? entries(found.value) : [];
}

async function request(round: number): Promise<void> {
  const source = { apiVersion: gitRepository.apiVersion, kind: 'GitRepository', namespace: 'default', name: 'repo' };
  const annotations = { 'reconcile.fluxcd.io/requestedAt': String(round) };
  await client.patch(source, { metadata: { annotations } }, { type: 'merge', fieldManager: 'test' });
}

async function appliedRound(hash: string): Promise<void> {
  await eventually(async () => {
    const found = await client.get(app);
    expect(found.ok && messageOf(found.value)).toBe(`Applied revision: main@sha1:${hash}`);
  });
}

describe('C03: SIGKILL at each request', () => {
  it('leaves nothing that is not in the inventory, and converges', async () => {
    commit(0);
    const metadata = (name: string) => ({ name, namespace: 'default' });
    const sourceRef = { kind: 'GitRepository', name: 'repo' };
    await client.create({
      apiVersion: gitRepository.apiVersion,
      kind: 'GitRepository',
      metadata: metadata('repo'),
      spec: { interval: '1h', url: `${git.url}/repo.git`, ref: { branch: 'main' } },
    });
    await client.create({
      apiVersion: kustomization.apiVersion,
      kind: 'Kustomization',
      metadata: metadata('app'),
      spec: { interval: '1h', path: './app', prune: true, targetNamespace: 'default', sourceRef },
    });
    // From the first write on: finalizers, source, artifact, inventory, objects, plan, prune, status, events; then git.
    const cuts = [0, 1, 2, 3, 5, 6, 8, 9, 11, 14, 'info/refs', 'git-upload-pack'] as const;
    let killed = 0;
    for (const [round, cut] of cuts.entries()) {
      let left = typeof cut === 'number' ? cut : Number.POSITIVE_INFINITY;
      onWrite = () => (left-- > 0 ? 'pass' : round % 2 === 0 ? 'kill before' : 'kill after');
      onGit = (path) => {
        if (typeof cut === 'string' && path.includes(cut)) kill();
      };
      const hash = commit(round);
      const { ended } = await startEngine();
      await request(round);
      const finished = appliedRound(hash).catch(() => undefined);
      const wasKilled = await Promise.race([ended.then(() => true), finished.then(() => false)]);
      if (wasKilled) killed++;
      onWrite = () => 'pass';
      kill();
      await ended;
      const listed = await inventory();
      for (const id of await owned()) expect(listed, `cut ${cut}`).toContain(id);
    }
    expect(killed).toBeGreaterThan(8);

    onGit = () => undefined;
    const last = commit(cuts.length);
    await startEngine();
    await request(cuts.length);
    await appliedRound(last);
    expect(await owned()).toEqual(['default_changed__ConfigMap', `default_of-${cuts.length}__ConfigMap`]);
    expect(await inventory()).toEqual(await owned());
    const folder = at('storage', 'gitrepository', 'default', 'repo');
    const archives = readdirSync(folder).filter((file) => file.endsWith('.tar.gz'));
    expect(archives.length).toBeGreaterThan(0);
    for (const file of archives) expect(gunzipSync(readFileSync(join(folder, file))).length).toBeGreaterThan(0);
  }, 180_000);
});

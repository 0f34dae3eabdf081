import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { crdOf } from '../../api/crd.ts';
import { gitRepository } from '../../api/kinds/git-repository.ts';
import { kustomization } from '../../api/kinds/kustomization.ts';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import type { EventRecord } from '../../api/outcome.ts';
import type { HttpHandler, HttpRequest } from '../../base/http.ts';
import { at, isArray, type JsonObject, stringAt } from '../../base/json.ts';
import { silent } from '../../base/log.ts';
import { sha256Hex } from '../../build/build.ts';
import { type Builder, inlineBuilder } from '../../build/builder.ts';
import { createControlPlane } from '../../cluster/control-plane.ts';
import { startWorkloads } from '../../cluster/workloads/start-workloads.ts';
import type { KubeClient } from '../../kube/client.ts';
import { InformerPool } from '../../kube/informer-pool.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import { systemClock } from '../../kube/system-clock.ts';
import type { Controller } from '../../runtime/controller.ts';
import { startControllers } from '../../runtime/manager.ts';
import { kustomizationController } from './controller.ts';
import type { KustomizationOptions } from './ports.ts';

/** The controller at work on an embedded cluster, for tests: artifacts come from memory instead of git. */
interface TestEngine {
  readonly client: KubeClient;
  /** Events told about Kustomizations, in order. */
  readonly events: readonly (EventRecord & { readonly name: string })[];
  /** Requests of the engine since the last call. */
  takeRequests(): readonly string[];
  /** Makes `files` the artifact of GitRepository `name` in `default`. */
  publish(name: string, revision: string, files: Readonly<Record<string, string>>): Promise<void>;
  apply(object: Omit<KubeObject, 'metadata'> & { readonly metadata: { readonly name: string } }): Promise<KubeObject>;
  /** The object, once `test` is true for it; fails after 10 s with the last state seen. */
  until(ref: ObjectRef, test: (object: KubeObject | undefined) => boolean): Promise<KubeObject | undefined>;
  stop(): Promise<void>;
}

const WAIT_MS = 10_000;

async function startTestEngine(
  options: KustomizationOptions = {},
  builder: Builder = inlineBuilder(),
): Promise<TestEngine> {
  const root = mkdtempSync(join(tmpdir(), 'weir-test-'));
  const controlPlane = await createControlPlane();
  const workloads = startWorkloads({
    registry: controlPlane.registry,
    clock: systemClock,
    log: silent,
    random: Math.random,
    caPem: '',
    kubelet: true,
    scheduler: true,
    programFor: () => undefined,
  });
  const requests: string[] = [];
  const counting: HttpHandler = (request: HttpRequest) => {
    requests.push(`${request.method} ${request.path}`);
    return controlPlane.handler(request);
  };
  const client = createKubeClient({ handler: controlPlane.handler, userAgent: 'test' });
  const engineClient = createKubeClient({ handler: counting, userAgent: 'weir' });
  for (const kind of [gitRepository, kustomization]) {
    const made = await client.create(crdOf(kind as never));
    if (!made.ok) throw new Error(made.error.message);
  }
  const stop = new AbortController();
  const informers = new InformerPool({ client: engineClient, clock: systemClock, log: silent, signal: stop.signal });
  const directories = new Map<string, string>();
  const events: (EventRecord & { readonly name: string })[] = [];
  const controller = kustomizationController(
    {
      client: engineClient,
      informers,
      builder,
      clock: systemClock,
      log: silent,
      artifacts: {
        files: () => Promise.resolve({ ok: true, value: [] }),
        unpack: ({ digest }) => {
          const directory = directories.get(digest);
          return Promise.resolve(
            directory === undefined
              ? { ok: false, error: { code: 'NotFound', message: 'artifact not found' } }
              : { ok: true, value: { directory } },
          );
        },
      },
    },
    options,
  );
  const runtime = startControllers({
    controllers: [controller as unknown as Controller<never>],
    client: engineClient,
    log: silent,
    signal: stop.signal,
    informers,
    events: {
      record: (_component, object, event) => void events.push({ ...event, name: object.metadata.name }),
      close: () => Promise.resolve(),
    },
  });
  return {
    client,
    events,
    takeRequests: () => requests.splice(0),
    async publish(name, revision, files) {
      const digest = `sha256:${sha256Hex(JSON.stringify([revision, files]))}`;
      const directory = join(root, digest.slice(7));
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), text);
      }
      directories.set(digest, directory);
      const ref = { apiVersion: gitRepository.apiVersion, kind: 'GitRepository', namespace: 'default', name };
      const source = await client.apply(
        {
          apiVersion: ref.apiVersion,
          kind: ref.kind,
          metadata: { namespace: 'default', name },
          spec: { interval: '1h', url: 'https://example.com/repo.git' },
        },
        { fieldManager: 'test' },
      );
      if (!source.ok) throw new Error(source.error.message);
      const artifact = {
        digest,
        lastUpdateTime: new Date().toISOString(),
        path: 'x',
        revision,
        url: `http://localhost/${digest}`,
      };
      const body = { status: { artifact } };
      const options = { type: 'merge', subresource: 'status', fieldManager: 'test' } as const;
      const patched = await client.patch(ref, body, options);
      if (!patched.ok) throw new Error(patched.error.message);
    },
    async apply(object) {
      const namespaced = { ...object, metadata: { namespace: 'default', ...object.metadata } };
      const applied = await client.apply(namespaced, { fieldManager: 'test', force: true });
      if (!applied.ok) throw new Error(applied.error.message);
      return applied.value;
    },
    async until(ref, test) {
      const end = Date.now() + WAIT_MS;
      for (;;) {
        const found = await client.get(ref);
        const object = found.ok ? found.value : undefined;
        if (test(object)) return object;
        if (Date.now() > end) throw new Error(`waited too long for ${JSON.stringify(ref)}: ${JSON.stringify(object)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async stop() {
      stop.abort();
      await runtime.stopped;
      workloads.stop();
      await controlPlane.stop();
      await builder.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const app: ObjectRef = { apiVersion: KUSTOMIZE, kind: 'Kustomization', namespace: 'default', name: 'app' };
const cm = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name });
const manifest = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: "${value}"\n`;
const value = (object: KubeObject | undefined): unknown => at(object as unknown as JsonObject, 'data', 'key');
const readyOf = (object: KubeObject | undefined): JsonObject | undefined => {
  const list = at(object?.status, 'conditions');
  return isArray(list)
    ? (list.find((item) => stringAt(item, 'type') === 'Ready') as JsonObject | undefined)
    : undefined;
};
const applied = (revision: string) => (object: KubeObject | undefined) =>
  readyOf(object)?.['message'] === `Applied revision: ${revision}`;

let engine: TestEngine;
afterEach(() => engine.stop());

async function start(files: Record<string, string>, spec: JsonObject = {}): Promise<void> {
  engine = await startTestEngine();
  await engine.publish('repo', 'main@sha1:a', files);
  await engine.apply({
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name: 'app' },
    spec: {
      interval: '1h',
      path: './',
      prune: true,
      targetNamespace: 'default',
      sourceRef: { kind: 'GitRepository', name: 'repo' },
      ...spec,
    },
  });
}

it('applies a revision, the next one, prunes, and deletes with the Kustomization', async () => {
  await start({ 'a.yaml': manifest('a', 'one'), 'b.yaml': manifest('b', 'x') });
  const first = await engine.until(app, applied('main@sha1:a'));
  expect(first?.status).toMatchObject({
    inventory: {
      entries: [
        { id: 'default_a__ConfigMap', v: 'v1' },
        { id: 'default_b__ConfigMap', v: 'v1' },
      ],
    },
    lastAppliedRevision: 'main@sha1:a',
  });
  await engine.publish('repo', 'main@sha1:b', { 'a.yaml': manifest('a', 'two') });
  await engine.until(app, applied('main@sha1:b'));
  expect(value(await engine.until(cm('a'), () => true))).toBe('two');
  await engine.until(cm('b'), (object) => object === undefined);
  await engine.client.delete(app);
  await engine.until(app, (object) => object === undefined);
  await engine.until(cm('a'), (object) => object === undefined);
  expect(engine.events.map(({ reason, message }) => `${reason}: ${message.replace(/ in .*?,/, ' in TIME,')}`)).toEqual([
    'Progressing: ConfigMap/default/a created\nConfigMap/default/b created',
    'ReconciliationSucceeded: Reconciliation finished in TIME, next run in 1h0m0s',
    'Progressing: ConfigMap/default/a configured',
    'Progressing: ConfigMap/default/b deleted',
    'ReconciliationSucceeded: Reconciliation finished in TIME, next run in 1h0m0s',
    'ReconciliationSucceeded: ConfigMap/default/a deleted',
  ]);
});

it('puts back what somebody changed or deleted, without another line in the history', async () => {
  await start({ 'a.yaml': manifest('a', 'one') });
  await engine.until(app, applied('main@sha1:a'));
  await engine.client.patch(cm('a'), { data: { key: 'two' } }, { type: 'merge', fieldManager: 'kubectl-edit' });
  await engine.until(cm('a'), (object) => value(object) === 'one');
  await engine.client.delete(cm('a'));
  await engine.until(cm('a'), (object) => value(object) === 'one');
  const object = await engine.until(app, () => true);
  expect(at(object?.status, 'history')).toMatchObject([{ totalReconciliations: 1 }]);
});

it('keeps what there is when a revision cannot be built, and says why with file and line', async () => {
  await start({ 'a.yaml': manifest('a', 'one'), 'b.yaml': manifest('b', 'x') });
  await engine.until(app, applied('main@sha1:a'));
  await engine.publish('repo', 'main@sha1:b', { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: a: b\n' });
  const failed = await engine.until(app, (object) => readyOf(object)?.['reason'] === 'BuildFailed');
  expect(readyOf(failed)?.['message']).toMatch(/a\.yaml: MalformedYAMLError: yaml: line 3: /);
  expect(value(await engine.until(cm('b'), () => true))).toBe('x');
  await engine.publish('repo', 'main@sha1:c', { 'a.yaml': manifest('a', 'three') });
  await engine.until(app, applied('main@sha1:c'));
});

it('asks the server for nothing but the status when nothing has changed', async () => {
  await start({ 'a.yaml': manifest('a', 'one'), 'b.yaml': manifest('b', 'x') }, { wait: true });
  await engine.until(app, applied('main@sha1:a'));
  await engine.until(app, () => true);
  engine.takeRequests();
  await engine.publish('repo', 'main@sha1:b', {
    'a.yaml': manifest('a', 'one'),
    'b.yaml': manifest('b', 'x'),
    'c.txt': '',
  });
  await engine.until(app, applied('main@sha1:b'));
  const writes = engine.takeRequests().filter((request) => !request.includes('watch=true'));
  expect(writes.every((request) => /PATCH .*\/kustomizations\/app\/status/.test(request))).toBe(true);
});

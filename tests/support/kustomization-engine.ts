import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crdOf } from '../../src/api/crd.ts';
import { gitRepository } from '../../src/api/kinds/git-repository.ts';
import { kustomization } from '../../src/api/kinds/kustomization.ts';
import type { KubeObject, ObjectRef } from '../../src/api/object.ts';
import type { EventRecord } from '../../src/api/outcome.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../src/base/http.ts';
import { silent } from '../../src/base/log.ts';
import { sha256Hex } from '../../src/build/build.ts';
import { type Builder, inlineBuilder } from '../../src/build/builder.ts';
import { type ControlPlane, createControlPlane } from '../../src/cluster/control-plane.ts';
import { startWorkloads } from '../../src/cluster/workloads/start-workloads.ts';
import { kustomizationController } from '../../src/controllers/kustomization/controller.ts';
import type { KustomizationOptions } from '../../src/controllers/kustomization/ports.ts';
import type { CloudIdentity } from '../../src/identity/cloud-identity.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { InformerPool } from '../../src/kube/informer-pool.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { systemClock } from '../../src/kube/system-clock.ts';
import type { Controller } from '../../src/runtime/controller.ts';
import { startControllers } from '../../src/runtime/manager.ts';
import type { ArtifactReader } from '../../src/source/artifact/artifact.ts';

/** The controller at work on an embedded cluster, for tests: artifacts come from memory instead of git. */
export interface TestEngine {
  readonly client: KubeClient;
  /** Events told about Kustomizations, in order. */
  readonly events: readonly (EventRecord & { readonly name: string })[];
  /** Requests of the engine since the last call. */
  takeRequests(): readonly string[];
  /** Puts something between engine and cluster; undefined takes it away. */
  intercept(handler: ((request: HttpRequest, pass: HttpHandler) => Promise<HttpResponse>) | undefined): void;
  /**
   * Ends the engine at once, whatever it was doing, and starts another on the same cluster that remembers nothing. What was put
   * between goes, unless it is to be kept.
   */
  restart(options?: { readonly keepIntercept?: boolean }): Promise<void>;
  /** Makes `files` the artifact of GitRepository `name` in `default`. */
  publish(name: string, revision: string, files: Readonly<Record<string, string>>): Promise<void>;
  apply(object: Omit<KubeObject, 'metadata'> & { readonly metadata: { readonly name: string } }): Promise<KubeObject>;
  /** The object, once `test` is true for it; fails after 10 s with the last state seen. */
  until(ref: ObjectRef, test: (object: KubeObject | undefined) => boolean): Promise<KubeObject | undefined>;
  stop(): Promise<void>;
}

const WAIT_MS = 10_000;

/** What the engine has beside its cluster; `cloud` gets the engine's own client and the cluster. */
export interface TestSurroundings {
  readonly builder?: Builder;
  readonly cloud?: (client: KubeClient, controlPlane: ControlPlane) => CloudIdentity | Promise<CloudIdentity>;
}

export async function startTestEngine(
  options: KustomizationOptions = {},
  { builder = inlineBuilder(), cloud }: TestSurroundings = {},
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
  let between: ((request: HttpRequest, pass: HttpHandler) => Promise<HttpResponse>) | undefined;
  const client = createKubeClient({ handler: controlPlane.handler, userAgent: 'test' });
  for (const kind of [gitRepository, kustomization]) {
    const made = await client.create(crdOf(kind as never));
    if (!made.ok) throw new Error(made.error.message);
  }
  const identity = await cloud?.(client, controlPlane);
  const directories = new Map<string, string>();
  const events: (EventRecord & { readonly name: string })[] = [];
  const startEngine = (): { end(): void; readonly stopped: Promise<void> } => {
    const stop = new AbortController();
    let dead = false;
    const never = new Promise<HttpResponse>(() => undefined);
    const handler: HttpHandler = async (request) => {
      if (dead) return never;
      if (!request.path.includes('watch=true')) requests.push(`${request.method} ${request.path}`);
      const answer = await (between === undefined
        ? controlPlane.handler(request)
        : between(request, controlPlane.handler));
      return dead ? never : answer;
    };
    const engineClient = createKubeClient({ handler, userAgent: 'weir' });
    const informers = new InformerPool({ client: engineClient, clock: systemClock, log: silent, signal: stop.signal });
    const artifacts: Pick<ArtifactReader, 'unpack'> = {
      unpack: ({ digest }) => {
        const directory = directories.get(digest);
        return Promise.resolve(
          directory === undefined
            ? { ok: false, error: { code: 'NotFound', message: 'artifact not found' } }
            : { ok: true, value: { directory } },
        );
      },
    };
    const controller = kustomizationController(
      {
        client: engineClient,
        informers,
        builder,
        clock: systemClock,
        log: silent,
        artifacts,
        ...(identity === undefined ? {} : { cloud: identity }),
      },
      options,
    );
    const runtime = startControllers({
      controllers: [controller as unknown as Controller<never>],
      client: engineClient,
      log: silent,
      signal: stop.signal,
      informers,
      minRetryMs: 20,
      events: {
        record: (_component, object, event) => void events.push({ ...event, name: object.metadata.name }),
        close: () => Promise.resolve(),
      },
    });
    return {
      end: () => {
        dead = true;
        stop.abort();
      },
      get stopped() {
        stop.abort();
        return runtime.stopped;
      },
    };
  };
  let engine = startEngine();
  return {
    client,
    events,
    takeRequests: () => requests.splice(0),
    intercept: (handler) => {
      between = handler;
    },
    restart: async ({ keepIntercept = false } = {}) => {
      engine.end();
      if (!keepIntercept) between = undefined;
      engine = startEngine();
      await Promise.resolve();
    },
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
      await engine.stopped;
      workloads.stop();
      await controlPlane.stop();
      await builder.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

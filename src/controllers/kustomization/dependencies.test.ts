import { afterEach, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import {
  cm,
  exists,
  hasFailed,
  isReady,
  ks,
  kustomize,
  manifest,
  messageOf,
} from '../../../tests/support/kustomization-scenario.ts';
import { at, type JsonObject } from '../../base/json.ts';
import { silent } from '../../base/log.ts';
import { InformerPool, type Selection } from '../../kube/informer-pool.ts';
import { systemClock } from '../../kube/system-clock.ts';
import { DependencyWatch } from './dependency-watch.ts';
import type { KustomizationOptions } from './ports.ts';

const app = ks('app');
const TWO = { 'x/a.yaml': manifest('a'), 'y/b.yaml': manifest('b') };
const SECRET = { apiVersion: 'v1', kind: 'Secret', name: 'credentials' };

let engine: TestEngine;
afterEach(() => engine.stop());

async function start(options: KustomizationOptions = {}): Promise<void> {
  engine = await startTestEngine({ requeueDependencyMs: 3_600_000, ...options });
  await engine.publish('repo', 'main@sha1:a', TWO);
}

const dependsOn = (dependency: JsonObject, more: JsonObject = {}): JsonObject => ({ dependsOn: [dependency], ...more });

describe('D02: a dependency of another kind', () => {
  it('is read as the account that the Kustomization acts as: an expression tells nothing of what that may not see', async () => {
    await start();
    await engine.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'credentials' },
      stringData: { password: 'x' },
    } as never);
    const readyExpr = "dep.data.password.startsWith('z')";
    await kustomize(engine, 'app', dependsOn({ ...SECRET, readyExpr }, { serviceAccountName: 'tenant' }));
    expect(messageOf(await engine.until(app, hasFailed))).toMatch(/secrets "credentials" is forbidden/);
    // Without an account it is applied as the engine itself, which may see all.
    await kustomize(engine, 'free', dependsOn({ ...SECRET, readyExpr }));
    expect(messageOf(await engine.until(ks('free'), hasFailed))).toMatch(/is not ready according to readyExpr eval/);
  });

  it('is read as the account of the engine’s settings where the Kustomization names none', async () => {
    await start({ defaultServiceAccount: 'tenant' });
    await engine.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'credentials' },
      stringData: { password: 'x' },
    } as never);
    await kustomize(engine, 'app', dependsOn({ ...SECRET, readyExpr: 'true' }));
    expect(messageOf(await engine.until(app, hasFailed))).toMatch(/secrets "credentials" is forbidden/);
  });

  it('is refused in another namespace where such references are blocked, whether it is there or not', async () => {
    await start({ noCrossNamespaceRefs: true });
    const dependency = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'none' };
    await kustomize(engine, 'app', dependsOn(dependency));
    expect(messageOf(await engine.until(app, hasFailed))).toBe(
      "can't access 'ConfigMap/kube-system/none', cross-namespace references have been blocked",
    );
  });

  it('is watched where the cluster has its kind, and is no Secret', async () => {
    await start();
    const informers = new InformerPool({
      client: engine.client,
      clock: systemClock,
      log: silent,
      signal: AbortSignal.abort(),
    });
    const watched: string[] = [];
    const noting = Object.assign(Object.create(informers) as InformerPool, {
      watch: (selection: Selection) => {
        watched.push(selection.kind);
        return informers.watch(selection);
      },
    });
    const watch = new DependencyWatch(noting, () => []);
    for (const kind of ['ConfigMap', 'Secret', 'None']) await watch.watch({ apiVersion: 'v1', kind }, engine.client);
    expect(watched).toEqual(['ConfigMap']);
  });
});

describe('D02: a dependency in another namespace, where such references are blocked,', () => {
  const HIDDEN = /^dependency 'other\/base' not found: kustomizations.kustomize.toolkit.fluxcd.io "base" is forbidden/;
  const tenant = { serviceAccountName: 'tenant' };
  const base = { ...ks('base'), namespace: 'other' };

  /** A Kustomization that nobody works on, with a Ready condition. */
  async function make(status: string, spec: JsonObject = {}): Promise<void> {
    const sourceRef = { kind: 'GitRepository', name: 'secret' };
    const { apiVersion, kind, name, namespace } = base;
    await engine.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await engine.client.create({
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec: { interval: '1h', prune: true, suspend: true, sourceRef, ...spec },
    });
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const conditions = [{ type: 'Ready', status, reason: 'DependencyNotReady', message: '', lastTransitionTime }];
    const change = { status: { observedGeneration: 1, conditions } };
    await engine.client.patch(base, change, { type: 'merge', subresource: 'status' });
  }

  it.each<[string, string | undefined, JsonObject]>([
    ['that does not exist', undefined, {}],
    ['that is not ready', 'False', {}],
    ['that waits for another', 'False', { dependsOn: [{ name: 'hush' }] }],
  ])('%s is told of as to any account that may not look there', async (_, status, spec) => {
    await start({ noCrossNamespaceRefs: true });
    if (status !== undefined) await make(status, spec);
    await kustomize(engine, 'app', dependsOn({ name: 'base', namespace: 'other' }, tenant));
    expect(messageOf(await engine.until(app, hasFailed))).toMatch(HIDDEN);
  });

  it.each<[string, string | undefined, string]>([
    ['that does not exist', undefined, `not found: kustomizations.kustomize.toolkit.fluxcd.io "base" not found`],
    ['that is not ready', 'False', 'is not ready'],
  ])('%s is told of in Flux’s words to one that may', async (_, status, words) => {
    await start({ noCrossNamespaceRefs: true });
    if (status !== undefined) await make(status, { dependsOn: [{ name: 'hush' }] });
    await kustomize(engine, 'app', dependsOn({ name: 'base', namespace: 'other' }));
    expect(messageOf(await engine.until(app, hasFailed))).toBe(`dependency 'other/base' ${words}`);
  });

  it('that is ready is waited for no more, as with Flux', async () => {
    await start({ noCrossNamespaceRefs: true });
    await make('True');
    await kustomize(engine, 'app', dependsOn({ name: 'base', namespace: 'other' }));
    expect(await engine.until(app, isReady('main@sha1:a'))).toBeDefined();
  });

  it('is seen by an expression as the account may see it that the Kustomization acts as', async () => {
    await start({ noCrossNamespaceRefs: true });
    await make('True');
    const dependency = { name: 'base', namespace: 'other', readyExpr: "dep.spec.sourceRef.name.startsWith('z')" };
    await kustomize(engine, 'app', dependsOn(dependency, tenant));
    expect(messageOf(await engine.until(app, hasFailed))).toMatch(HIDDEN);
  });

  it('ends the chain that is told of', async () => {
    await start({ noCrossNamespaceRefs: true });
    await make('False');
    await kustomize(engine, 'middle', dependsOn({ name: 'base', namespace: 'other' }));
    await engine.until(ks('middle'), hasFailed);
    await kustomize(engine, 'app', dependsOn({ name: 'middle' }));
    const want = "dependency 'default/middle' is not ready: blocked by 'other/base'";
    expect(messageOf(await engine.until(app, hasFailed))).toBe(want);
  });
});

describe('a dependency', () => {
  it('that becomes ready right after it was looked at is seen at once', async () => {
    await start();
    await engine.publish('repo', 'main@sha1:a', TWO);
    await kustomize(engine, 'base', { path: './y' });
    await engine.until(ks('base'), isReady('main@sha1:a'));
    await kustomize(engine, 'app', dependsOn({ name: 'base' }));
    await engine.until(app, isReady('main@sha1:a'));
    // Both get the next revision. The dependent reads its dependency, and goes on only when that is ready.
    let answered = 0;
    engine.intercept(async (request, pass) => {
      const isRead = request.method === 'GET' && request.path.endsWith('/kustomizations/base');
      if (!isRead) return pass(request);
      const answer = await pass(request);
      if (answered++ === 0) {
        // Our own status still says Ready, of the revision before.
        await engine.until(ks('base'), isReady('main@sha1:b'));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return answer;
    });
    await kustomize(engine, 'base', { path: './y', suspend: true });
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two'), 'y/b.yaml': manifest('b', 'two') });
    await engine.until(app, () => answered > 0);
    await kustomize(engine, 'base', { path: './y', suspend: false });
    await engine.until(app, isReady('main@sha1:b'));
    expect(answered).toBeGreaterThan(1);
  });

  it('that has a new revision while the dependent is at work is no cause for another pass', async () => {
    await start();
    await engine.publish('other', 'main@sha1:a', TWO);
    const base = { path: './y', sourceRef: { kind: 'GitRepository', name: 'other' } };
    await kustomize(engine, 'base', base);
    await engine.until(ks('base'), isReady('main@sha1:a'));
    let moved = false;
    engine.intercept(async (request, pass) => {
      if (request.method === 'PATCH' && request.path.includes('/configmaps/a') && !moved) {
        moved = true;
        await engine.publish('other', 'main@sha1:b', { ...TWO, 'y/b.yaml': manifest('b', 'two') });
        await engine.until(ks('base'), isReady('main@sha1:b'));
      }
      return pass(request);
    });
    await kustomize(engine, 'app', dependsOn({ name: 'base' }, { path: './x' }));
    await engine.until(app, isReady('main@sha1:a'));
    // Whatever pass is due by then comes before the one of the next revision.
    await engine.publish('repo', 'main@sha1:c', { ...TWO, 'README.md': 'text' });
    const object = await engine.until(app, isReady('main@sha1:c'));
    expect(at(object?.status, 'history')).toMatchObject([{ totalReconciliations: 2 }]);
  });

  it('on itself is told as a cycle', async () => {
    await start();
    await kustomize(engine, 'app', dependsOn({ name: 'app' }));
    expect(messageOf(await engine.until(app, hasFailed))).toBe(
      "dependency 'default/app' is not ready: dependency cycle: default/app -> default/app",
    );
  });

  it('that is deleted holds up the next revision, until it is there again', async () => {
    await start();
    await kustomize(engine, 'base', { path: './y' });
    await engine.until(ks('base'), isReady('main@sha1:a'));
    await kustomize(engine, 'app', dependsOn({ name: 'base' }));
    await engine.until(app, isReady('main@sha1:a'));
    await engine.client.delete(ks('base'));
    await engine.publish('repo', 'main@sha1:b', { ...TWO, 'x/a.yaml': manifest('a', 'two') });
    expect(messageOf(await engine.until(app, hasFailed))).toContain("dependency 'default/base' not found");
    await engine.until(cm('a'), exists);
    await kustomize(engine, 'base', { path: './y' });
    expect(await engine.until(app, isReady('main@sha1:b'))).toBeDefined();
  });

  it('with an expression that never ends holds up nobody else', async () => {
    await start();
    await kustomize(engine, 'base', { path: './y' });
    await engine.until(ks('base'), isReady('main@sha1:a'));
    const readyExpr = `[1]${'.map(x, [x, x])'.repeat(40)} == [1]${'.map(x, [x, x])'.repeat(40)}`;
    await kustomize(engine, 'app', dependsOn({ name: 'base', readyExpr }));
    expect(messageOf(await engine.until(app, hasFailed))).toContain('actual cost limit exceeded');
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../base/http.ts';
import { at, isArray, stringAt } from '../../base/json.ts';

const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const app: ObjectRef = { apiVersion: KUSTOMIZE, kind: 'Kustomization', namespace: 'default', name: 'app' };
const object = (kind: string, name: string, namespace?: string): ObjectRef => {
  return namespace === undefined ? { apiVersion: 'v1', kind, name } : { apiVersion: 'v1', kind, name, namespace };
};
const FIRST = {
  'ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n',
  'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team}\ndata: {key: one}\n',
  'b.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: team}\nstringData: {key: one}\n',
};
/** One object changed, one new, one gone. */
const SECOND = {
  'ns.yaml': FIRST['ns.yaml'],
  'a.yaml': FIRST['a.yaml'].replace('one', 'two'),
  'c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: team}\n',
};

let engine: TestEngine;
afterEach(() => engine.stop());

const isWrite = ({ method }: HttpRequest): boolean => method !== 'GET';
const appliedAs = (revision: string) => (found: KubeObject | undefined) =>
  stringAt(found?.status, 'lastAppliedRevision') === revision;
const inventory = (found: KubeObject | undefined): readonly string[] => {
  const entries = at(found?.status, 'inventory', 'entries');
  return isArray(entries) ? entries.map((entry) => stringAt(entry, 'id') ?? '').sort() : [];
};

/** Objects that carry the Kustomization's label, by inventory id. */
async function owned(): Promise<readonly string[]> {
  const labelSelector = 'kustomize.toolkit.fluxcd.io/name=app';
  const ids: string[] = [];
  for (const kind of ['Namespace', 'ConfigMap', 'Secret']) {
    const listed = await engine.client.list({ apiVersion: 'v1', kind }, { labelSelector });
    if (!listed.ok) throw new Error(listed.error.message);
    for (const { metadata } of listed.value.items) ids.push(`${metadata.namespace ?? ''}_${metadata.name}__${kind}`);
  }
  return ids.sort();
}

async function create(): Promise<void> {
  await engine.apply({
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name: 'app' },
    spec: { interval: '1h', path: './', prune: true, sourceRef: { kind: 'GitRepository', name: 'repo' } },
  });
}

/** Lets `count` writes through; the next one is the last of this engine, and reaches the cluster or does not. */
function dieAfter(count: number, reached: boolean): Promise<void> {
  let left = count;
  return new Promise((died) => {
    engine.intercept(async (request: HttpRequest, pass: HttpHandler): Promise<HttpResponse> => {
      if (!isWrite(request) || left-- > 0) return pass(request);
      if (left === -1 && reached) await pass(request);
      died();
      return new Promise<HttpResponse>(() => undefined);
    });
  });
}

describe('C03: an engine that dies at any write, whether it reached the cluster or not', () => {
  // The first revision takes 11 writes (finalizer, dry-runs, inventory, creations, status), the second fewer.
  const cuts = Array.from({ length: 11 }, (_, count) => [count, false] as const).flatMap(([count]) => [
    [count, false] as const,
    [count, true] as const,
  ]);

  it.each(cuts)(
    'leaves nothing that is not in the inventory (after %i writes, reached: %s)',
    async (count, reached) => {
      engine = await startTestEngine();
      await engine.publish('repo', 'main@sha1:a', FIRST);
      const died = dieAfter(count, reached);
      await create();
      const finished = engine.until(app, appliedAs('main@sha1:a')).then(() => undefined);
      await Promise.race([died, finished]);
      const left = await owned();
      const listed = inventory(await engine.until(app, () => true));
      for (const id of left) expect(listed).toContain(id);
      // Nobody makes the same things again: what was created must be found by who comes next.
      await engine.publish('repo', 'main@sha1:b', SECOND);
      await engine.restart();
      const done = await engine.until(app, appliedAs('main@sha1:b'));
      expect(await owned()).toEqual(['_team__Namespace', 'team_a__ConfigMap', 'team_c__ConfigMap']);
      expect(inventory(done)).toEqual(['_team__Namespace', 'team_a__ConfigMap', 'team_c__ConfigMap']);
    },
  );

  it.each([0, 1, 2, 3, 4, 5, 6, 7].flatMap((count) => [[count, false] as const, [count, true] as const]))(
    'prunes the rest the next time (after %i writes of the change, reached: %s)',
    async (count, reached) => {
      engine = await startTestEngine();
      await engine.publish('repo', 'main@sha1:a', FIRST);
      await create();
      await engine.until(app, appliedAs('main@sha1:a'));
      const died = dieAfter(count, reached);
      await engine.publish('repo', 'main@sha1:b', SECOND);
      await Promise.race([died, engine.until(app, appliedAs('main@sha1:b')).then(() => undefined)]);
      for (const id of await owned()) expect(inventory(await engine.until(app, () => true))).toContain(id);
      await engine.restart();
      await engine.until(app, appliedAs('main@sha1:b'));
      await engine.until(object('Secret', 'b', 'team'), (found) => found === undefined);
      expect(inventory(await engine.until(app, () => true))).toEqual([
        '_team__Namespace',
        'team_a__ConfigMap',
        'team_c__ConfigMap',
      ]);
    },
  );
});

describe('C04: the inventory cannot be written', () => {
  it.each([409, 500])('creates nothing before it can (HTTP %i)', async (status) => {
    engine = await startTestEngine();
    await engine.publish('repo', 'main@sha1:a', FIRST);
    let refused = 0;
    engine.intercept(async (request, pass) => {
      if (request.method !== 'PATCH' || !request.path.includes('/kustomizations/app/status')) return pass(request);
      refused++;
      return failure(status);
    });
    await create();
    await engine.until(app, () => refused >= 3);
    expect(await owned()).toEqual([]);
    engine.intercept(undefined);
    await engine.until(app, appliedAs('main@sha1:a'));
    expect(inventory(await engine.until(app, () => true))).toEqual(await owned());
  });

  it('finds and prunes what was applied when only the last write failed', async () => {
    engine = await startTestEngine();
    await engine.publish('repo', 'main@sha1:a', FIRST);
    let writes = 0;
    engine.intercept(async (request, pass) => {
      const isStatus = request.method === 'PATCH' && request.path.includes('/kustomizations/app/status');
      if (!isStatus || ++writes < 3) return pass(request);
      return failure(500);
    });
    await create();
    await engine.until(object('ConfigMap', 'a', 'team'), (found) => found !== undefined);
    await engine.until(app, () => writes >= 3);
    await engine.publish('repo', 'main@sha1:b', SECOND);
    await engine.restart();
    await engine.until(app, appliedAs('main@sha1:b'));
    expect(await owned()).toEqual(['_team__Namespace', 'team_a__ConfigMap', 'team_c__ConfigMap']);
  });
});

function failure(code: number): HttpResponse {
  const reason = code === 409 ? 'Conflict' : 'InternalError';
  const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message: 'no', code });
  return {
    status: code,
    headers: { 'content-type': 'application/json' },
    body: (async function* () {
      yield new TextEncoder().encode(body);
    })(),
  };
}

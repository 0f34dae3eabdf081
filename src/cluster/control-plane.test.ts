import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpResponse } from '../base/http.ts';
import { at, type Json, parseJson, stringAt, stringifyJson } from '../base/json.ts';
import { type ControlPlane, createControlPlane } from './control-plane.ts';

let plane: ControlPlane;
beforeEach(async () => {
  plane = await createControlPlane();
});
afterEach(() => plane.stop());

async function text(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function call(
  method: string,
  path: string,
  body?: Json,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Json }> {
  const response = await plane.handler({
    method,
    path,
    headers: {
      'user-agent': 'test/1',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: Buffer.from(stringifyJson(body)) }),
  });
  return { status: response.status, body: parseJson(await text(response)) };
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

describe('the API server', () => {
  it('creates, reads, changes and deletes', async () => {
    expect((await call('POST', MAPS, configMap('a', { k: 'v' }))).status).toBe(201);
    expect(at((await call('GET', `${MAPS}/a`)).body, 'data')).toEqual({ k: 'v' });
    const patched = await call(
      'PATCH',
      `${MAPS}/a`,
      { data: { k: null, l: 'w' } },
      { 'content-type': 'application/merge-patch+json' },
    );
    expect(at(patched.body, 'data')).toEqual({ l: 'w' });
    expect((await call('DELETE', `${MAPS}/a`)).status).toBe(200);
    expect((await call('GET', `${MAPS}/a`)).status).toBe(404);
  });

  it('refuses a stale update and keeps the version of one that changes nothing', async () => {
    const { body } = await call('POST', MAPS, configMap('a'));
    const version = at(body, 'metadata', 'resourceVersion');
    const same = await call('PUT', `${MAPS}/a`, body);
    expect(at(same.body, 'metadata', 'resourceVersion')).toBe(version);
    await call('PUT', `${MAPS}/a`, configMap('a', { x: 'y' }));
    const stale = await call('PUT', `${MAPS}/a`, body);
    expect([stale.status, at(stale.body, 'reason')]).toEqual([409, 'Conflict']);
  });

  it('keeps foreign keys and long integers', async () => {
    const response = await plane.handler({
      method: 'POST',
      path: MAPS,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"p"},"data":{"__proto__":"x","constructor":"y"}}',
      ),
    });
    expect(await text(response)).toContain('"__proto__":"x"');
  });

  it('names the manager of a conflict in a server-side apply', async () => {
    const apply = (manager: string, value: string): ReturnType<typeof call> =>
      call('PATCH', `${MAPS}/s?fieldManager=${manager}`, configMap('s', { k: value }), {
        'content-type': 'application/apply-patch+yaml',
      });
    expect((await apply('one', '1')).status).toBe(201);
    const conflict = await apply('two', '2');
    expect(conflict.status).toBe(409);
    expect(at(conflict.body, 'message')).toContain('conflict with "one": .data.k');
  });

  it('streams what happens after the version asked for, and ends at the timeout of its signal', async () => {
    const first = await call('POST', MAPS, configMap('w1'));
    const version = at(first.body, 'metadata', 'resourceVersion') as string;
    const abort = new AbortController();
    const response = await plane.handler({
      method: 'GET',
      path: `${MAPS}?watch=true&resourceVersion=${version}`,
      headers: {},
      signal: abort.signal,
    });
    await call('POST', MAPS, configMap('w2'));
    await call('DELETE', `${MAPS}/w1`);
    const seen: string[] = [];
    for await (const chunk of response.body) {
      for (const line of Buffer.from(chunk)
        .toString()
        .split('\n')
        .filter((one) => one !== '')) {
        const event = parseJson(line);
        seen.push(`${stringAt(event, 'type') ?? ''} ${stringAt(event, 'object', 'metadata', 'name') ?? ''}`);
      }
      if (seen.length === 2) abort.abort();
    }
    expect(seen).toEqual(['ADDED w2', 'DELETED w1']);
  });

  it('lets an impersonated user do what roles allow, and nothing else', async () => {
    const as = { 'impersonate-user': 'jane' };
    expect((await call('GET', MAPS, undefined, as)).status).toBe(403);
    await call('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'jane' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    expect((await call('GET', MAPS, undefined, as)).status).toBe(200);
    expect((await call('POST', MAPS, configMap('x'), as)).status).toBe(403);
    expect((await call('GET', '/api/v1/namespaces/default/secrets', undefined, as)).status).toBe(403);
  });

  it('serves a custom resource as soon as its definition is there, and not after it', async () => {
    const definition: Json = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: { type: 'object', properties: { size: { type: 'integer', default: 3, maximum: 9 } } },
                },
              },
            },
          },
        ],
      },
    };
    const path = '/apis/example.com/v1/namespaces/default/widgets';
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    const widget = (spec: Json): Json => ({
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'w' },
      spec,
    });
    expect((await call('POST', path, widget({ size: 10 }))).status).toBe(422);
    expect(at((await call('POST', path, widget({ other: 1 }))).body, 'spec')).toEqual({ size: 3 });
    const resource = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };
    const deleted = new Promise<void>((resolve) =>
      plane.registry.watch(resource, ({ type }) => type === 'DELETED' && resolve()),
    );
    await call('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com');
    await deleted;
    const gone = await plane.handler({ method: 'GET', path, headers: {} });
    expect(gone.status).toBe(404);
  });

  it.each([
    ['POST', MAPS, 415, 'text/plain'],
    ['PATCH', `${MAPS}/x`, 415, 'application/json'],
    ['PUT', MAPS, 405, 'application/json'],
    ['GET', '/api/v1/nothing', 404, ''],
  ])('%s %s is refused with %i', async (method, path, status, type) => {
    expect((await call(method, path, method === 'GET' ? undefined : {}, { 'content-type': type })).status).toBe(status);
  });
});

describe('a control plane with a data directory', () => {
  it('has its objects, certificates and signing key again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-plane-'));
    const first = await createControlPlane({ dataDirectory: directory });
    const one = await first.listen();
    await first.registry.create(
      { group: '', plural: 'configmaps' },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', namespace: 'default' } },
      'test',
    );
    await first.stop();
    const second = await createControlPlane({ dataDirectory: directory });
    const two = await second.listen();
    expect(second.registry.get({ group: '', plural: 'configmaps' }, 'default', 'kept')).toBeDefined();
    expect(two.pki.authority).toBe(one.pki.authority);
    await second.stop();
    rmSync(directory, { recursive: true });
  });
});

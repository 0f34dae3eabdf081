import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { HttpHandler, HttpResponse } from '../../base/http.ts';
import type { JsonObject } from '../../base/json.ts';
import { at, isArray } from '../../base/json.ts';
import { createControlPlane } from '../control-plane.ts';

let handler: HttpHandler;

async function get(path: string, headers: Record<string, string> = {}): Promise<HttpResponse & { bytes: Buffer }> {
  const response = await handler({ method: 'GET', path, headers });
  const parts: Uint8Array[] = [];
  if (response.body !== undefined) for await (const part of response.body) parts.push(part);
  return { ...response, bytes: Buffer.concat(parts) };
}
async function document(path: string): Promise<JsonObject> {
  return JSON.parse((await get(path)).bytes.toString()) as JsonObject;
}

const WIDGETS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'apples.fruit.example.org' },
  spec: {
    group: 'fruit.example.org',
    scope: 'Namespaced',
    names: { kind: 'Apple', listKind: 'AppleList', plural: 'apples', singular: 'apple' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'An <apple>.',
            properties: {
              spec: {
                type: 'object',
                required: ['size', 'peel'],
                properties: {
                  size: { type: 'integer', default: 1, minimum: 0, description: 'How big.' },
                  peel: { type: 'string', nullable: true },
                  port: { 'x-kubernetes-int-or-string': true },
                  inner: {
                    type: 'object',
                    'x-kubernetes-embedded-resource': true,
                    'x-kubernetes-preserve-unknown-fields': true,
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

beforeAll(async () => {
  const controlPlane = await createControlPlane();
  handler = controlPlane.handler;
  await handler({
    method: 'POST',
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode(JSON.stringify(WIDGETS)),
  });
  // Served as soon as it is established, which follows on its own.
  await vi.waitFor(
    async () => {
      if ((await get('/apis/fruit.example.org/v1')).status !== 200) throw new Error('not served');
    },
    { interval: 5 },
  );
});

describe('OpenAPI v3', () => {
  it('writes documents of built-in kinds that hash to what a real server puts into its index', async () => {
    const paths = at(await document('/openapi/v3'), 'paths') as JsonObject;
    for (const name of ['api/v1', 'apis/apps/v1', 'apis/batch', 'version']) {
      const url = at(paths[name], 'serverRelativeURL') as string;
      const { bytes, headers } = await get(url);
      expect(createHash('sha512').update(bytes).digest('hex').toUpperCase()).toBe(url.split('hash=')[1]);
      expect(headers).toMatchObject({
        etag: `"${url.split('hash=')[1] ?? ''}"`,
        'cache-control': 'public, immutable',
        'content-type': 'application/json',
      });
    }
  });

  it('describes fields', async () => {
    const schemas = at(await document('/openapi/v3/apis/apps/v1'), 'components', 'schemas');
    expect(at(schemas, 'io.k8s.api.apps.v1.DeploymentSpec', 'properties', 'replicas', 'description')).toMatch(
      /^Number of desired pods/,
    );
  });

  it('leads from an old hash to the current one', async () => {
    const { status, headers } = await get('/openapi/v3/apis/apps/v1?hash=OLD');
    expect([status, headers['location']]).toEqual([
      301,
      expect.stringMatching(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/),
    ]);
  });

  it('lists custom kinds in their place', async () => {
    const names = Object.keys(at(await document('/openapi/v3'), 'paths') as JsonObject);
    expect(names).toEqual(names.toSorted());
    expect(names).toContain('apis/fruit.example.org/v1');
  });

  it('publishes a custom kind with its paths, lists and embedded objects', async () => {
    const custom = await document('/openapi/v3/apis/fruit.example.org/v1');
    const base = '/apis/fruit.example.org/v1/namespaces/{namespace}/apples';
    expect(Object.keys(custom['paths'] as JsonObject)).toEqual([
      '/apis/fruit.example.org/v1/apples',
      base,
      `${base}/{name}`,
      `${base}/{name}/status`,
    ]);
    expect(at(custom, 'paths', base, 'post')).toMatchObject({
      tags: ['fruitExampleOrg_v1'],
      description: 'create an Apple',
      operationId: 'createFruitExampleOrgV1NamespacedApple',
      'x-kubernetes-group-version-kind': { group: 'fruit.example.org', version: 'v1', kind: 'Apple' },
    });
    const schemas = at(custom, 'components', 'schemas');
    expect(at(schemas, 'org.example.fruit.v1.Apple', 'properties', 'spec', 'properties')).toEqual({
      inner: expect.objectContaining({ required: ['kind', 'apiVersion'] }) as unknown,
      peel: { type: 'string', nullable: true },
      port: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true },
      size: { description: 'How big.', type: 'integer', default: 1, minimum: 0 },
    });
    expect(at(schemas, 'org.example.fruit.v1.AppleList', 'description')).toBe('AppleList is a list of Apple');
    expect(at(schemas, 'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry')).toBeDefined();
  });
});

describe('OpenAPI v2', () => {
  it('has the built-in kinds and the custom ones, as far as v2 can say it', async () => {
    const definitions = at(await document('/openapi/v2'), 'definitions') as JsonObject;
    expect(Object.keys(definitions).length).toBeGreaterThan(560);
    expect(at(definitions['org.example.fruit.v1.Apple'], 'properties', 'spec')).toEqual({
      type: 'object',
      required: ['size'],
      properties: {
        inner: { 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
        peel: {},
        port: { 'x-kubernetes-int-or-string': true },
        size: { description: 'How big.', type: 'integer', minimum: 0 },
      },
    });
  });

  it('is written as protobuf for those who ask for it', async () => {
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const { bytes, headers } = await get('/openapi/v2', { accept });
    expect(headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    // openapi.v2.Document: swagger = 1, info = 2 {title = 1, version = 2}, paths = 8.
    expect(bytes.subarray(0, 25).toString('latin1')).toBe('\n\x032.0\x12\x12\n\nKubernetes\x12\x041.34');
    expect(bytes[25]).toBe((8 << 3) | 2);
    expect(bytes.includes('group: fruit.example.org\nkind: Apple\nversion: v1\n')).toBe(true);
  });

  it('is not sent again to a client that has it, and not at all in a form that nobody has', async () => {
    const { headers } = await get('/openapi/v2');
    expect((await get('/openapi/v2', { 'if-none-match': headers['etag'] ?? '' })).status).toBe(304);
    expect((await get('/openapi/v2', { accept: 'text/html' })).status).toBe(406);
  });

  it('lists operations by media types', async () => {
    const consumes = at(await document('/openapi/v2'), 'paths', '/api/v1/namespaces', 'post', 'consumes');
    expect(isArray(consumes)).toBe(true);
  });
});

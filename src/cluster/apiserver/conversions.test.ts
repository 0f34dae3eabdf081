import { afterEach, expect, it } from 'vitest';
import { at, field, isArray, type Json, type JsonObject, parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';

/** A definition whose v2 calls `host` of v1 `hostname`; answers as kube-apiserver 1.34.1 gave them with the same webhook. */

let plane: ControlPlane | undefined;
let calls: Json[] = [];
afterEach(async () => {
  await plane?.stop();
  plane = undefined;
  calls = [];
});

const GROUP = 'conv.example.com';
const path = (version: string, name = ''): string =>
  `/apis/${GROUP}/${version}/namespaces/default/things${name === '' ? '' : `/${name}`}`;

async function call(method: string, url: string, body?: Json, type = 'application/json'): Promise<Json> {
  const response = await (plane as ControlPlane).handler({
    method,
    path: url,
    headers: { 'user-agent': 'test/1', ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: new TextEncoder().encode(stringifyJson(body)) }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return parseJson(Buffer.concat(chunks).toString());
}

function renamed(object: Json, apiVersion: string): Json {
  const [from, to] = apiVersion.endsWith('v2') ? ['host', 'hostname'] : ['hostname', 'host'];
  return { ...(object as JsonObject), apiVersion, spec: { [to as string]: at(object, 'spec', from as string) ?? '' } };
}

async function start(result: JsonObject = { status: 'Success' }): Promise<void> {
  plane = await createControlPlane({
    sendOutgoing: async ({ body }) => {
      const request = field(parseJson(body), 'request') ?? null;
      calls.push(request);
      const objects = field(request, 'objects');
      const desired = stringAt(request, 'desiredAPIVersion') ?? '';
      const response = {
        uid: stringAt(request, 'uid') ?? '',
        result,
        convertedObjects: (isArray(objects) ? objects : []).map((object) => renamed(object, desired)),
      };
      const review = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response };
      return ok({ status: 200, body: stringifyJson(review) });
    },
  });
  const version = (name: string, key: string): JsonObject => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { [key]: { type: 'string', maxLength: 5 } } } },
      },
    },
  });
  await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [version('v1', 'host'), version('v2', 'hostname')],
      conversion: {
        strategy: 'Webhook',
        webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://hook.example.com/convert' } },
      },
    },
  });
}

const thing = (version: string, name: string, spec: JsonObject): JsonObject => ({
  apiVersion: `${GROUP}/${version}`,
  kind: 'Thing',
  metadata: { name },
  spec,
});

it('shows and stores every version in its own shape, and asks once for a list', async () => {
  await start();
  await call('POST', path('v1'), thing('v1', 'a', { host: 'x' }));
  const made = await call('POST', path('v2'), thing('v2', 'b', { hostname: 'y' }));
  expect(field(made, 'spec')).toEqual({ hostname: 'y' });
  expect(field(await call('GET', path('v1', 'b')), 'spec')).toEqual({ host: 'y' });
  calls = [];
  const list = await call('GET', path('v2'));
  const items = field(list, 'items');
  expect((isArray(items) ? items : []).map((item) => field(item, 'spec'))).toEqual([
    { hostname: 'x' },
    { hostname: 'y' },
  ]);
  expect(calls).toHaveLength(1);
});

it('patches and judges in the version of the request', async () => {
  await start();
  await call('POST', path('v1'), thing('v1', 'a', { host: 'x' }));
  const merge = 'application/merge-patch+json';
  const patched = await call('PATCH', path('v2', 'a'), { spec: { hostname: 'z' } }, merge);
  expect(field(patched, 'spec')).toEqual({ hostname: 'z' });
  expect(field(await call('GET', path('v1', 'a')), 'spec')).toEqual({ host: 'z' });
  const long = await call('PATCH', path('v2', 'a'), { spec: { hostname: 'too long' } }, merge);
  expect(at(long, 'details', 'causes')).toMatchObject([{ field: 'spec.hostname', reason: 'FieldValueTooLong' }]);
});

it('says what a webhook says', async () => {
  await start({ status: 'Failure', message: 'no can do' });
  await call('POST', path('v1'), thing('v1', 'a', { host: 'x' }));
  expect(await call('GET', path('v2', 'a'))).toMatchObject({
    code: 500,
    message: `conversion webhook for ${GROUP}/v1, Kind=Thing failed: no can do`,
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { at, field, isArray, type Json, type JsonObject, parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import { err, ok } from '../../base/result.ts';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';
import type { OutgoingPost, SendOutgoing } from '../outgoing.ts';

/** The texts are those that kube-apiserver 1.34.1 gave to the same requests. */

let plane: ControlPlane | undefined;
afterEach(async () => {
  await plane?.stop();
  plane = undefined;
});

const MAPS = '/api/v1/namespaces/default/configmaps';
const NAME = 'a.example.com';

async function call(
  method: string,
  path: string,
  body?: Json,
): Promise<{ status: number; body: Json; warning: string }> {
  const response = await (plane as ControlPlane).handler({
    method,
    path,
    headers: { 'user-agent': 'test/1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: new TextEncoder().encode(stringifyJson(body)) }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return { status: response.status, body: parseJson(text), warning: response.headers['warning'] ?? '' };
}

function hook(more: JsonObject = {}): JsonObject {
  return {
    name: NAME,
    clientConfig: { url: 'https://hook.example.com/check' },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...more,
  };
}

async function install(kind: 'Validating' | 'Mutating', ...webhooks: readonly JsonObject[]): Promise<void> {
  const created = await call(
    'POST',
    `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`,
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: `${kind}WebhookConfiguration`,
      metadata: { name: 'test' },
      webhooks,
    },
  );
  expect(created.status).toBe(201);
}

const create = (query = '', metadata: JsonObject = { name: 'a' }): ReturnType<typeof call> =>
  call('POST', `${MAPS}${query}`, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1' } });

/** A webhook that answers every review with `answer`'s response. */
function answering(answer: (request: Json, post: OutgoingPost) => JsonObject): SendOutgoing {
  return async (post) => {
    const request = field(parseJson(post.body), 'request') ?? null;
    const response = { uid: field(request, 'uid') ?? '', ...answer(request, post) };
    return ok({
      status: 200,
      body: stringifyJson({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }),
    });
  };
}

const patching = (...operations: readonly Json[]): JsonObject => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(stringifyJson(operations)).toString('base64'),
});

describe('validating webhooks', () => {
  it.each<[string, JsonObject, number, string]>([
    ['denies', { allowed: false }, 400, 'without explanation'],
    ['says why', { allowed: false, status: { message: 'no way' } }, 400, ': no way'],
    ['gives its code', { allowed: false, status: { code: 403, reason: 'Forbidden', message: 'm' } }, 403, ': m'],
    ['gives only a reason', { allowed: false, status: { reason: 'Forbidden' } }, 400, ': Forbidden'],
  ])('%s', async (_name, response, status, end) => {
    plane = await createControlPlane({ sendOutgoing: answering(() => response) });
    await install('Validating', hook());
    const { status: code, body } = await create();
    expect(code).toBe(status);
    const join = end.startsWith(':') ? '' : ' ';
    expect(stringAt(body, 'message')).toBe(`admission webhook "${NAME}" denied the request${join}${end}`);
  });

  it('sends the request as a review, and shows its warnings', async () => {
    const seen: Json[] = [];
    plane = await createControlPlane({
      sendOutgoing: answering((request, { url }) => {
        seen.push(url, request);
        return { allowed: true, warnings: ['careful'] };
      }),
    });
    await install('Validating', hook());
    const { status, warning } = await create('?fieldManager=me&dryRun=All');
    expect(status).toBe(201);
    expect(warning).toContain('careful');
    const [url, request] = seen as [Json, JsonObject];
    expect(url).toBe('https://hook.example.com/check?timeout=10s');
    const { uid: _uid, object, userInfo: _user, ...rest } = request;
    expect(rest).toEqual({
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'a',
      namespace: 'default',
      operation: 'CREATE',
      oldObject: null,
      dryRun: true,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me', dryRun: ['All'] },
    });
    expect(at(object, 'metadata', 'uid')).toBeTypeOf('string');
  });

  it.each<[string, string, string]>([
    ['refuses a connection', 'dial tcp 1.2.3.4:443: connect: connection refused', 'Fail'],
    ['is ignored when it fails', 'EOF', 'Ignore'],
  ])('F09: a webhook that %s', async (_name, why, failurePolicy) => {
    plane = await createControlPlane({ sendOutgoing: async () => err(why) });
    await install('Validating', hook({ failurePolicy }));
    const { status, body } = await create();
    const message = `Internal error occurred: failed calling webhook "${NAME}": failed to call webhook: Post "https://hook.example.com/check?timeout=10s": ${why}`;
    expect({ status, message: stringAt(body, 'message') }).toEqual(
      failurePolicy === 'Ignore' ? { status: 201, message: undefined } : { status: 500, message },
    );
  });

  it('F09: a webhook that does not answer is given up after its timeout', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    let asked = (): void => {};
    const called = new Promise<void>((resolve) => {
      asked = resolve;
    });
    plane = await createControlPlane({
      clock,
      sendOutgoing: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(err('context deadline exceeded')));
          asked();
        }),
    });
    await install('Validating', hook({ timeoutSeconds: 3 }));
    const created = create();
    await called;
    clock.advance(3000);
    expect(stringAt((await created).body, 'message')).toContain('?timeout=3s": context deadline exceeded');
  });

  it('F09: a webhook is never asked about webhooks, which a loop would need', async () => {
    let calls = 0;
    plane = await createControlPlane({
      sendOutgoing: answering(() => {
        calls++;
        return { allowed: false };
      }),
    });
    const rules = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }];
    await install('Validating', hook({ rules }));
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/test';
    expect((await call('DELETE', path)).status).toBe(200);
    expect(calls).toBe(0);
  });

  it.each<[string, string, string]>([
    [
      'another uid',
      '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"allowed":true,"uid":"x"}}',
      'received invalid webhook response: expected response.uid=',
    ],
    [
      'no response',
      '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
      'received invalid webhook response: webhook response was absent',
    ],
    [
      'another kind',
      '{"apiVersion":"v1","kind":"Pod"}',
      'failed to call webhook: no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:110"',
    ],
    [
      'nothing',
      '',
      'failed to call webhook: 0-length response with status code: 200 and content type: application/json',
    ],
    [
      'no boolean',
      '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"allowed":"yes"}}',
      'failed to call webhook: json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool',
    ],
  ])('F09: an answer with %s is a failure', async (_name, body, message) => {
    plane = await createControlPlane({ sendOutgoing: async () => ok({ status: 200, body }) });
    await install('Validating', hook());
    expect(stringAt((await create()).body, 'message')).toContain(`failed calling webhook "${NAME}": ${message}`);
  });

  it('refuses a dry run for a webhook with side effects that only dry runs lack', async () => {
    plane = await createControlPlane({ sendOutgoing: answering(() => ({ allowed: true })) });
    await install('Validating', hook({ sideEffects: 'NoneOnDryRun' }));
    expect((await create('?dryRun=All')).status).toBe(201);
  });

  it.each<[string, JsonObject, boolean]>([
    ['an objectSelector', { objectSelector: { matchLabels: { x: 'y' } } }, false],
    ['a namespaceSelector', { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } }, true],
    ['a false match condition', { matchConditions: [{ name: 'c', expression: "object.data.a == '2'" }] }, false],
    ['a true match condition', { matchConditions: [{ name: 'c', expression: "object.data.a == '1'" }] }, true],
  ])('looks at %s', async (_name, more, asked) => {
    plane = await createControlPlane({ sendOutgoing: answering(() => ({ allowed: false })) });
    await install('Validating', hook(more));
    expect((await create()).status).toBe(asked ? 400 : 201);
  });

  it('reaches a Service through its EndpointSlice', async () => {
    const routes: unknown[] = [];
    plane = await createControlPlane({
      sendOutgoing: async ({ via, url }) => {
        routes.push(url, via);
        return err('EOF');
      },
    });
    await install(
      'Validating',
      hook({ clientConfig: { service: { namespace: 'default', name: 'hook', path: '/v' } } }),
    );
    const missing = stringAt((await create()).body, 'message');
    expect(missing).toContain('Post "https://hook.default.svc:443/v?timeout=10s": service "hook" not found');
    await call('POST', '/api/v1/namespaces/default/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'hook' },
      spec: { ports: [{ port: 443 }] },
    });
    await call('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'hook-1', labels: { 'kubernetes.io/service-name': 'hook' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 9443 }],
      endpoints: [{ addresses: ['192.0.2.7'] }],
    });
    await create();
    expect(routes).toEqual(['https://hook.default.svc:443/v?timeout=10s', { host: '192.0.2.7', port: 9443 }]);
  });
});

describe('mutating webhooks', () => {
  it('see what was sent, and change it', async () => {
    const seen: Json[] = [];
    plane = await createControlPlane({
      sendOutgoing: answering((request) => {
        seen.push(at(request, 'object', 'metadata', 'uid') ?? null);
        return patching({ op: 'add', path: '/data/x', value: 'y' }, { op: 'add', path: '/foo', value: 1 });
      }),
    });
    await install('Mutating', hook());
    const { body } = await create();
    expect(seen).toEqual([null]);
    expect(at(body, 'data')).toEqual({ a: '1', x: 'y' });
    expect(field(body, 'foo')).toBeUndefined();
  });

  it.each<[string, Json, string]>([
    [
      'a missing path',
      { op: 'replace', path: '/spec/x', value: 5 },
      'replace operation does not apply: doc is missing path: /spec/x: missing value',
    ],
    [
      'a missing key',
      { op: 'remove', path: '/data/zz' },
      "error in remove for path: '/data/zz': Unable to remove nonexistent key: zz: missing value",
    ],
    ['a failed test', { op: 'test', path: '/data/a', value: '2' }, 'testing value /data/a failed: test failed'],
    ['an unknown operation', { op: 'bogus', path: '/data/a' }, 'Unexpected kind: bogus'],
  ])('F09: a patch with %s is an error', async (_name, operation, message) => {
    plane = await createControlPlane({ sendOutgoing: answering(() => patching(operation)) });
    await install('Mutating', hook());
    expect(stringAt((await create()).body, 'message')).toBe(`Internal error occurred: ${message}`);
  });

  it('F09: a patch of the namespace is refused, one of the uid does nothing', async () => {
    let patch: Json = { op: 'replace', path: '/metadata/namespace', value: 'other' };
    plane = await createControlPlane({ sendOutgoing: answering(() => patching(patch)) });
    await install('Mutating', hook());
    expect(stringAt((await create()).body, 'message')).toBe(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
    patch = { op: 'add', path: '/metadata/uid', value: 'mine' };
    const { status, body } = await create();
    expect(status).toBe(201);
    expect(at(body, 'metadata', 'uid')).not.toBe('mine');
  });

  it('F09: a patch of the name makes another object at its creation, and is refused afterwards', async () => {
    let renames = false;
    plane = await createControlPlane({
      sendOutgoing: answering(() =>
        renames ? patching({ op: 'replace', path: '/metadata/name', value: 'renamed' }) : { allowed: true },
      ),
    });
    await install('Mutating', hook());
    const first = await create();
    expect(first.status).toBe(201);
    renames = true;
    const updated = await call('PUT', `${MAPS}/a`, first.body);
    expect([updated.status, stringAt(updated.body, 'message')]).toEqual([
      422,
      'ConfigMap "a" is invalid: metadata.name: Invalid value: "renamed": field is immutable',
    ]);
    const made = await create();
    expect([made.status, at(made.body, 'metadata', 'name')]).toEqual([201, 'renamed']);
  });

  it('are called again when a later one changed the object and they ask for it', async () => {
    plane = await createControlPlane({
      sendOutgoing: answering((request, { url }) => {
        const mark = new URL(url).pathname.slice(1);
        const before = stringAt(request, 'object', 'data', 'log') ?? '';
        return patching({ op: 'add', path: '/data/log', value: before + mark });
      }),
    });
    const marked = (mark: string, reinvocationPolicy: string): JsonObject =>
      hook({ name: `${mark}.example.com`, clientConfig: { url: `https://h/${mark}` }, reinvocationPolicy });
    await install('Mutating', marked('x', 'IfNeeded'), marked('y', 'IfNeeded'), marked('z', 'Never'));
    expect(at((await create()).body, 'data', 'log')).toBe('xyzxy');
  });

  it('cannot change what is deleted', async () => {
    plane = await createControlPlane({
      sendOutgoing: answering((request) =>
        stringAt(request, 'operation') === 'DELETE'
          ? patching({ op: 'add', path: '/data/x', value: 'y' })
          : { allowed: true },
      ),
    });
    await install('Mutating', hook());
    await create();
    const { body } = await call('DELETE', `${MAPS}/a`);
    expect(stringAt(body, 'message')).toBe(
      `Internal error occurred: admission webhook "${NAME}" attempted to modify the object, which is not supported for this operation`,
    );
  });
});

describe('configurations of webhooks', () => {
  it.each<[string, JsonObject, string]>([
    [
      'a short name',
      { name: 'a.b' },
      'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
    ],
    [
      'another scheme',
      { clientConfig: { url: 'http://a/b' } },
      `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
    ],
    [
      'side effects',
      { sideEffects: 'Some' },
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
    [
      'a long timeout',
      { timeoutSeconds: 31 },
      'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
    ],
    [
      'no known version',
      { admissionReviewVersions: ['v2'] },
      'webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ],
    [
      'a condition that is no condition',
      { matchConditions: [{ name: 'a', expression: '1' }] },
      'webhooks[0].matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
    ],
  ])('with %s are refused', async (_name, more, cause) => {
    plane = await createControlPlane();
    const { status, body } = await call(
      'POST',
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'test' },
        webhooks: [hook(more)],
      },
    );
    expect(status).toBe(422);
    const causes = at(body, 'details', 'causes');
    const shown = (isArray(causes) ? causes : []).map(
      (one) => `${stringAt(one, 'field') ?? ''}: ${stringAt(one, 'message') ?? ''}`,
    );
    expect(shown).toEqual([cause]);
  });
});

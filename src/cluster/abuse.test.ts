import { request } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, type Json, stringAt, stringifyJson } from '../base/json.ts';
import type { User } from './apiserver/user.ts';
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from './control-plane.ts';

/** What hostile clients send. Every case must be refused with the code of a real server, or be harmless, and the server must go on. */
let plane: ControlPlane;
async function restart(options: ControlPlaneOptions = {}): Promise<void> {
  await plane?.stop();
  plane = await createControlPlane(options);
}
beforeEach(() => restart());
afterEach(async () => {
  // Whatever came before: it still works.
  if ((await call('POST', MAPS, configMap('alive'))).status !== 201) throw new Error('the server does not go on');
  await plane.stop();
});

interface Answer {
  readonly status: number;
  readonly body: Json;
}
type Headers = Readonly<Record<string, string>>;

async function send(method: string, path: string, body: Uint8Array | undefined, headers: Headers): Promise<Answer> {
  const response = await plane.handler({ method, path, headers, ...(body === undefined ? {} : { body }) });
  let text = '';
  for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Json) : text };
}

function call(method: string, path: string, body?: Json, headers: Headers = {}): Promise<Answer> {
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : stringifyJson(body));
  return send(method, path, bytes, {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  });
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const configMap = (name: string, data: Json = {}): Record<string, Json> => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const message = ({ body }: Answer): string => stringAt(body, 'message') ?? '';

describe('F01: nobody in particular', () => {
  interface Wire {
    readonly status: number | undefined;
    readonly text: string;
  }
  let address = '';
  let authority = '';
  const ask = (path: string, headers: Headers = {}, method = 'GET'): Promise<Wire> =>
    new Promise((resolve, reject) => {
      const sent = request(address + path, { method, ca: authority, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, text }));
      });
      sent.on('error', reject);
      sent.end();
    });
  beforeEach(async () => {
    const { url, pki } = await plane.listen();
    address = url;
    authority = pki.authority;
  });

  it('is let in from this machine only', () => {
    expect(new URL(address).hostname).toBe('127.0.0.1');
  });

  it.each(['/healthz', '/livez', '/readyz', '/readyz?verbose', '/version'])('may ask for %s', async (path) => {
    expect((await ask(path)).status).toBe(200);
  });

  it.each([
    '/api/v1/secrets',
    '/api/v1/namespaces/kube-system/secrets/x',
    '/api/v1/namespaces/default/configmaps?watch=true',
    '/apis',
    '/api',
    '/openapi/v3',
    '/metrics',
    '/weir/snapshot',
    '/',
    '/logs',
    '/api/v1/nodes/x/proxy/',
    '/apis/apps/v1/deployments',
    '/nothing',
  ])('is told nothing by %s', async (path) => {
    const { status, text } = await ask(path);
    expect(status).toBe(403);
    expect(JSON.parse(text)).toMatchObject({ reason: 'Forbidden', message: /"system:anonymous" cannot/ });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('may not %s', async (method) => {
    expect((await ask('/api/v1/namespaces/default', {}, method)).status).toBe(403);
  });

  it.each([
    ['a token of nobody', { authorization: 'Bearer abc' }],
    ['a token that says it is not signed', { authorization: `Bearer ${unsigned('none')}` }],
    ['a token signed with the public key', { authorization: `Bearer ${unsigned('HS256')}` }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('is not let in with %s', async (_what, headers) => {
    expect([401, 403]).toContain((await ask('/api/v1/secrets', headers)).status);
  });

  it.each([
    { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
    { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-client-cert': 'Subject="O=system:masters"' },
    { 'impersonate-user': 'kubernetes-admin', 'impersonate-group': 'system:masters' },
  ])('becomes nobody else by headers: %j', async (headers) => {
    expect((await ask('/api/v1/secrets', headers as unknown as Headers)).status).toBe(403);
  });

  function unsigned(alg: string): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      sub: 'system:serviceaccount:kube-system:default',
      exp: 2e9,
      aud: ['https://kubernetes.default.svc'],
    };
    return `${part({ alg, typ: 'JWT' })}.${part(claims)}.${alg === 'none' ? '' : 'AAAA'}`;
  }
});

describe('F02: a user without rights', () => {
  const ann: User = { name: 'ann', groups: ['system:authenticated'], extra: {} };
  const asAnn = { 'impersonate-user': 'ann' };

  it.each([
    ['a user', { 'impersonate-user': 'bob' }, 'users "bob" is forbidden'],
    ['a group', { 'impersonate-user': 'ann', 'impersonate-group': 'system:masters' }, 'is forbidden'],
    [
      'a service account',
      { 'impersonate-user': 'system:serviceaccount:kube-system:x' },
      'serviceaccounts "x" is forbidden',
    ],
    ['a uid', { 'impersonate-user': 'ann', 'impersonate-uid': '1' }, 'is forbidden'],
    ['extra', { 'impersonate-user': 'ann', 'impersonate-extra-scopes': 'all' }, 'is forbidden'],
  ])('may not act as %s', async (_what, headers, why) => {
    await restart({ identity: ann });
    const refused = await call('GET', '/api/v1/namespaces', undefined, headers);
    expect([refused.status, message(refused)]).toEqual([403, expect.stringContaining(why)]);
    await restart();
  });

  /** Ann may do anything with roles and bindings in her namespace, and read ConfigMaps. */
  async function limited(...verbs: readonly string[]): Promise<void> {
    const rules = [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] },
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
        verbs: ['get', 'list', 'create', 'update', 'patch', 'delete', ...verbs],
      },
    ];
    await call('POST', `${RBAC}/clusterroles`, { metadata: { name: 'limited' }, rules });
    await call('POST', `${RBAC}/clusterrolebindings`, {
      metadata: { name: 'limited' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'limited' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' }],
    });
  }
  const role = (...rules: readonly Json[]): Json => ({ metadata: { name: 'r' }, rules });
  const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
  const maps = { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] };
  const urls = { nonResourceURLs: ['/metrics'], verbs: ['get'] };

  it('gives no right that the giver has not', async () => {
    await limited();
    const roles = `${RBAC}/namespaces/default/roles`;
    expect((await call('POST', roles, role(maps), asAnn)).status).toBe(201);
    expect((await call('PUT', `${roles}/r`, role(maps, secrets), asAnn)).status).toBe(403);
    const patch = [{ op: 'add', path: '/rules/-', value: secrets }] as unknown as Json;
    const patched = await call('PATCH', `${roles}/r`, patch, {
      ...asAnn,
      'content-type': 'application/json-patch+json',
    });
    expect(patched.status).toBe(403);
    const whole = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'r' },
      rules: [secrets],
    };
    const applied = await call('PATCH', `${roles}/r?fieldManager=x&force=true`, whole, {
      ...asAnn,
      'content-type': 'application/apply-patch+yaml',
    });
    expect(applied.status).toBe(403);
    const escalated = await call('POST', `${RBAC}/clusterroles`, role(urls), asAnn);
    expect([escalated.status, message(escalated)]).toEqual([
      403,
      expect.stringContaining('is attempting to grant RBAC permissions not currently held'),
    ]);
    expect(message(escalated)).toContain('{NonResourceURLs:["/metrics"], Verbs:["get"]}');
  });

  it('binds no role that holds more, not even one that comes by aggregation', async () => {
    await limited();
    const binding = (name: string): Json => ({
      metadata: { name: 'b' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' }],
    });
    const bindings = `${RBAC}/namespaces/default/rolebindings`;
    for (const name of ['cluster-admin', 'edit', 'admin'])
      expect((await call('POST', bindings, binding(name), asAnn)).status, name).toBe(403);
    const gathers = {
      metadata: { name: 'gathers' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }] },
      rules: [],
    };
    expect((await call('POST', `${RBAC}/clusterroles`, gathers, asAnn)).status).toBe(403);
  });

  it.each([
    [
      'escalate',
      'POST',
      `${RBAC}/clusterroles`,
      { metadata: { name: 'r' }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] },
    ],
    [
      'bind',
      'POST',
      `${RBAC}/clusterrolebindings`,
      {
        metadata: { name: 'b' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' }],
      },
    ],
  ])('may with the verb %s', async (verb, method, path, body) => {
    await limited(verb);
    expect((await call(method, path, body, asAnn)).status).toBe(201);
  });

  it.each([
    `${MAPS}/..%2f..%2fkube-system%2fsecrets%2fs`,
    '/api/v1/namespaces/default%2fconfigmaps/secrets',
    '/api/v1/namespaces/default/configmaps/..%2f..%2f..%2fnamespaces%2fkube-system%2fconfigmaps%2fextension',
    '/api/v1/namespaces//secrets',
    '/api/v1/namespaces/default/configmaps%2f..%2fsecrets',
    '/apis/example.com/v1/namespaces/default/widgets/..%2f..%2fgadgets%2fg',
    '/api/v1//secrets',
    '//api/v1/secrets',
    '/api/v1/namespaces/default/../kube-system/secrets',
    '/api/v1/watch/secrets',
    '/api/v1/secrets%00',
    '/api/v1/%E0%A4%A',
  ])('reads nothing by the crafted path %s', async (path) => {
    await limited();
    await call('POST', '/api/v1/namespaces/kube-system/secrets', {
      metadata: { name: 's' },
      stringData: { key: 'canary' },
    });
    const answer = await call('GET', path, undefined, asAnn);
    expect([400, 403, 404]).toContain(answer.status);
    expect(JSON.stringify(answer.body)).not.toContain(Buffer.from('canary').toString('base64'));
  });
});

describe('F03: bodies that are too much', () => {
  const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

  it('refuses a JSON patch of more than 10 000 operations', async () => {
    await call('POST', MAPS, configMap('c'));
    const patch = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' }));
    const answer = await call('PATCH', `${MAPS}/c`, patch as unknown as Json, JSON_PATCH);
    expect([answer.status, at(answer.body, 'reason')]).toEqual([413, 'RequestEntityTooLarge']);
    expect(message(answer)).toContain('The allowed maximum operations in a JSON patch is 10000, got 10001');
  });

  it('stops copies that grow without end', async () => {
    await call('POST', MAPS, configMap('c', { a: 'x'.repeat(100_000) }));
    const patch = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '/data', path: `/data/k${index}` }));
    const answer = await call('PATCH', `${MAPS}/c`, patch as unknown as Json, JSON_PATCH);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  it.each(['application/apply-patch+yaml', 'application/yaml'])('refuses a bomb of aliases in %s', async (type) => {
    const levels = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (const letter of 'bcdefghij') {
      const before = String.fromCharCode(letter.charCodeAt(0) - 1);
      levels.push(`${letter}: &${letter} [${Array(9).fill(`*${before}`).join(',')}]`);
    }
    const yaml = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n${levels.join('\n')}\n`;
    const apply = type.includes('apply');
    const answer = await call(apply ? 'PATCH' : 'POST', apply ? `${MAPS}/bomb?fieldManager=x` : MAPS, yaml, {
      'content-type': type,
    });
    expect(answer.status).toBe(400);
  });

  it('refuses nesting that no reader survives', async () => {
    for (const depth of [10_001, 200_000]) {
      const deep = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d"},"data":${'['.repeat(depth)}${']'.repeat(depth)}}`;
      expect((await call('POST', MAPS, deep)).status).toBe(400);
    }
  });
});

describe('F05: protobuf bodies', () => {
  const PROTOBUF = { 'content-type': 'application/vnd.kubernetes.protobuf' };
  const MAGIC = Buffer.from('k8s\0', 'latin1');
  const varint = (value: number): Buffer => {
    const bytes = [];
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    return Buffer.from([...bytes, rest]);
  };
  const bytes = (field: number, value: Uint8Array | string): Buffer => {
    const data = Buffer.from(value as string);
    return Buffer.concat([varint(field * 8 + 2), varint(data.length), data]);
  };
  const typeMeta = (apiVersion: string, kind: string): Buffer => Buffer.concat([bytes(1, apiVersion), bytes(2, kind)]);
  const unknown = (raw: Uint8Array, meta = typeMeta('v1', 'ConfigMap')): Buffer =>
    Buffer.concat([MAGIC, bytes(1, meta), bytes(2, raw), bytes(3, ''), bytes(4, '')]);
  const metadata = bytes(1, bytes(1, 'p'));
  const good = unknown(Buffer.concat([metadata, bytes(2, Buffer.concat([bytes(1, 'k'), bytes(2, 'v')]))]));
  const post = (body: Uint8Array): Promise<Answer> => send('POST', MAPS, body, PROTOBUF);

  it('is read when it is right, with fields that nobody knows passed over', async () => {
    expect((await post(good)).status).toBe(201);
    const strange = unknown(Buffer.concat([bytes(1, bytes(1, 'q')), bytes(99, 'x'), varint(98 * 8), varint(7)]));
    expect((await post(strange)).status).toBe(201);
  });

  it('is a 400 wherever it is cut', async () => {
    const codes = new Set<number>();
    for (let length = 0; length < good.length - 4; length++) codes.add((await post(good.subarray(0, length))).status);
    for (const code of codes) expect([400, 415, 422]).toContain(code);
    expect(codes.has(400)).toBe(true);
  });

  it.each([
    ['a length beyond the end', unknown(Buffer.concat([varint(10), varint(2 ** 31 - 1), Buffer.from('x')]))],
    ['a length of 2^63', unknown(Buffer.from([10, 255, 255, 255, 255, 255, 255, 255, 255, 127]))],
    ['a number without an end', unknown(Buffer.alloc(64, 0xff))],
    ['another kind', unknown(metadata, typeMeta('v1', 'Secret'))],
    ['a kind that does not exist', unknown(metadata, typeMeta('example.com/v9', 'Nothing'))],
    ['field number 0', unknown(Buffer.from([2, 0]))],
    ['an end of a group that never began', unknown(Buffer.from([12]))],
    ['another magic number', Buffer.concat([Buffer.from('k8t\0'), good.subarray(4)])],
    ['nothing at all', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(4096)],
  ])('is refused with %s', async (_what, body) => {
    const { status } = await post(body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it('does not follow messages within messages without end', async () => {
    // JSONSchemaProps holds itself (field 4 of a schema is `items` or `not`, whichever it is: every field is tried).
    for (const field of [4, 16, 19, 25, 26, 27, 28, 29, 30]) {
      let schema = Buffer.alloc(0);
      for (let depth = 0; depth < 12_000; depth++) {
        const head = Buffer.concat([varint(field * 8 + 2), varint(schema.length)]);
        schema = Buffer.concat([head, schema]);
        if (schema.length > 60_000) break;
      }
      const version = Buffer.concat([bytes(1, 'v1'), bytes(4, bytes(1, schema))]);
      const spec = Buffer.concat([bytes(1, 'e.com'), bytes(7, version)]);
      const body = unknown(
        Buffer.concat([metadata, bytes(2, spec)]),
        typeMeta('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
      );
      const { status } = await send('POST', CRDS, body, PROTOBUF);
      expect(status, `field ${field}`).toBeGreaterThanOrEqual(400);
      expect(status, `field ${field}`).toBeLessThan(500);
    }
  });

  it('survives noise', async () => {
    let state = 1;
    for (let round = 0; round < 300; round++) {
      const noisy = Buffer.from(good);
      for (let flips = 0; flips < 4; flips++) {
        state = (state * 1103515245 + 12345) % 2 ** 31;
        noisy[4 + (state % (noisy.length - 4))] = (state >>> 8) & 0xff;
      }
      expect((await post(noisy)).status).toBeLessThan(500);
    }
  });
});

describe('F07: continue tokens', () => {
  const token = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  it.each([
    ['noise', '%%%'],
    ['no JSON', Buffer.from('hello').toString('base64url')],
    ['another version', token({ v: 'meta.k8s.io/v9', rv: 1, start: 'a' })],
    ['no place', token({ v: 'meta.k8s.io/v1', rv: 1 })],
    ['a way out', token({ v: 'meta.k8s.io/v1', rv: 1, start: '../../secrets/kube-system' })],
    ['version 0', token({ v: 'meta.k8s.io/v1', rv: 0, start: 'a' })],
    ['a version that is text', token({ v: 'meta.k8s.io/v1', rv: '1', start: 'a' })],
    ['a fraction', token({ v: 'meta.k8s.io/v1', rv: 1.5, start: 'a' })],
    ['no number', '{"v":"meta.k8s.io/v1","rv":null,"start":"a"}'],
  ])('is a 400 with %s', async (_what, value) => {
    expect((await call('GET', `${MAPS}?limit=1&continue=${encodeURIComponent(value)}`)).status).toBe(400);
  });

  it('is a 410 of a version that is forgotten, and none of the future', async () => {
    expect(
      (await call('GET', `${MAPS}?continue=${token({ v: 'meta.k8s.io/v1', rv: 1e12, start: 'a' })}`)).status,
    ).toBeGreaterThanOrEqual(400);
    for (const name of ['a', 'b', 'c']) await call('POST', MAPS, configMap(name));
    const first = await call('GET', `${MAPS}?limit=1`);
    const next = stringAt(first.body, 'metadata', 'continue') ?? '';
    for (let index = 0; index < 80; index++)
      await call('PUT', `${MAPS}/a`, configMap('a', { value: `${index}${'x'.repeat(900_000)}` }));
    const late = await call('GET', `${MAPS}?limit=1&continue=${next}`);
    expect([late.status, at(late.body, 'reason')]).toEqual([410, 'Expired']);
  });

  it('gives nobody more than a list of their own', async () => {
    for (const name of ['a', 'b']) await call('POST', MAPS, configMap(name));
    const next = stringAt((await call('GET', `${MAPS}?limit=1`)).body, 'metadata', 'continue') ?? '';
    const other = await call('GET', `${MAPS}?limit=1&continue=${next}`, undefined, { 'impersonate-user': 'ann' });
    expect(other.status).toBe(403);
  });
});

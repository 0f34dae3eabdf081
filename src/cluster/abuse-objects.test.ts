import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conditions, type World, world } from '../../tests/support/world.ts';
import { crdOf } from '../api/crd.ts';
import { kinds } from '../api/kinds/all.ts';
import type { KubeObject } from '../api/object.ts';
import { at, type Json, stringAt, stringifyJson } from '../base/json.ts';
import { postJson } from '../kube/post-json.ts';
import { issueCertificate } from './apiserver/certificate.ts';
import { type ControlPlane, createControlPlane } from './control-plane.ts';

/** Objects that do harm by what they say. */
let plane: ControlPlane;
beforeEach(async () => {
  plane = await createControlPlane({ sendOutgoing: postJson });
});
afterEach(async () => {
  if ((await call('POST', MAPS, configMap('alive'))).status !== 201) throw new Error('the server does not go on');
  await plane.stop();
});

interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly text: string;
}

async function call(method: string, path: string, body?: Json, type = 'application/json'): Promise<Answer> {
  const response = await plane.handler({
    method,
    path,
    headers: body === undefined ? {} : { 'content-type': type },
    ...(body === undefined ? {} : { body: Buffer.from(typeof body === 'string' ? body : stringifyJson(body)) }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return { status: response.status, text, body: text.startsWith('{') ? (JSON.parse(text) as Json) : text };
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const message = ({ body }: Answer): string => stringAt(body, 'message') ?? '';
const configMap = (name: string, data: Json = {}): Record<string, Json> => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const definition = (spec: Json, plural = 'widgets', kind = 'Widget'): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.example.com` },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
      },
    ],
  },
});
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
const widget = (name: string, spec: Json): Json => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
});
/** Runs `work` and tells how long it took: bounds here are far above what is expected, and far below what harm would be. */
async function within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const done = await work();
  expect(performance.now() - began).toBeLessThan(limitMs);
  return done;
}

describe('F08: definitions of custom resources', () => {
  it('are refused above the size of a request', async () => {
    const wide = Object.fromEntries(
      Array.from({ length: 120_000 }, (_, index) => [`field${index}`, { type: 'string' }]),
    );
    expect((await call('POST', CRDS, definition({ type: 'object', properties: wide }))).status).toBe(413);
  });

  it.each([
    ['a reference to itself', { $ref: '#/definitions/x' }, /properties\[spec\]/],
    ['a schema without a type', { properties: { a: {} } }, /type: Required value/],
    ['uniqueItems', { type: 'array', items: { type: 'string' }, uniqueItems: true }, /uniqueItems/],
    ['a pattern that is none', { type: 'string', pattern: '(' }, /pattern/],
    [
      'a rule that costs too much',
      {
        type: 'array',
        items: { type: 'array', items: { type: 'array', items: { type: 'string' } } },
        'x-kubernetes-validations': [
          { rule: 'self.all(a, self.all(b, a.all(c, b.all(d, c.all(e, d.all(f, e == f))))))' },
        ],
      },
      /estimated rule cost exceeds budget/,
    ],
    [
      'a default that does not fit',
      { type: 'object', properties: { n: { type: 'integer', default: 'x' } } },
      /default: Invalid value/,
    ],
  ])('are refused with %s', async (_what, spec, why) => {
    const refused = await call('POST', CRDS, definition(spec as unknown as Json));
    expect([refused.status, message(refused)]).toEqual([422, expect.stringMatching(why)]);
  });

  it('match patterns in linear time', async () => {
    await call('POST', CRDS, definition({ type: 'object', properties: { p: { type: 'string', pattern: '^(a+)+$' } } }));
    const refused = await within(2000, () => call('POST', WIDGETS, widget('w', { p: `${'a'.repeat(50_000)}!` })));
    expect(refused.status).toBe(422);
  });

  it('stop a rule whose cost is only seen with the object', async () => {
    const spec = {
      type: 'object',
      properties: { list: { type: 'array', maxItems: 1000, items: { type: 'string', maxLength: 10 } } },
      'x-kubernetes-validations': [{ rule: '!has(self.list) || self.list.all(a, self.list.all(b, a != "z"))' }],
    };
    // Either the definition is refused by its estimate, or the object by what it costs: never a long wait.
    const made = await call('POST', CRDS, definition(spec as unknown as Json));
    const list = Array.from({ length: 1000 }, (_, index) => `v${index}`);
    const answer = await within(5000, () => call('POST', WIDGETS, widget('w', { list })));
    expect([`${made.status} ${answer.status}`]).toEqual([expect.stringMatching(/^(422 404|201 201|201 422)$/)]);
  });

  it('prune and default without touching what all objects share', async () => {
    const spec = {
      type: 'object',
      properties: JSON.parse('{"__proto__":{"type":"string","default":"x"},"constructor":{"type":"string"}}') as Json,
      default: {},
    };
    expect((await call('POST', CRDS, definition(spec))).status).toBe(201);
    const body = `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"constructor":"c","toString":"gone"},"__proto__":{"polluted":true}}`;
    const made = await call('POST', WIDGETS, body);
    expect(made.status).toBe(201);
    expect(made.text).toContain('"__proto__":"x"');
    expect(made.text).toContain('"constructor":"c"');
    expect(made.text).not.toContain('gone');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('give defaults once for what is there, not for what might be', async () => {
    const nest = (depth: number): Json =>
      depth === 0
        ? { type: 'string', default: 'x'.repeat(1000) }
        : { type: 'object', default: {}, properties: { a: nest(depth - 1), b: nest(depth - 1) } };
    const made = await call('POST', CRDS, definition(nest(9)));
    expect([201, 422]).toContain(made.status);
    const answer = await within(10_000, () => call('POST', WIDGETS, widget('w', {})));
    expect(answer.status).toBeLessThan(500);
  });
});

describe('F09: webhooks', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = issueCertificate({
    serial: randomBytes(8).fill(1, 0, 1),
    subject: { commonName: 'webhook' },
    issuer: { commonName: 'webhook' },
    notBeforeMs: Date.now() - 1000,
    notAfterMs: Date.now() + 3600_000,
    key: privateKey,
    signer: privateKey,
    use: 'authority',
    addresses: [Uint8Array.of(127, 0, 0, 1)],
  });
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function serve(
    answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  ): Promise<string> {
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const server = createServer({ cert: certificate, key }, (request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => answer(request, response, body));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  async function register(url: string, rest: Record<string, Json> = {}, kind = 'Mutating'): Promise<void> {
    const made = await call(
      'POST',
      `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`,
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: `${kind}WebhookConfiguration`,
        metadata: { name: 'hostile' },
        webhooks: [
          {
            name: 'hook.example.com',
            clientConfig: { url, caBundle: Buffer.from(certificate).toString('base64') },
            rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            timeoutSeconds: 1,
            objectSelector: { matchLabels: { hook: 'yes' } },
            ...rest,
          },
        ],
      },
    );
    expect([made.status, made.text]).toEqual([201, expect.anything()]);
  }
  const hooked = (): Json => ({ ...configMap('c'), metadata: { name: 'c', labels: { hook: 'yes' } } });
  const review = (body: string, response: Record<string, Json>): string =>
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: at(JSON.parse(body) as Json, 'request', 'uid') ?? null, ...response },
    });
  const patchOf = (...operations: readonly Json[]): Record<string, Json> => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  });

  it.each([
    ['Fail', 500, /failed calling webhook "hook.example.com"/],
    ['Ignore', 201, /"kind":"ConfigMap"/],
  ])('that never answer are waited for as long as they said; failurePolicy %s', async (failurePolicy, status, says) => {
    await register(await serve(() => undefined), { failurePolicy });
    const answer = await within(10_000, () => call('POST', MAPS, hooked()));
    expect(answer.status).toBe(status);
    expect(answer.text.replaceAll('\\"', '"')).toMatch(says);
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse, body: string) => void]>([
    [
      'an answer without end',
      (_request, response) => {
        const chunk = Buffer.alloc(1024 * 1024, 0x20);
        const more = (): void => {
          while (!response.destroyed && response.write(chunk));
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      },
    ],
    ['an answer that is no JSON', (_request, response) => response.end('<html>')],
    [
      'an answer for another request',
      (_request, response, body) => response.end(review(body, { uid: 'x', allowed: true })),
    ],
    [
      'a review without a response',
      (_request, response) => response.end('{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}'),
    ],
    [
      'a patch that is none',
      (_request, response, body) =>
        response.end(review(body, { allowed: true, patchType: 'JSONPatch', patch: 'AAAA' })),
    ],
    ['a connection that breaks', (request) => request.socket.destroy()],
    ['a redirect', (_request, response) => response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end()],
  ])('that give %s are failures', async (_what, answer) => {
    await register(await serve(answer), { failurePolicy: 'Fail', timeoutSeconds: 5 });
    const refused = await within(20_000, () => call('POST', MAPS, hooked()));
    expect([refused.status, message(refused)]).toEqual([500, expect.stringContaining('Internal error occurred')]);
    expect((await call('GET', `${MAPS}/c`)).status).toBe(404);
  });

  it('cannot give an object another namespace, identity or version', async () => {
    const patches = [
      patchOf({ op: 'replace', path: '/metadata/namespace', value: 'kube-system' }),
      patchOf(
        { op: 'add', path: '/metadata/uid', value: 'chosen' },
        { op: 'add', path: '/metadata/resourceVersion', value: '7' },
        { op: 'add', path: '/metadata/creationTimestamp', value: '1999-01-01T00:00:00Z' },
      ),
      patchOf({ op: 'replace', path: '/kind', value: 'Secret' }),
    ];
    const url = await serve((_request, response, body) => response.end(review(body, patches.shift() ?? {})));
    await register(url);
    const moved = await call('POST', MAPS, hooked());
    expect(moved.status).toBeGreaterThanOrEqual(400);
    expect((await call('GET', '/api/v1/namespaces/kube-system/configmaps/c')).status).toBe(404);
    const chosen = await call('POST', MAPS, hooked());
    expect(chosen.text).not.toMatch(/"uid":"chosen"|"resourceVersion":"7"/);
    await call('DELETE', `${MAPS}/c`);
    expect((await call('POST', MAPS, hooked())).status).toBeGreaterThanOrEqual(400);
  });

  it('that call the server back for the same kind come to an end', async () => {
    let depth = 0;
    const url = await serve((_request, response, body) => {
      depth++;
      void call('POST', MAPS, {
        ...configMap(`inner${depth}`),
        metadata: { name: `inner${depth}`, labels: { hook: 'yes' } },
      })
        .then(() => response.end(review(body, { allowed: true })))
        .catch(() => response.destroy());
    });
    await register(url, { failurePolicy: 'Fail', timeoutSeconds: 1 });
    const answer = await within(30_000, () => call('POST', MAPS, hooked()));
    expect(answer.status).toBe(500);
    await call('DELETE', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hostile');
  });

  it('never see the configurations that would remove them', async () => {
    const url = await serve((_request, response, body) => response.end(review(body, { allowed: false })));
    const rules = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] as unknown as Json;
    await register(url, { rules, objectSelector: {} }, 'Validating');
    expect((await call('POST', MAPS, configMap('c'))).status).toBe(400);
    const removed = await call(
      'DELETE',
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hostile',
    );
    expect(removed.status).toBe(200);
  });
});

describe('F10: owners', () => {
  const MAP = { group: '', plural: 'configmaps' };
  let owned: World;
  beforeEach(async () => {
    owned = await world();
  });
  const make = (name: string, owners: readonly Json[] = [], finalizers: readonly string[] = []): Promise<KubeObject> =>
    owned.create(MAP, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default', ownerReferences: owners, finalizers },
    } as unknown as KubeObject);
  const owner = ({ metadata }: KubeObject, rest: Json = {}): Json => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: metadata.name,
    uid: metadata.uid ?? '',
    ...(rest as object),
  });
  const names = (): readonly string[] =>
    owned.registry
      .list(MAP, 'default')
      .flatMap(({ metadata: { name } }) => (name === 'kube-root-ca.crt' ? [] : [name]));
  const settle = (): Promise<void> => owned.run(60_000);

  it('in a circle stay while nobody deletes one, and go together', async () => {
    const a = await make('a');
    const b = await make('b', [owner(a)]);
    await owned.update(MAP, {
      ...a,
      metadata: { ...a.metadata, ownerReferences: [owner(b)] },
    } as unknown as KubeObject);
    await settle();
    expect(names()).toEqual(['a', 'b']);
    await owned.registry.delete(MAP, 'default', 'a', { propagation: 'Background' });
    await settle();
    expect(names()).toEqual([]);
  });

  it('in a circle that block one another go in the foreground too', async () => {
    const a = await make('a');
    const b = await make('b', [owner(a, { blockOwnerDeletion: true })]);
    await owned.update(MAP, {
      ...a,
      metadata: { ...a.metadata, ownerReferences: [owner(b, { blockOwnerDeletion: true })] },
    } as unknown as KubeObject);
    await owned.registry.delete(MAP, 'default', 'a', { propagation: 'Foreground' });
    await settle();
    expect(names()).toEqual([]);
  });

  it('that are missing, or are another by their uid, hold nothing', async () => {
    const real = await make('real');
    await make('orphan', [owner(real, { name: 'nobody', uid: 'nothing' })]);
    await make('wrong', [owner(real, { uid: 'another' })]);
    await make('held', [owner(real), owner(real, { uid: 'another' })]);
    await settle();
    expect(names()).toEqual(['held', 'real']);
  });

  it('wait in the foreground for a dependent with a finalizer', async () => {
    const a = await make('a');
    await make('b', [owner(a, { blockOwnerDeletion: true })], ['example.com/hold']);
    await owned.registry.delete(MAP, 'default', 'a', { propagation: 'Foreground' });
    await settle();
    expect(names()).toEqual(['a', 'b']);
    const b = owned.registry.get(MAP, 'default', 'b') as KubeObject;
    await owned.update(MAP, { ...b, metadata: { ...b.metadata, finalizers: [] } });
    await settle();
    expect(names()).toEqual([]);
    expect(conditions(undefined)).toEqual([]);
  });
});

describe('B12: objects that are too large', () => {
  it.each([
    [
      'a ConfigMap of more than 1 MiB',
      configMap('big', { k: 'x'.repeat(1024 * 1024 + 1) }),
      422,
      /Too long: may not be more than 1048576 bytes/,
    ],
    [
      'annotations of more than 256 KiB',
      { ...configMap('big'), metadata: { name: 'big', annotations: { a: 'x'.repeat(256 * 1024 + 1) } } },
      422,
      /metadata.annotations: Too long: may not be more than 262144 bytes/,
    ],
    ['a request of more than 3 MiB', configMap('big', { k: 'x'.repeat(3 * 1024 * 1024) }), 413, /limit is 3145728/],
  ])('are refused: %s', async (_what, object, status, why) => {
    const answer = await call('POST', MAPS, object as Json);
    expect([answer.status, message(answer)]).toEqual([status, expect.stringMatching(why)]);
  });

  it('are refused as Secrets too, and may be as large as they say', async () => {
    const secret = (bytes: number): Json => ({
      metadata: { name: `s${bytes}` },
      data: { k: Buffer.alloc(bytes).toString('base64') },
    });
    const path = '/api/v1/namespaces/default/secrets';
    expect((await call('POST', path, secret(1024 * 1024 + 1))).status).toBe(422);
    expect((await call('POST', path, secret(1024 * 1024))).status).toBe(201);
    expect((await call('POST', MAPS, configMap('exact', { k: 'x'.repeat(1024 * 1024) }))).status).toBe(201);
  });
});

describe('B13: texts that are not what they look like', () => {
  it.each([
    ['letters of another alphabet', 'аdmin'],
    ['an invisible blank', 'ad\u200bmin'],
    ['a change of direction', 'ad\u202emin'],
    ['NUL', 'ad\0min'],
    ['a lone surrogate', 'ad\ud800min'],
    ['an emoji', 'a🙂'],
    ['capitals', 'Admin'],
    ['a slash', 'a/b'],
    ['two dots', '..'],
    ['254 letters', 'a'.repeat(254)],
  ])('are no names: %s', async (_what, name) => {
    expect((await call('POST', MAPS, configMap(name))).status).toBe(422);
  });

  it('are kept byte by byte where they are data', async () => {
    const value = '\u202eRTL \u200b\u0000\u001b[31m 🙂 é e\u0301 \ufeff';
    await call('POST', MAPS, configMap('c', { value }));
    expect(at((await call('GET', `${MAPS}/c`)).body, 'data', 'value')).toBe(value);
  });

  it('are a 400, or made whole, where they are no UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"u"},"data":{"k":"'),
      Buffer.from([0xff, 0xfe, 0xc0, 0xaf]),
      Buffer.from('"}}'),
    ]);
    const response = await plane.handler({
      method: 'POST',
      path: MAPS,
      headers: { 'content-type': 'application/json' },
      body: bytes,
    });
    expect([201, 400]).toContain(response.status);
    expect((await call('GET', MAPS)).status).toBe(200);
  });
});

describe('B14: intervals that are none', () => {
  it.each(['5', '-1s', '1d', '', '1.5', '١s', '9e9h'])('are refused by the schema: %j', async (interval) => {
    const kind = kinds.find((one) => one.kind === 'GitRepository') as (typeof kinds)[number];
    expect((await call('POST', CRDS, crdOf(kind) as unknown as Json)).status).toBe(201);
    const path = '/apis/source.toolkit.fluxcd.io/v1/namespaces/default/gitrepositories';
    const repository = (name: string, every: Json): Json => ({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name },
      spec: { url: 'https://example.com/x.git', interval: every },
    });
    const refused = await call('POST', path, repository('bad', interval));
    expect([refused.status, message(refused)]).toEqual([422, expect.stringContaining('spec.interval')]);
    expect((await call('POST', path, repository('number', 5))).status).toBe(422);
    expect((await call('POST', path, repository('good', '1h'))).status).toBe(201);
  });
});

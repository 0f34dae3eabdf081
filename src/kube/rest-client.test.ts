import { describe, expect, test } from 'vitest';
import type { HttpHandler, HttpRequest } from '../base/http.ts';
import type { Json } from '../base/json.ts';
import type { WatchEvent } from './client.ts';
import { createKubeClient } from './rest-client.ts';

const CORE = discovery('', 'v1', [
  ['configmaps', 'ConfigMap', true],
  ['namespaces', 'Namespace', false],
]);

function discovery(group: string, version: string, kinds: readonly (readonly [string, string, boolean])[]): Json {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    items: [
      {
        metadata: { name: group },
        versions: [
          {
            version,
            resources: kinds.map(([resource, kind, namespaced]) => ({
              resource,
              responseKind: { group, version, kind },
              scope: namespaced ? 'Namespaced' : 'Cluster',
              verbs: ['get', 'list'],
            })),
          },
        ],
      },
    ],
  };
}

const EMPTY: Json = { kind: 'APIGroupDiscoveryList', items: [] };
interface Scripted {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: Json | string;
}

/** A server that answers from a script, and remembers what it was asked. */
function server(answer: (request: HttpRequest, index: number) => Scripted | undefined): {
  handler: HttpHandler;
  asked: HttpRequest[];
  paths: () => string[];
} {
  const asked: HttpRequest[] = [];
  const handler: HttpHandler = async (request) => {
    asked.push(request);
    const found =
      answer(request, asked.length - 1) ??
      (request.path === '/api' ? { body: CORE } : request.path === '/apis' ? { body: EMPTY } : undefined);
    if (found === undefined) throw new Error(`unexpected ${request.method} ${request.path}`);
    const text = typeof found.body === 'string' ? found.body : JSON.stringify(found.body);
    return { status: found.status ?? 200, headers: found.headers ?? {}, body: chunks(text) };
  };
  const paths = (): string[] =>
    asked.map(({ method, path }) => `${method} ${path}`).filter((path) => !/ \/apis?$/.test(path));
  return { handler, asked, paths };
}

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  // Odd sizes, so that lines and characters are cut.
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 7) yield bytes.subarray(start, start + 7);
}

const object = (name: string, resourceVersion = '1'): Json => ({ metadata: { name, namespace: 'a', resourceVersion } });
const configMap = { apiVersion: 'v1', kind: 'ConfigMap' };
const client = (handler: HttpHandler): ReturnType<typeof createKubeClient> =>
  createKubeClient({ handler, userAgent: 'weir/test', random: () => 0, clock: instantClock() });

/** Fires timers at once when they are a pause, never when they are a deadline. */
function instantClock(): { now(): number; after(ms: number, fire: () => void): () => void } {
  return {
    now: () => 0,
    after(ms, fire) {
      if (ms < 60_000) queueMicrotask(fire);
      return () => undefined;
    },
  };
}

describe('requests', () => {
  test('go to the path that discovery gives, with the field manager and the patch type', async () => {
    const { handler, asked, paths } = server(({ path }) =>
      path.startsWith('/api/v1') ? { body: { ...configMap, metadata: { name: 'x' } } } : undefined,
    );
    const kube = client(handler);
    const ref = { ...configMap, namespace: 'a', name: 'x' };
    await kube.get(ref);
    await kube.apply(
      { ...configMap, metadata: { name: 'x', namespace: 'a' } },
      { fieldManager: 'm', force: true, dryRun: true },
    );
    await kube.patch(ref, { status: {} }, { type: 'merge', subresource: 'status', fieldManager: 'm' });
    await kube.get({ apiVersion: 'v1', kind: 'Namespace', namespace: 'ignored', name: 'a' });
    await kube.delete(ref, { propagation: 'Background', uid: 'u' });
    expect(paths()).toEqual([
      'GET /api/v1/namespaces/a/configmaps/x',
      'PATCH /api/v1/namespaces/a/configmaps/x?fieldManager=m&dryRun=All&fieldValidation=Ignore&force=true',
      'PATCH /api/v1/namespaces/a/configmaps/x/status?fieldManager=m&fieldValidation=Ignore',
      'GET /api/v1/namespaces/a',
      'DELETE /api/v1/namespaces/a/configmaps/x',
    ]);
    const types = asked.map(({ headers }) => headers['content-type']).filter((type) => type !== undefined);
    expect(types).toEqual(['application/apply-patch+yaml', 'application/merge-patch+json', 'application/json']);
    expect(JSON.parse(Buffer.from(asked.at(-1)?.body ?? []).toString())).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      preconditions: { uid: 'u' },
    });
  });

  test.each([
    ['..', `invalid resource name "..": [may not be '..']`],
    ['x/y', `invalid resource name "x/y": [may not contain '/']`],
    ['x%y', `invalid resource name "x%y": [may not contain '%']`],
    ['', 'resource name may not be empty'],
  ])('for name %j are refused before they are sent', async (name, message) => {
    const { handler, paths } = server(() => undefined);
    const result = await client(handler).get({ ...configMap, namespace: 'a', name });
    expect(result).toEqual({ ok: false, error: { code: 0, reason: 'BadRequest', message } });
    expect(paths()).toEqual([]);
  });

  test('without a namespace where the kind needs one are for the server to refuse', async () => {
    const { handler, paths } = server(() => undefined);
    await client(handler).get({ ...configMap, namespace: '', name: 'x' });
    expect(paths()).toEqual(['GET /api/v1/configmaps/x']);
  });

  test('of a kind in lower case go to where the kind is: the server tells what is wrong with it', async () => {
    const { handler, paths } = server(({ path }) => (path.startsWith('/api/v1') ? { body: object('x') } : undefined));
    await client(handler).get({ ...configMap, kind: 'configmap', namespace: 'a', name: 'x' });
    expect(paths()).toEqual(['GET /api/v1/namespaces/a/configmaps/x']);
  });

  test('as another user carry impersonation headers, discovery does not', async () => {
    const { handler, asked } = server(({ path }) => (path.startsWith('/api/v1') ? { body: object('x') } : undefined));
    const tenant = client(handler).as({
      user: 'system:serviceaccount:a:b',
      groups: ['g1', 'g2'],
      uid: '7',
      extra: new Map([['scopes', ['a', 'b']]]),
    });
    await tenant.get({ ...configMap, namespace: 'a', name: 'x' });
    expect(asked.map(({ headers }) => headers['impersonate-user'])).toEqual([
      undefined,
      undefined,
      'system:serviceaccount:a:b',
    ]);
    expect(asked.at(-1)?.headers).toMatchObject({
      'impersonate-group': 'g1, g2',
      'impersonate-uid': '7',
      'impersonate-extra-scopes': 'a, b',
    });
  });

  test('keep integers beyond 2^53 exact in both directions', async () => {
    const { handler, asked } = server(({ path }) =>
      path.startsWith('/api/v1') ? { body: '{"metadata":{"name":"x"},"data":{"n":9007199254740993}}' } : undefined,
    );
    const got = await client(handler).patch(
      { ...configMap, namespace: 'a', name: 'x' },
      { n: 9007199254740993n },
      { type: 'merge' },
    );
    expect(got).toMatchObject({ ok: true, value: { data: { n: 9007199254740993n } } });
    expect(Buffer.from(asked.at(-1)?.body ?? []).toString()).toBe('{"n":9007199254740993}');
  });
});

describe('failures', () => {
  const status = (code: number, reason: string, extra: Record<string, Json> = {}): Scripted => ({
    status: code,
    body: { kind: 'Status', code, reason, message: 'why', ...extra },
  });
  const ref = { ...configMap, namespace: 'a', name: 'x' };

  test('are read from the Status', async () => {
    const { handler } = server(({ path }) =>
      path.startsWith('/api/v1') ? status(404, 'NotFound', { details: { name: 'x', kind: 'configmaps' } }) : undefined,
    );
    expect(await client(handler).get(ref)).toEqual({
      ok: false,
      error: { code: 404, reason: 'NotFound', message: 'why', details: { name: 'x', kind: 'configmaps' } },
    });
  });

  test('without a Status keep the text', async () => {
    const { handler } = server(({ path }) => (path.startsWith('/api/v1') ? { status: 403, body: 'no\n' } : undefined));
    expect(await client(handler).get(ref)).toEqual({
      ok: false,
      error: { code: 403, reason: 'Forbidden', message: 'no' },
    });
  });

  test.each([
    ['get', 429, 2],
    ['get', 503, 2],
    ['create', 429, 2],
    ['create', 503, 1],
    ['raw', 429, 1],
  ] as const)('of %s with %i are sent %i times', async (verb, code, times) => {
    let sent = 0;
    const { handler } = server(({ path }) => {
      if (!path.startsWith('/api/v1')) return undefined;
      return ++sent === 1 ? { ...status(code, 'x'), headers: { 'retry-after': '1' } } : { body: object('x') };
    });
    const kube = client(handler);
    if (verb === 'get') await kube.get(ref);
    else if (verb === 'create') await kube.create({ ...configMap, metadata: { name: 'x', namespace: 'a' } });
    else await kube.raw('POST', '/api/v1/namespaces/a/pods/p/eviction', {});
    expect(sent).toBe(times);
  });

  test('of the connection have code 0 and the innermost reason', async () => {
    const kube = client(async () => {
      throw new TypeError('fetch failed', { cause: new AggregateError([new Error('connect ECONNREFUSED')]) });
    });
    expect(await kube.get(ref)).toEqual({
      ok: false,
      error: { code: 0, reason: 'ConnectionFailed', message: 'the server could not be reached: connect ECONNREFUSED' },
    });
  });

  test('by abort are thrown', async () => {
    const abort = new AbortController();
    const { handler } = server(({ path }) => {
      if (path.startsWith('/api/v1')) abort.abort(new Error('stop'));
      return path.startsWith('/api/v1') ? status(429, 'x') : undefined;
    });
    await expect(client(handler).get(ref, abort.signal)).rejects.toThrow('stop');
  });
});

describe('kinds', () => {
  test('that appear later are found, and one that does not exist is NoMatch after one more look', async () => {
    let served: Json = EMPTY;
    const { handler, asked } = server(({ path }) =>
      path === '/apis' ? { body: served } : path.startsWith('/apis/') ? { body: object('x') } : undefined,
    );
    const kube = client(handler);
    const ref = { apiVersion: 'example.com/v1', kind: 'Thing', namespace: 'a', name: 'x' };
    expect(await kube.get(ref)).toEqual({
      ok: false,
      error: { code: 404, reason: 'NoMatch', message: 'no matches for kind "Thing" in version "example.com/v1"' },
    });
    expect(asked).toHaveLength(2);
    served = discovery('example.com', 'v1', [['things', 'Thing', true]]);
    expect((await kube.get(ref)).ok).toBe(true);
  });

  test('whose CRD was deleted turn into NoMatch', async () => {
    let served = discovery('example.com', 'v1', [['things', 'Thing', true]]);
    const { handler } = server(({ path }) =>
      path === '/apis'
        ? { body: served }
        : path.startsWith('/apis/')
          ? { status: 404, body: '404 page not found' }
          : undefined,
    );
    const kube = client(handler);
    const kind = { apiVersion: 'example.com/v1', kind: 'Thing' };
    await kube.resource(kind);
    served = EMPTY;
    expect(await kube.list(kind)).toMatchObject({ ok: false, error: { reason: 'NoMatch' } });
  });

  test('are not read again while the ETag holds', async () => {
    const { handler, asked } = server(({ path, headers }) => {
      if (path !== '/api') return undefined;
      return headers['if-none-match'] === '"1"' ? { status: 304, body: '' } : { body: CORE, headers: { etag: '"1"' } };
    });
    const kube = client(handler);
    expect((await kube.resource({ apiVersion: 'v1', kind: 'Nothing' })).ok).toBe(false);
    expect((await kube.resource({ apiVersion: 'v1', kind: 'Nothing' })).ok).toBe(false);
    expect((await kube.resource({ apiVersion: 'v1', kind: 'ConfigMap' })).ok).toBe(true);
    expect(asked.filter(({ headers }) => headers['if-none-match'] === '"1"')).toHaveLength(1);
  });

  test('come from a server without aggregated discovery, preferred versions first', async () => {
    const list = (kind: string): Json => ({
      kind: 'APIResourceList',
      resources: [
        { name: 'things', kind, namespaced: true, verbs: ['get'] },
        { name: 'things/status', kind, namespaced: true, verbs: ['get'] },
      ],
    });
    const { handler } = server(({ path }) => {
      if (path === '/api') return { body: { kind: 'APIVersions', versions: ['v1'] } };
      if (path === '/api/v1') return { body: list('Core') };
      if (path === '/apis') {
        const versions = [{ groupVersion: 'e.com/v1' }, { groupVersion: 'e.com/v2' }];
        return {
          body: { kind: 'APIGroupList', groups: [{ name: 'e.com', preferredVersion: versions[1] as Json, versions }] },
        };
      }
      if (path === '/apis/e.com/v1') return { status: 503, body: 'down' };
      return path === '/apis/e.com/v2' ? { body: list('Thing') } : undefined;
    });
    const found = await client(handler).resources();
    expect(found.ok && found.value.map(({ apiVersion, kind, plural }) => `${apiVersion} ${kind} ${plural}`)).toEqual([
      'v1 Core things',
      'e.com/v2 Thing things',
    ]);
  });
});

describe('lists', () => {
  test('are read page by page and their items get the kind', async () => {
    const { handler, paths } = server(({ path }) => {
      if (!path.startsWith('/api/v1')) return undefined;
      const last = path.includes('continue=next');
      return {
        body: { items: [object(last ? 'y' : 'x')], metadata: { resourceVersion: '9', continue: last ? '' : 'next' } },
      };
    });
    const listed = await client(handler).list(configMap, { namespace: 'a', labelSelector: 'k=v' });
    expect(listed).toEqual({
      ok: true,
      value: { resourceVersion: '9', items: ['x', 'y'].map((name) => ({ ...configMap, ...(object(name) as object) })) },
    });
    expect(paths()).toEqual([
      'GET /api/v1/namespaces/a/configmaps?labelSelector=k%3Dv&limit=500',
      'GET /api/v1/namespaces/a/configmaps?labelSelector=k%3Dv&limit=500&continue=next',
    ]);
  });

  test('whose continue token has expired are read whole', async () => {
    const { handler } = server(({ path }) => {
      if (!path.startsWith('/api/v1')) return undefined;
      if (path.includes('continue')) return { status: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } };
      if (path.includes('limit')) return { body: { items: [object('x')], metadata: { continue: 'next' } } };
      return { body: { items: [object('x'), object('y')], metadata: { resourceVersion: '3' } } };
    });
    const listed = await client(handler).list(configMap);
    expect(listed.ok && listed.value.items.map(({ metadata }) => metadata.name)).toEqual(['x', 'y']);
  });
});

describe('watches', () => {
  async function watch(lines: string): Promise<WatchEvent[]> {
    const { handler } = server(({ path }) => (path.startsWith('/api/v1') ? { body: lines } : undefined));
    const events: WatchEvent[] = [];
    const options = { resourceVersion: '1', signal: new AbortController().signal };
    for await (const event of client(handler).watch(configMap, options)) events.push(event);
    return events;
  }

  test('yield events line by line, bookmarks and the final error', async () => {
    const events = await watch(
      [
        '{"type":"ADDED","object":{"metadata":{"name":"ä","resourceVersion":"2"}}}',
        '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"5"}}}',
        '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}',
        '{"type":"ADDED","object":{"metadata":{"name":"never"}}}',
      ].join('\n'),
    );
    expect(events).toEqual([
      { type: 'ADDED', object: { ...configMap, metadata: { name: 'ä', resourceVersion: '2' } } },
      { type: 'BOOKMARK', resourceVersion: '5' },
      { type: 'ERROR', error: { code: 410, reason: 'Expired', message: 'too old' } },
    ]);
  });

  test('tell a broken line as an error', async () => {
    expect(await watch('{"type":"AD')).toEqual([
      { type: 'ERROR', error: { code: 0, reason: 'InvalidAnswer', message: 'watch: an event is not JSON' } },
    ]);
  });
});

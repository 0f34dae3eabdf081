import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect as connectSocket, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { type Log, silent } from '../base/log.ts';
import { type Informer, watchKind } from './informer.ts';
import { createKubeClient } from './rest-client.ts';
import { createSocketTransport, type SocketTransport } from './transport-socket.ts';

/** An API server over real sockets that fails as it is told to. */
const KIND = { apiVersion: 'e.com/v1', kind: 'Thing' };
const REF = { ...KIND, namespace: 'a', name: 'x' };
const thing = (name: string, version: number, uid = `uid-${name}`): object => ({
  ...KIND,
  metadata: { name, namespace: 'a', uid, resourceVersion: String(version) },
  spec: { version },
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let clock: ManualClock;
let server: Server;
let transport: SocketTransport;
let address = '';
const sockets = new Set<Socket>();
/** Answers to requests about things, in turn; the last one stays. Discovery is served apart. */
let answers: Handler[] = [];
let asked: { readonly method: string; readonly url: string; readonly atMs: number }[] = [];
const stop: AbortController[] = [];

beforeEach(async () => {
  clock = new ManualClock(0);
  answers = [];
  asked = [];
  server = createServer((request, response) => {
    const url = request.url ?? '';
    if (url === '/api' || url === '/apis') {
      const resource = {
        resource: 'things',
        responseKind: { kind: 'Thing' },
        scope: 'Namespaced',
        verbs: ['list', 'watch'],
      };
      const items =
        url === '/api' ? [] : [{ metadata: { name: 'e.com' }, versions: [{ version: 'v1', resources: [resource] }] }];
      response.end(JSON.stringify({ kind: 'APIGroupDiscoveryList', items }));
      return;
    }
    asked.push({ method: request.method ?? '', url, atMs: clock.now() });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  transport = createSocketTransport({ server: address });
});
afterEach(async () => {
  for (const one of stop.splice(0)) one.abort();
  await transport.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
});

const client = (): ReturnType<typeof createKubeClient> =>
  createKubeClient({ handler: transport.handler, userAgent: 'test', clock, random: () => 0 });

const status =
  (code: number, reason: string, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ kind: 'Status', code, reason, message: `told ${reason}` }));
  };
const json =
  (body: object): Handler =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
const listOf = (version: number, ...items: readonly object[]): Handler =>
  json({ kind: 'ThingList', metadata: { resourceVersion: String(version) }, items });
const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const bookmark = (version: number): string => line('BOOKMARK', { metadata: { resourceVersion: String(version) } });
/** A watch that says these lines, and then stays open, or ends. */
const told =
  (lines: readonly string[], end = false): Handler =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    response.write(lines.join(''));
    if (end) response.end();
  };

/** Longest pause between two tries; timers beyond it are deadlines of requests that are under way on real sockets. */
const LONGEST_PAUSE_MS = 60_000;
/** Lets time pass, timer by timer, until it holds; never beyond a deadline unless `limitMs` says so. */
const passing = (check: () => void, limitMs: number = LONGEST_PAUSE_MS): Promise<void> =>
  vi.waitFor(
    () => {
      try {
        check();
      } catch (error) {
        const next = clock.next();
        if (next !== undefined && next - clock.now() <= limitMs) clock.advance(next - clock.now());
        throw error;
      }
    },
    { timeout: 15_000, interval: 5 },
  );
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 2 });

/** A result that comes while time passes. */
async function resolved<T>(work: Promise<T>, limitMs?: number): Promise<T> {
  let done = false;
  const marked = work.finally(() => {
    done = true;
  });
  await passing(() => expect(done).toBe(true), limitMs);
  return marked;
}

describe('C06: a request', () => {
  it.each([
    ['409', status(409, 'Conflict'), 1],
    ['422', status(422, 'Invalid'), 1],
    ['500', status(500, 'InternalError'), 1],
    ['504', status(504, 'Timeout'), 1],
    ['410', status(410, 'Expired'), 1],
  ])('that is answered by a %s is told so, once', async (code, answer, tries) => {
    answers = [answer];
    const result = await resolved(client().get(REF));
    expect(result).toMatchObject({
      ok: false,
      error: { code: Number(code), message: expect.stringContaining('told') },
    });
    expect(asked).toHaveLength(tries);
  });

  it.each([429, 503])('that is answered by %i waits as long as the server asks, and not for ever', async (code) => {
    answers = [status(code, 'TooManyRequests', { 'retry-after': '7' }), json(thing('x', 1))];
    expect(await resolved(client().get(REF))).toMatchObject({ ok: true });
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 7000]);

    asked = [];
    answers = [status(code, 'TooManyRequests', { 'retry-after': '3600' })];
    const began = clock.now();
    expect(await resolved(client().get(REF))).toMatchObject({ ok: false, error: { code } });
    expect(asked).toHaveLength(7);
    // An hour is more than anybody here waits.
    expect(clock.now() - began).toBeLessThanOrEqual(6 * 30_000);
  });

  it('that may have had its effect is not sent again', async () => {
    answers = [status(503, 'ServiceUnavailable', { 'retry-after': '0' })];
    const made = { ...KIND, metadata: { name: 'x', namespace: 'a' } };
    expect(await resolved(client().create(made))).toMatchObject({ ok: false, error: { code: 503 } });
    expect(asked).toHaveLength(1);
  });

  it('whose answer breaks off in its middle says so', async () => {
    answers = [
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"kind":"Thi');
        setImmediate(() => response.destroy());
      },
    ];
    const result = await resolved(client().get(REF));
    expect(result).toMatchObject({ ok: false, error: { code: 0, reason: 'ConnectionFailed' } });
    expect(asked).toHaveLength(1);
  });

  it('whose answer comes byte by byte, without end, is given up', async () => {
    answers = [
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{');
        const timer = setInterval(() => response.write(' '), 5);
        response.on('close', () => clearInterval(timer));
      },
    ];
    const pending = client().get(REF);
    await until(() => expect(asked).toHaveLength(1));
    expect(await resolved(pending, 90_000)).toMatchObject({
      ok: false,
      error: { code: 0, reason: 'Timeout', message: 'no answer within 90s' },
    });
  });

  it('that nobody answers is given up', async () => {
    answers = [() => undefined];
    const pending = client().get(REF);
    await until(() => expect(asked).toHaveLength(1));
    expect(await resolved(pending, 90_000)).toMatchObject({ ok: false, error: { reason: 'Timeout' } });
  });

  it('to where nobody listens says why', async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    const result = await resolved(client().get(REF));
    expect(result).toMatchObject({ ok: false, error: { reason: 'ConnectionFailed', message: /ECONNREFUSED/ } });
  });

  it.each([
    ['no JSON', '<html>', 'InvalidAnswer'],
    ['half of it', '{"kind":', 'InvalidAnswer'],
    ['a list', '[]', 'InvalidAnswer'],
    ['nothing', '', 'InvalidAnswer'],
  ])('that is answered with %s is no success', async (_what, text, reason) => {
    answers = [(_request, response) => response.end(text)];
    expect(await resolved(client().get(REF))).toMatchObject({ ok: false, error: { code: 0, reason } });
  });

  it('lists once more, whole, when a continue token expired', async () => {
    answers = [
      json({ metadata: { resourceVersion: '5', continue: 'next' }, items: [thing('x', 1)] }),
      status(410, 'Expired'),
      listOf(9, thing('x', 1), thing('y', 2)),
    ];
    const listed = await resolved(client().list(KIND));
    expect(listed.ok && listed.value.items.map(({ metadata }) => metadata.name)).toEqual(['x', 'y']);
    expect(asked.map(({ url }) => /limit/.test(url))).toEqual([true, true, false]);
  });
});

function follow(log: Log = silent): { readonly informer: Informer; readonly seen: string[] } {
  const abort = new AbortController();
  stop.push(abort);
  const informer = watchKind({ client: client(), kind: KIND, clock, log, signal: abort.signal, random: () => 0 });
  const seen: string[] = [];
  informer.subscribe(({ type, object }) =>
    seen.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`),
  );
  return { informer, seen };
}
const cached = (informer: Informer): readonly string[] =>
  informer
    .list()
    .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
    .sort();
const watchesFrom = (): readonly string[] =>
  asked.flatMap(({ url }) => /watch=true.*resourceVersion=(\d*)/.exec(url)?.[1] ?? []);

describe('C06: a list that fails', () => {
  it.each<[string, Handler]>([
    ['500', status(500, 'InternalError')],
    ['403', status(403, 'Forbidden')],
    ['a reset', (request) => request.socket.destroy()],
    ['no JSON', (_request, response) => response.end('<html>')],
  ])('with %s is tried again less than once a second, and says why', async (_what, answer) => {
    answers = [answer];
    const said: string[] = [];
    const note = (_message: string, fields?: Readonly<Record<string, unknown>>): void =>
      void said.push(String(fields?.['error']));
    follow({ ...silent, error: note } as Log);
    await passing(() => expect(asked.length).toBeGreaterThanOrEqual(8));
    const [first, last] = [asked[0], asked.at(-1)];
    expect(((last?.atMs ?? 0) - (first?.atMs ?? 0)) / (asked.length - 1)).toBeGreaterThan(1000);
    expect(said[0]).toMatch(/told|could not be reached|not JSON/);
  });
});

describe('C06: a watch', () => {
  it.each<[string, Handler]>([
    ['ends at once', told([], true)],
    ['says a bookmark and ends', told([bookmark(5)], true)],
    ['says the same event and ends', told([line('MODIFIED', thing('x', 6))], true)],
    ['is too late from the start', told([line('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })])],
    [
      'says an event and is too late',
      told([line('MODIFIED', thing('x', 6)), line('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })]),
    ],
    ['is refused with 429', status(429, 'TooManyRequests')],
    ['is refused with 500', status(500, 'InternalError')],
    ['breaks off', (request) => request.socket.destroy()],
    ['says what is no event', told(['{"type":"NONSENSE","object":{}}\n'])],
  ])('that %s, again and again, is no busy loop', async (_what, answer) => {
    const list = listOf(5, thing('x', 5));
    answers = [(request, response) => (request.url?.includes('watch=true') ? answer : list)(request, response)];
    follow();
    await passing(() => expect(watchesFrom().length).toBeGreaterThanOrEqual(8));
    const last = asked.at(-1)?.atMs ?? 0;
    expect(last / watchesFrom().length).toBeGreaterThan(1000);
  });
});

describe('C07: a watch that falls silent without a word', () => {
  it('is given up after some bookmarks did not come; nothing that happened meanwhile is missed', async () => {
    answers = [
      listOf(5, thing('x', 1), thing('gone', 2)),
      told([bookmark(6)]),
      // What the half-open connection did not bring.
      told([line('DELETED', thing('gone', 8)), line('MODIFIED', thing('x', 9)), bookmark(9)]),
    ];
    const { informer, seen } = follow();
    await until(() => expect(clock.next()).toBe(180_000));
    // No further: the watch that follows has its own deadlines.
    clock.advance(180_000);
    await until(() => expect(watchesFrom()).toEqual(['5', '6']));
    await until(() => expect(cached(informer)).toEqual(['x@9']));
    expect(seen.slice(2)).toEqual(['DELETED gone@8', 'MODIFIED x@9']);
  });

  it('is given up without any bookmark too, and what was deleted is found by listing', async () => {
    answers = [
      listOf(5, thing('x', 1), thing('gone', 2)),
      told([]),
      status(410, 'Expired'),
      listOf(90, thing('x', 80)),
      told([]),
    ];
    const { informer, seen } = follow();
    await until(() => expect(watchesFrom()).toEqual(['5']));
    clock.advance(clock.next() as number);
    await passing(() => expect(cached(informer)).toEqual(['x@80']));
    expect(seen.slice(2)).toEqual(['MODIFIED x@80', 'DELETED gone@2']);
    expect(clock.now()).toBeLessThanOrEqual(700_000);
  });

  it('is noticed over connections that a firewall forgot', async () => {
    const { port } = server.address() as AddressInfo;
    const forgotten = new Set<Socket>();
    const open = new Set<Socket>();
    const wall = createTcpServer((near) => {
      const far = connectSocket(port, '127.0.0.1');
      open.add(near);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on('error', () => undefined);
        from.on('data', (bytes) => {
          if (!forgotten.has(near)) to.write(bytes);
        });
      }
    });
    await new Promise<void>((resolve) => wall.listen(0, '127.0.0.1', resolve));
    await transport.close();
    transport = createSocketTransport({ server: `http://127.0.0.1:${(wall.address() as AddressInfo).port}` });
    try {
      answers = [listOf(5), told([bookmark(6)]), told([line('ADDED', thing('late', 7))])];
      const { informer } = follow();
      await until(() => expect(clock.next()).toBe(180_000));
      for (const near of open) forgotten.add(near);
      clock.advance(180_000);
      // The next request may well take another connection that is lost.
      await passing(() => expect(cached(informer)).toEqual(['late@7']), 90_000);
      // How often depends on how many deadlines of the clock pass while a request is on its way.
      expect([...new Set(watchesFrom())]).toEqual(['5', '6']);
    } finally {
      wall.close();
    }
  });
});

describe('C08: events', () => {
  it('that come twice change nothing', async () => {
    answers = [
      listOf(5, thing('x', 5)),
      told([
        line('MODIFIED', thing('x', 6)),
        line('MODIFIED', thing('x', 6)),
        bookmark(6),
        line('ADDED', thing('y', 7)),
        line('ADDED', thing('y', 7)),
        line('DELETED', thing('y', 8)),
        line('DELETED', thing('y', 8)),
        line('ADDED', thing('z', 9)),
      ]),
    ];
    const { informer, seen } = follow();
    await until(() => expect(cached(informer)).toEqual(['x@6', 'z@9']));
    expect(seen).toEqual(['ADDED x@5', 'MODIFIED x@6', 'ADDED y@7', 'DELETED y@8', 'ADDED z@9']);
  });

  it.each<[string, readonly string[]]>([
    ['an older state of an object', [line('MODIFIED', thing('x', 8)), line('MODIFIED', thing('x', 6))]],
    ['a change after the deletion', [line('DELETED', thing('x', 8)), line('MODIFIED', thing('x', 7))]],
    [
      'a deletion after the next object of the name',
      [line('ADDED', thing('x', 8, 'new')), line('DELETED', thing('x', 7))],
    ],
    ['an object between two others', [line('ADDED', thing('y', 8)), line('ADDED', thing('z', 7))]],
  ])('that come out of order are not believed: %s', async (_what, lines) => {
    const truth = [thing('x', 9), thing('y', 8), thing('z', 7)];
    answers = [listOf(5, thing('x', 5)), told(lines), listOf(9, ...truth), told([])];
    const { informer } = follow();
    await passing(() => expect(cached(informer)).toEqual(['x@9', 'y@8', 'z@7']));
    await until(() => expect(watchesFrom()).toEqual(['5', '9']));
  });

  it('with numbers of another length are in order', async () => {
    answers = [
      listOf(98),
      told([line('ADDED', thing('x', 99)), line('MODIFIED', thing('x', 100)), line('MODIFIED', thing('x', 1001))]),
    ];
    const { informer } = follow();
    await until(() => expect(cached(informer)).toEqual(['x@1001']));
    expect(watchesFrom()).toEqual(['98']);
  });

  it('go on from a bookmark, never from before it', async () => {
    answers = [listOf(5), told([bookmark(50), bookmark(40)], true), told([line('ADDED', thing('x', 51))])];
    const { informer } = follow();
    await passing(() => expect(cached(informer)).toEqual(['x@51']));
    expect(watchesFrom()).toEqual(['5', '50']);
  });

  it('that say 410 make the kind listed anew, deletions included', async () => {
    const gone = line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    answers = [listOf(5, thing('x', 1), thing('y', 2)), told([gone]), listOf(60, thing('y', 2)), told([])];
    const { informer, seen } = follow();
    await passing(() => expect(cached(informer)).toEqual(['y@2']));
    expect(seen.at(-1)).toBe('DELETED x@1');
  });

  it('that are cut in their middle are not taken', async () => {
    const whole = line('ADDED', thing('x', 6));
    answers = [
      listOf(5),
      (_request, response) => {
        response.writeHead(200);
        response.write(whole.slice(0, 40));
        setImmediate(() => response.destroy());
      },
      told([whole]),
    ];
    const { informer } = follow();
    await passing(() => expect(cached(informer)).toEqual(['x@6']));
    expect(watchesFrom()).toEqual(['5', '5']);
  });
});

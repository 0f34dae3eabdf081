import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { request } from 'node:https';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';
import type { Listening } from './listen.ts';

let clock: ManualClock;
let plane: ControlPlane;
let listening: Listening;
const sessions: ClientHttp2Session[] = [];
beforeEach(async () => {
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  plane = await createControlPlane({ clock });
  listening = await plane.listen();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await plane.stop();
});

const PATH = '/api/v1/namespaces/default/configmaps';
const MAPS = { group: '', plural: 'configmaps' };
const until = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });

function open(): ClientHttp2Session {
  const { authority, admin } = listening.pki;
  const session = connect(listening.url, { ca: authority, cert: admin.certificate, key: admin.key });
  session.on('error', () => undefined);
  sessions.push(session);
  return session;
}

/** Begins a watch; `heard` grows with its events. */
function watch(session: ClientHttp2Session, query = ''): { readonly stream: ClientHttp2Stream; heard: string } {
  const stream = session.request({ ':path': `${PATH}?watch=true&${query}` });
  const watching = { stream, heard: '' };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    watching.heard += chunk;
  });
  stream.on('error', () => undefined);
  return watching;
}

async function put(name: string, value: string): Promise<void> {
  const old = plane.registry.get(MAPS, 'default', name);
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { value } };
  const { resourceVersion } = old?.metadata ?? {};
  const written =
    resourceVersion === undefined
      ? await plane.registry.create(MAPS, object, 'test')
      : await plane.registry.update(MAPS, { ...object, metadata: { ...object.metadata, resourceVersion } }, 'test');
  expect(written.ok).toBe(true);
}

async function openWatches(): Promise<number> {
  const response = await plane.handler({ method: 'GET', path: '/metrics', headers: {} });
  let text = '';
  for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  return Number(/apiserver_longrunning_requests\{verb="WATCH"\} (\d+)/.exec(text)?.[1]);
}

/** A watch over HTTP/1.1 whose client reads the head of the answer and nothing more. */
async function slowWatch(): Promise<TLSSocket> {
  const { authority, admin } = listening.pki;
  const socket = connectTls({
    host: '127.0.0.1',
    port: listening.port,
    ca: authority,
    cert: admin.certificate,
    key: admin.key,
    ALPNProtocols: ['http/1.1'],
  });
  socket.on('error', () => undefined);
  socket.write(`GET ${PATH}?watch=true HTTP/1.1\r\nHost: x\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  return socket;
}

describe('F04: watches', () => {
  it('holds a thousand that hear nothing while one hears everything, and forgets them when they go', async () => {
    const [one, two] = [open(), open()];
    for (let index = 0; index < 500; index++) {
      watch(one, `labelSelector=a%3D${index}`);
      watch(two, `labelSelector=b%3D${index}`);
    }
    const active = watch(open());
    await until(async () => expect(await openWatches()).toBe(1001));
    for (let index = 0; index < 100; index++) await put(`c${index}`, 'v');
    await until(() => expect(active.heard.match(/"name":"c\d+"/g)?.length).toBe(100));
    one.destroy();
    two.destroy();
    await until(async () => expect(await openWatches()).toBe(1));
  });

  it('closes one whose client reads nothing, while the others hear everything', async () => {
    const slow = await slowWatch();
    const other = watch(open());
    await until(async () => expect(await openWatches()).toBe(2));
    const value = 'x'.repeat(500_000);
    // More than all buffers between the two together.
    for (let index = 0; index < 40; index++) await put('big', `${index} ${value}`);
    // To the end of the last line: a watcher that is still sent something looks like a slow one to a clock that jumps.
    await until(() => expect(/"value":"39 x+"\}.*\n$/.test(other.heard.slice(-600_000))).toBe(true));
    expect(other.heard.match(/"value":"\d+ x/g)?.length).toBe(40);
    const closed = new Promise((resolve) => slow.once('close', resolve));
    await until(async () => {
      clock.advance(30_000);
      expect(await openWatches()).toBe(1);
    });
    slow.resume();
    await closed;
    await put('after', 'v');
    await until(() => expect(other.heard).toContain('"name":"after"'));
  });

  it('sends a client that comes too late to begin anew', async () => {
    await put('big', 'first');
    const from = plane.registry.get(MAPS, 'default', 'big')?.metadata.resourceVersion ?? '';
    const value = 'x'.repeat(900_000);
    // The history holds 64 MiB of what was replaced.
    for (let index = 0; index < 80; index++) await put('big', `${index} ${value}`);
    const late = watch(open(), `resourceVersion=${from}`);
    await until(() => expect(late.stream.closed).toBe(true));
    expect(JSON.parse(late.heard)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
  });
});

it('F04: loses no event of any write, in order, while 500 others watch something else', async () => {
  const idle = open();
  for (let index = 0; index < 500; index++) watch(idle, `labelSelector=idle%3D${index}`);
  await until(async () => expect(await openWatches()).toBe(500));
  const active = [open(), open(), open()].map((session) => watch(session));
  await until(async () => expect(await openWatches()).toBe(503));
  const written: string[] = [];
  // Eight at once, as clients write: what a watch must show is the order of the revisions.
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; round < 100; round++) {
        await put(`w${writer}`, String(round));
        written.push(plane.registry.get(MAPS, 'default', `w${writer}`)?.metadata.resourceVersion ?? '');
      }
    }),
  );
  const revisions = (heard: string): readonly string[] =>
    heard
      .split('\n')
      .filter((line) => line.includes('"name":"w'))
      .map((line) => JSON.parse(line).object.metadata.resourceVersion);
  const expected = written.toSorted((a, b) => Number(a) - Number(b));
  for (const one of active) {
    await until(() => expect(one.heard.split('\n').filter((line) => line.includes('"name":"w'))).toHaveLength(800));
    expect(revisions(one.heard)).toEqual(expected);
  }
});

describe('the sockets', () => {
  it('F03: refuses a body above 3 MiB, however it is declared', async () => {
    const { authority, admin } = listening.pki;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(
        listening.url + PATH,
        { method: 'POST', ca: authority, cert: admin.certificate, key: admin.key, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.on('error', reject);
      for (let index = 0; index < 4; index++) sent.write(Buffer.alloc(1024 * 1024, 0x20));
      sent.end();
    });
    expect(status).toBe(413);
  });

  it('closes a connection whose body does not come', async () => {
    const session = open();
    const stream = session.request({ ':path': PATH, ':method': 'POST', 'content-type': 'application/json' });
    stream.on('error', () => undefined);
    stream.write('{"apiVersion":');
    const closed = new Promise((resolve) => stream.once('close', resolve));
    await until(() => {
      clock.advance(60_000);
      expect(stream.closed || stream.destroyed).toBe(true);
    });
    await closed;
    expect(session.destroyed).toBe(false);
  });

  it('asks to come again when too many requests wait at once', async () => {
    const [one, two] = [open(), open()];
    const refused: Readonly<Record<string, unknown>>[] = [];
    const waiting = Array.from({ length: 601 }, (_, index) => {
      const stream = (index % 2 === 0 ? one : two).request({ ':path': PATH, ':method': 'POST' });
      stream.on('error', () => undefined);
      stream.on('response', (headers) => refused.push(headers));
      stream.write('{');
      return stream;
    });
    await until(() => expect(refused).toMatchObject([{ ':status': 429, 'retry-after': '1' }]));
    const answer = async (): Promise<Readonly<Record<string, unknown>>> => {
      const stream = one.request({ ':path': PATH });
      return new Promise((resolve) => {
        stream.on('response', resolve);
        stream.resume();
      });
    };
    for (const stream of waiting) stream.close();
    await until(async () => expect(await answer()).toMatchObject({ ':status': 200 }));
  });
});

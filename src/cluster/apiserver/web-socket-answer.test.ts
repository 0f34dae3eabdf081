import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';
import type { Listening } from './listen.ts';

let plane: ControlPlane;
let listening: Listening;
beforeEach(async () => {
  plane = await createControlPlane();
  listening = await plane.listen();
});
afterEach(() => plane.stop());

const PATH = '/api/v1/namespaces/default/configmaps';

function open(path: string, protocols: string[] = [], asAdmin = true, origin = 'https://app.example'): WebSocket {
  const { authority, admin } = listening.pki;
  const access = asAdmin ? { cert: admin.certificate, key: admin.key } : {};
  return new WebSocket(`${listening.url.replace('https', 'wss')}${path}`, protocols, {
    ca: authority,
    ...access,
    ...(origin === '' ? {} : { origin }),
  });
}
/** The answer in place of an upgrade. */
const refusal = (socket: WebSocket): Promise<[status: number | undefined, body: string]> =>
  new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('opened')));
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve([response.statusCode, body]));
    });
  });
const create = (name: string): Promise<unknown> =>
  plane.registry.create(
    { group: '', plural: 'configmaps' },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } },
    'test',
  );

it('sends the events of a watch as messages, each as text', async () => {
  await create('before');
  const socket = open(`${PATH}?watch=true`);
  const heard: string[] = [];
  const second = new Promise<void>((resolve) => {
    socket.on('message', (data, binary) => {
      const { type, object } = JSON.parse((data as Buffer).toString());
      expect((data as Buffer).toString()).toMatch(/\}\n$/);
      heard.push(`${binary ? 'bytes' : 'text'} ${type} ${object.metadata.name}`);
      if (heard.length === 1) void create('later');
      if (heard.length === 2) resolve();
    });
  });
  await second;
  socket.terminate();
  expect(heard).toEqual(['text ADDED before', 'text ADDED later']);
});

it('closes the socket when the watch is over', async () => {
  const socket = open(`${PATH}?watch=true&timeoutSeconds=1`);
  expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(1000);
});

it('answers what is no stream, and what is refused, without an upgrade', async () => {
  const [status, body] = await refusal(open(PATH));
  expect([status, JSON.parse(body).kind]).toEqual([200, 'ConfigMapList']);
  const [missing] = await refusal(open('/apis/none/v1/things?watch=true'));
  expect(missing).toBe(404);
  expect(await refusal(open(`${PATH}?watch=true`, [], true, ''))).toEqual([403, '']);
  expect(await refusal(open(`${PATH}?watch=true`, ['a', 'b']))).toEqual([400, '']);
  const [forbidden, why] = await refusal(open(`${PATH}?watch=true`, [], false));
  expect([forbidden, JSON.parse(why).reason]).toEqual([403, 'Forbidden']);
});

it('takes a token as a protocol, beside another one', async () => {
  await plane.registry.create(
    { group: '', plural: 'serviceaccounts' },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot', namespace: 'default' } },
    'test',
  );
  const asked = await plane.handler({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts/robot/token',
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode('{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}'),
  });
  let text = '';
  for await (const chunk of asked.body) text += Buffer.from(chunk).toString();
  const { token } = JSON.parse(text).status;
  const protocol = (value: string): string =>
    `base64url.bearer.authorization.k8s.io.${Buffer.from(value).toString('base64url')}`;
  const [status, body] = await refusal(open(`${PATH}?watch=true`, [protocol(token), 'v1.k8s.io'], false));
  expect([status, JSON.parse(body).message]).toEqual([
    403,
    expect.stringContaining('User "system:serviceaccount:default:robot" cannot watch resource "configmaps"'),
  ]);
  const [wrong] = await refusal(open(`${PATH}?watch=true`, [protocol('x.y.z'), 'v1.k8s.io'], false));
  expect(wrong).toBe(401);
});

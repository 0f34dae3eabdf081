import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import type { Json } from '../../base/json.ts';
import { at, parseJson } from '../../base/json.ts';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';

let clock: ManualClock;
let plane: ControlPlane;
beforeEach(async () => {
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  plane = await createControlPlane({ clock });
});
afterEach(() => plane.stop());

async function call(
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: Json }> {
  const response = await plane.handler({
    method,
    path,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
  });
  let text = '';
  for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  return { status: response.status, body: parseJson(text) };
}

const CORE = '/api/v1/namespaces/default';
const make = async (plural: string, object: object): Promise<Json> => {
  const made = await call('POST', `${CORE}/${plural}`, object);
  expect(made.status).toBe(201);
  return at(made.body, 'metadata', 'uid') as Json;
};
const robot = (): Promise<Json> =>
  make('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } });
const secret = (): Promise<Json> => make('secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } });
const pod = (): Promise<Json> =>
  make('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] },
  });
const ask = (spec: object): ReturnType<typeof call> =>
  call('POST', `${CORE}/serviceaccounts/robot/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec,
  });
async function review(token: Json | undefined): Promise<Json> {
  const { body } = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token },
  });
  return at(body, 'status') ?? null;
}

describe('a token of a service account', () => {
  it.each([
    ['pods', 'Pod', 'p', pod],
    ['secrets', 'Secret', 's', secret],
  ])(
    'that is bound to one of the %s ends with it, and a new one of its name is another',
    async (plural, kind, name, create) => {
      await robot();
      const uid = await create();
      const { body } = await ask({ boundObjectRef: { apiVersion: 'v1', kind, name, uid } });
      const token = at(body, 'status', 'token');
      expect(await review(token)).toMatchObject({
        authenticated: true,
        user: { username: 'system:serviceaccount:default:robot' },
      });
      await call('DELETE', `${CORE}/${plural}/${name}?gracePeriodSeconds=0`);
      expect(await review(token)).toMatchObject({ error: expect.stringContaining('invalid bearer token') });
      await create();
      expect(await review(token)).toMatchObject({ error: expect.stringContaining('invalid bearer token') });
    },
  );

  it('ends with its account, and a new account of its name is another', async () => {
    await robot();
    const token = at((await ask({})).body, 'status', 'token');
    expect(await review(token)).toMatchObject({ authenticated: true });
    await call('DELETE', `${CORE}/serviceaccounts/robot`);
    expect(await review(token)).toMatchObject({ error: expect.stringContaining('invalid bearer token') });
    await robot();
    expect(await review(token)).toMatchObject({ error: expect.stringContaining('invalid bearer token') });
  });

  it('ends when its time is over', async () => {
    await robot();
    const token = at((await ask({ expirationSeconds: 600 })).body, 'status', 'token');
    clock.advance(599_000);
    expect(await review(token)).toMatchObject({ authenticated: true });
    clock.advance(1000);
    expect(await review(token)).toMatchObject({ error: expect.stringContaining('invalid bearer token') });
  });

  it('is not given for an object that is not there, or is another', async () => {
    await robot();
    const missing = await ask({ boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 's' } });
    expect(missing).toMatchObject({ status: 404, body: { message: 'secrets "s" not found' } });
    await secret();
    const other = await ask({ boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'another' } });
    expect(other).toMatchObject({ status: 409 });
  });
});

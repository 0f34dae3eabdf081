import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectRef } from '../api/object.ts';
import { ManualClock } from '../base/clock.ts';
import type { HttpHandler, HttpRequest } from '../base/http.ts';
import { type ControlPlane, createControlPlane } from '../cluster/control-plane.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { systemClock } from '../kube/system-clock.ts';
import { unwatched } from './live-objects.ts';
import { type WaitOptions, waitForHealth } from './wait.ts';

let plane: ControlPlane;
let requests: string[] = [];
beforeEach(async () => {
  plane = await createControlPlane();
  requests = [];
});
afterEach(() => plane.stop());

const map = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name });

function options(
  between: (request: HttpRequest) => ReturnType<HttpHandler> | undefined = () => undefined,
): WaitOptions {
  const handler: HttpHandler = (request) => {
    requests.push(request.path);
    return between(request) ?? plane.handler(request);
  };
  return {
    client: createKubeClient({ handler, userAgent: 'test' }),
    live: unwatched,
    clock: systemClock,
    rules: [],
    timeoutMs: 5_000,
    failFast: true,
    pollMs: 50,
    signal: new AbortController().signal,
  };
}

describe('objects that no watch covers', () => {
  it('are listed where there are many', async () => {
    const { client } = options();
    const targets = Array.from({ length: 200 }, (_, index) => ({ ref: map(`map-${index}`) }));
    for (const { ref } of targets) {
      const { apiVersion, kind, namespace = '', name } = ref;
      const made = await client.create({ apiVersion, kind, metadata: { namespace, name } });
      expect(made.ok).toBe(true);
    }
    requests = [];
    expect(await waitForHealth(targets, options())).toEqual({ ok: true, value: undefined });
    expect(requests.filter((path) => path.includes('/configmaps'))).toHaveLength(1);
    const missing = await waitForHealth([...targets, { ref: map('gone') }], { ...options(), timeoutMs: 0 });
    expect(missing).toMatchObject({
      error: { message: "timeout waiting for: [ConfigMap/default/gone status: 'NotFound']" },
    });
  });

  it('are read one by one where they may not be listed', async () => {
    const { client } = options();
    const targets = Array.from({ length: 30 }, (_, index) => ({ ref: map(`map-${index}`) }));
    for (const { ref } of targets) {
      const { apiVersion, kind, namespace = '', name } = ref;
      await client.create({ apiVersion, kind, metadata: { namespace, name } });
    }
    const forbidden = async (): ReturnType<HttpHandler> => ({
      status: 403,
      headers: {},
      body: (async function* () {
        yield new TextEncoder().encode('no');
      })(),
    });
    const waited = await waitForHealth(
      targets,
      options(({ path }) => (/\/configmaps\?/.test(path) ? forbidden() : undefined)),
    );
    expect(waited).toEqual({ ok: true, value: undefined });
  });

  it.each([1, 50])('are waited for no longer than the timeout when the server hangs (%i)', async (count) => {
    const clock = new ManualClock(0);
    const targets = Array.from({ length: count }, (_, index) => ({ ref: map(`map-${index}`) }));
    // Like a socket to a server that says nothing.
    const hang = ({ signal }: HttpRequest): Promise<never> =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    const waited = waitForHealth(targets, {
      ...options((request) => (request.path.includes('/configmaps') ? hang(request) : undefined)),
      clock,
      timeoutMs: 30_000,
    });
    await expect.poll(() => requests.some((path) => path.includes('/configmaps'))).toBe(true);
    clock.advance(30_000);
    expect(await waited).toMatchObject({ ok: false, error: { code: 'timeout' } });
  });
});

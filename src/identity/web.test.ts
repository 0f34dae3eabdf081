import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { systemClock } from '../kube/system-clock.ts';
import { createWeb } from './web.ts';

let close: () => void = () => undefined;
afterEach(() => close());

/** A server that gives these answers one after the other, the last one again and again. */
async function serverOf(
  ...answers: readonly ((request: IncomingMessage, response: ServerResponse) => void)[]
): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push(`${request.method} ${request.url}`);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const status =
  (code: number, text = '') =>
  (_request: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(code, { location: 'http://127.0.0.1:1/elsewhere' }).end(text);
const web = createWeb({ env: {}, clock: systemClock });

describe('a request to a service', () => {
  it.each([429, 500, 503])('is tried again after a status of %i', async (code) => {
    const { url, seen } = await serverOf(status(code), status(200, 'here'));
    expect(await web({ method: 'GET', url })).toMatchObject({ ok: true, value: { status: 200, text: 'here' } });
    expect(seen).toHaveLength(2);
  });

  it('is given up after three tries, with the last answer', async () => {
    const { url, seen } = await serverOf(status(503, 'busy'));
    expect(await web({ method: 'GET', url })).toMatchObject({ ok: true, value: { status: 503 } });
    expect(seen).toHaveLength(3);
  });

  it('is tried once where nothing of the machine answers', async () => {
    const clock = new ManualClock(0);
    const answer = await createWeb({ env: {}, clock })({ method: 'GET', url: 'http://127.0.0.1:1/', direct: true });
    // With a pause before another try it would wait for the clock.
    expect(answer).toMatchObject({ ok: false, error: expect.stringContaining('ECONNREFUSED') });
  });

  it.each([400, 401, 403, 404])('is not tried again after a refusal (%i)', async (code) => {
    const { url, seen } = await serverOf(status(code));
    expect(await web({ method: 'GET', url })).toMatchObject({ ok: true, value: { status: code } });
    expect(seen).toHaveLength(1);
  });

  it.each([301, 307])('is not sent on by a redirect (%i)', async (code) => {
    const { url, seen } = await serverOf(status(code));
    const answer = await web({ method: 'POST', url, body: 'secret' });
    expect(answer).toMatchObject({ ok: true, value: { status: code } });
    expect(seen).toHaveLength(1);
  });

  it('is told to have failed without its query, headers or body', async () => {
    const request = {
      method: 'POST',
      url: 'http://127.0.0.1:1/path?token=secret1',
      headers: { authorization: 'secret2' },
      body: 'secret3',
    } as const;
    const answer = await web(request);
    expect(answer).toMatchObject({ ok: false, error: expect.stringContaining('POST http://127.0.0.1:1/path: ') });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('takes no answer without an end', async () => {
    const { url } = await serverOf((_request, response) => {
      const more = (): void =>
        void response.write(Buffer.alloc(65_536), () => response.destroyed || setImmediate(more));
      more();
    });
    expect(await web({ method: 'GET', url })).toMatchObject({
      ok: false,
      error: expect.stringContaining('longer than 1048576 bytes'),
    });
  });

  it('ends when its time is over', async () => {
    const stop = new AbortController();
    const { url } = await serverOf(() => stop.abort());
    expect(await web({ method: 'GET', url }, stop.signal)).toMatchObject({
      ok: false,
      error: expect.stringContaining('the time for it is over'),
    });
  });

  it('goes through the proxy of the environment, unless it is for the machine itself', async () => {
    const asked: string[] = [];
    const { url } = await serverOf(status(500), status(200));
    const proxy = createServer();
    proxy.on('connect', ({ url: target }, socket) => {
      asked.push(target ?? '');
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const env = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    const proxied = createWeb({ env, clock: systemClock });
    expect(await proxied({ method: 'GET', url })).toMatchObject({ ok: false });
    expect(new Set(asked)).toEqual(new Set([new URL(url).host]));
    expect(await proxied({ method: 'GET', url, direct: true })).toMatchObject({ value: { status: 200 } });
    expect(asked).toHaveLength(3);
    proxy.close();
  });

  it('is given up when a proxy never opens a connection', async () => {
    const clock = new ManualClock(0);
    const proxy = createServer();
    proxy.on('connect', () => clock.advance(10_000));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const env = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    const answer = await createWeb({ env, clock })({ method: 'GET', url: 'http://127.0.0.1:1/' });
    expect(answer).toEqual({ ok: false, error: 'GET http://127.0.0.1:1/: no answer within 10s' });
    proxy.closeAllConnections();
    proxy.close();
  });
});

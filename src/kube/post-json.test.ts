import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { postJson } from './post-json.ts';

async function withServer(run: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const post = (url: string, signal: AbortSignal = new AbortController().signal): ReturnType<typeof postJson> =>
  postJson({ url, body: '{}', maxBytes: 1000, signal });

it('names a refused connection as Go does', async () => {
  let closed = 0;
  await withServer(async (port) => {
    closed = port;
  });
  expect(await post(`https://127.0.0.1:${closed}/x`)).toEqual({
    ok: false,
    error: `dial tcp 127.0.0.1:${closed}: connect: connection refused`,
  });
});

it('names a server that speaks plain HTTP', async () => {
  await withServer(async (port) => {
    expect(await post(`https://127.0.0.1:${port}/x`)).toEqual({
      ok: false,
      error: 'http: server gave HTTP response to HTTPS client',
    });
  });
});

it('ends when it is told to', async () => {
  await withServer(async (port) => {
    expect(await post(`https://127.0.0.1:${port}/x`, AbortSignal.abort())).toEqual({
      ok: false,
      error: 'context deadline exceeded',
    });
  });
});

import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ViewMessage } from '../api/view.ts';
import { servePage } from './http.ts';

const files = new Map([
  ['/', { type: 'text/html; charset=utf-8', bytes: Buffer.from('<p>page</p>') }],
  ['/index.html', { type: 'text/html; charset=utf-8', bytes: Buffer.from('<p>page</p>') }],
  ['/assets/a.js', { type: 'text/javascript; charset=utf-8', bytes: Buffer.from('1') }],
]);
const listeners = new Set<(message: ViewMessage) => void>();
const feed = {
  snapshot: (): ViewMessage => ({ type: 'snapshot', cluster: 'c', nodes: [], events: [] }),
  subscribe(send: (message: ViewMessage) => void) {
    listeners.add(send);
    return () => listeners.delete(send);
  },
};
const delta = (removed: readonly string[]): ViewMessage => ({ type: 'delta', nodes: [], removed, events: [] });

let page: Awaited<ReturnType<typeof servePage>>;
beforeEach(async () => {
  page = await servePage({ host: '127.0.0.1', port: 0, feed, files });
});
afterEach(() => page.stop());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A plain request: `fetch` would not let the path and the Host header through as they are. */
function ask(path: string, options: { readonly method?: string; readonly host?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: page.port,
        path,
        method: options.method ?? 'GET',
        headers: { host: options.host ?? `localhost:${page.port}` },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

/** Waits until something holds; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('the page', () => {
  const rows: readonly (readonly [string, string, { method?: string; host?: string }, number])[] = [
    ['is at the root', '/', {}, 200],
    ['is at every view', '/tree?q=x', {}, 200],
    ['has its files', '/assets/a.js', {}, 200],
    ['answers to its address', '/', { host: '127.0.0.1:80' }, 200],
    ['answers to its address of IP 6', '/', { host: '[::1]:80' }, 200],
    ['does not answer to a foreign name', '/', { host: 'evil.example' }, 403],
    ['does not answer to a foreign name that begins like its own', '/', { host: 'localhost.evil.example' }, 403],
    ['does not give data to a foreign name', '/api/stream', { host: 'evil.example' }, 403],
    ['takes no POST', '/', { method: 'POST' }, 405],
    ['takes no DELETE of its data', '/api/snapshot', { method: 'DELETE' }, 405],
    ['has no file that it was not built with', '/assets/b.js', {}, 404],
    ['does not leave its folder', '/../package.json', {}, 404],
    ['does not leave its folder by an escaped path', '/assets/%2e%2e/%2e%2e/package.json', {}, 404],
  ];
  it.each(rows)('%s', async (_title, path, options, status) => {
    const answer = await ask(path, options);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('devDependencies');
  });

  it('forbids scripts from elsewhere, inline scripts, frames and guesses at types', async () => {
    const { headers } = await ask('/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
  });

  it('keeps hashed files for ever and the page never', async () => {
    expect((await ask('/assets/a.js')).headers['cache-control']).toContain('immutable');
    expect((await ask('/')).headers['cache-control']).toBe('no-cache');
  });

  it('answers HEAD without a body, the stream included', async () => {
    expect(await ask('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect(await ask('/api/stream', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });
});

describe('the stream', () => {
  it('begins with a snapshot, goes on with deltas, and ends when the reader leaves', async () => {
    const stop = new AbortController();
    const response = await fetch(`http://localhost:${page.port}/api/stream`, { signal: stop.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe(`data: ${JSON.stringify(feed.snapshot())}\n\n`);
    for (const send of listeners) send(delta(['a']));
    expect((await reader?.read())?.value).toBe(`data: ${JSON.stringify(delta(['a']))}\n\n`);
    stop.abort();
    await until(() => listeners.size === 0);
  });

  it('cuts off a reader that does not read', async () => {
    const socket = connect(page.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET /api/stream HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until(() => listeners.size === 1);
    const large = delta(['x'.repeat(1024 * 1024)]);
    let sent = 0;
    while (listeners.size > 0) {
      for (const send of listeners) send(large);
      sent++;
      // More than this many MiB in memory for one reader would be a leak.
      expect(sent).toBeLessThan(64);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
  });

  it('ends when the page stops', async () => {
    const response = await fetch(`http://localhost:${page.port}/api/stream`);
    await page.stop();
    expect(await response.text()).toContain('"type":"snapshot"');
    page = await servePage({ host: '127.0.0.1', port: 0, feed, files });
  });
});

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { download, parseHttpUrl, withoutUserInfo } from './download.ts';

const servers: Server[] = [];
const seen: { readonly url: string; readonly authorization: string | undefined }[] = [];

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    seen.push({ url: `${request.headers.host}${request.url}`, authorization: request.headers.authorization });
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function get(url: string, maxBytes = 1000): ReturnType<typeof download> {
  const credentials = { username: 'u', password: 'hunter22' };
  return download({ url, credentials, maxBytes, signal: AbortSignal.timeout(10_000) });
}

let other: string;
let first: string;
beforeAll(async () => {
  other = await serve((_request, response) => response.end('there'));
  first = await serve((request, response) => {
    const to: Readonly<Record<string, string>> = {
      '/away': `${other}/x`,
      '/near': '/here',
      '/round': '/round',
      '/file': 'file:///etc/passwd',
    };
    const location = to[request.url ?? ''];
    if (location !== undefined) response.writeHead(302, { location }).end();
    else if (request.url === '/long') response.end('x'.repeat(2000));
    else response.end('here');
  });
});
afterAll(() => {
  for (const server of servers) server.close();
});

describe('a download', () => {
  it('sends credentials to its host, and follows it there', async () => {
    const answer = await get(`${first}/near`);
    expect(answer.ok && Buffer.from(answer.value.body).toString()).toBe('here');
    expect(seen.at(-1)?.authorization).toBe(`Basic ${Buffer.from('u:hunter22').toString('base64')}`);
  });

  it('sends no credentials to where another host is', async () => {
    const answer = await get(`${first}/away`);
    expect(answer.ok && answer.value.url).toBe(`${other}/x`);
    expect(seen.at(-1)).toEqual({ url: `${other.slice('http://'.length)}/x`, authorization: undefined });
  });

  it.each([
    ['/round', 'stopped after 10 redirects'],
    ['/file', 'redirected to what is no http or https URL'],
    ['/long', 'the answer is larger than 1000 bytes'],
  ])('refuses %s', async (path, why) => {
    const answer = await get(first + path);
    expect(answer.ok ? '' : answer.error).toContain(why);
  });

  it('tells nothing of credentials in an error', async () => {
    const answer = await get('http://u:hunter22@127.0.0.1:1/x');
    expect(answer.ok ? '' : answer.error).toMatch(/^Get "http:\/\/127\.0\.0\.1:1\/x": .*ECONNREFUSED/);
  });

  it('takes only http and https', () => {
    expect(['ftp://a/b', 'file:///a', 'a/b', ''].map((text) => parseHttpUrl(text))).toEqual(Array(4).fill(undefined));
    expect(withoutUserInfo('https://a:b@c/d')).toBe('https://c/d');
  });
});

import { Agent, type Dispatcher } from 'undici';
import { err, ok, type Result } from '../base/result.ts';

/** What a server is asked with. Values are secrets: none reaches an error. */
export interface HttpCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly bearerToken?: string;
  /** PEM of authorities trusted for this server. */
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Takes any certificate of the server. */
  readonly insecure?: boolean;
}

export interface Download {
  readonly url: string;
  /** Sent to the host of `url` alone, however it redirects. */
  readonly credentials?: HttpCredentials;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Downloaded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

/** Redirects that are followed; Go's client follows as many. */
const MAX_REDIRECTS = 10;
const CONNECT_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 60_000;
/** A server that sends nothing for so long is given up. */
const SILENCE_MS = 60_000;

/**
 * GETs a URL over HTTP. A redirect to another host gets no credentials, client certificate and trusted authorities included, and none leads
 * from https to http. Any status is an answer; an error is a sentence about why there is none.
 */
export async function download(request: Download): Promise<Result<Downloaded, string>> {
  const first = parseHttpUrl(request.url);
  if (first === undefined) return err(`'${withoutUserInfo(request.url)}' is no http or https URL`);
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const trusted = url.origin === first.origin;
    const answer = await get(url, trusted ? request.credentials : undefined, request);
    if (!answer.ok) return err(`Get "${withoutUserInfo(url.href)}": ${answer.error}`);
    const { location } = answer.value.headers;
    if (![301, 302, 303, 307, 308].includes(answer.value.status) || location === undefined) {
      return ok({ ...answer.value, url: url.href });
    }
    const next = parseHttpUrl(location, url);
    if (next === undefined)
      return err(`Get "${withoutUserInfo(url.href)}": redirected to what is no http or https URL`);
    if (url.protocol === 'https:' && next.protocol === 'http:') {
      return err(`Get "${withoutUserInfo(url.href)}": redirected from https to http`);
    }
    url = next;
  }
  return err(`Get "${withoutUserInfo(first.href)}": stopped after ${MAX_REDIRECTS} redirects`);
}

/** `text` as a URL of a web server, relative to `base` where that is given. */
export function parseHttpUrl(text: string, base?: URL): URL | undefined {
  if (!URL.canParse(text, base?.href)) return undefined;
  const url = new URL(text, base);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** A URL as it may be shown. */
export function withoutUserInfo(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/?#@]*@/i, '$1');
}

async function get(
  url: URL,
  credentials: HttpCredentials | undefined,
  { headers, maxBytes, signal }: Download,
): Promise<Result<Omit<Downloaded, 'url'>, string>> {
  const dispatcher = new Agent({
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      ...(credentials?.ca !== undefined && { ca: credentials.ca }),
      ...(credentials?.clientCertificate !== undefined && { cert: credentials.clientCertificate }),
      ...(credentials?.clientKey !== undefined && { key: credentials.clientKey }),
      ...(credentials?.insecure === true && { rejectUnauthorized: false }),
    },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: SILENCE_MS,
  });
  try {
    const authorization = authorizationOf(credentials);
    const answer = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: { 'user-agent': 'weir', ...headers, ...(authorization !== undefined && { authorization }) },
      signal,
    });
    const body = await readBody(answer, maxBytes);
    if (body === undefined) return err(`the answer is larger than ${maxBytes} bytes`);
    return ok({ status: answer.statusCode, headers: flat(answer.headers), body });
  } catch (cause) {
    return err(signal.aborted ? 'timed out' : reasonOf(cause));
  } finally {
    await dispatcher.destroy();
  }
}

async function readBody({ body }: Dispatcher.ResponseData, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Uint8Array).length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

function authorizationOf(credentials: HttpCredentials | undefined): string | undefined {
  if (credentials?.bearerToken !== undefined) return `Bearer ${credentials.bearerToken}`;
  const { username, password } = credentials ?? {};
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')]],
    ),
  );
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.message !== '' ? cause.message : ((cause as NodeJS.ErrnoException).code ?? cause.name);
}

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { HttpResponse } from '../../base/http.ts';
import { stringifyJson } from '../../base/json.ts';
import { printYaml } from '../../engine/yaml/print.ts';
import type { Served } from './server.ts';

const compress = promisify(gzip);
/** Smaller answers are not worth it. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/responsewriters/writers.go. */
const GZIP_FROM_BYTES = 128 * 1024;

export interface Encoded extends HttpResponse {
  readonly warnings: readonly string[];
  /** The body at once, when it is not a stream. */
  readonly whole?: Uint8Array;
  /** Longest time for which the client of a stream may take nothing. */
  readonly stallMs?: number;
}

/** Puts an answer into bytes as the client accepts them. */
export async function encode(served: Served, requestHeaders: Readonly<Record<string, string>>): Promise<Encoded> {
  const { reply, warnings } = served;
  const headers: Record<string, string> = {
    'cache-control': 'no-cache, private',
    ...reply.headers,
  };
  if (warnings.length > 0) headers['warning'] = warnings.map(warningHeader).join(', ');
  const { content } = reply;
  if (content.kind === 'stream') {
    headers['content-type'] = content.type;
    const { chunks, stallMs } = content;
    return { status: reply.status, headers, body: chunks, warnings, ...(stallMs === undefined ? {} : { stallMs }) };
  }
  let bytes = new Uint8Array();
  if (content.kind === 'json') {
    const yaml = served.yaml && reply.type === undefined;
    headers['content-type'] = reply.type ?? (yaml ? 'application/yaml' : 'application/json');
    const text = yaml
      ? printYaml(content.value)
      : `${stringifyJson(content.value, served.pretty ? 2 : undefined)}${served.pretty ? '' : '\n'}`;
    bytes = new TextEncoder().encode(text);
  } else if (content.kind === 'text') {
    headers['content-type'] = content.type;
    bytes = new TextEncoder().encode(content.text);
  } else if (content.kind === 'bytes') {
    headers['content-type'] = content.type;
    bytes = Uint8Array.from(content.bytes);
  }
  if (bytes.length >= GZIP_FROM_BYTES && /\bgzip\b/.test(requestHeaders['accept-encoding'] ?? '')) {
    bytes = new Uint8Array(await compress(bytes, { level: 1 }));
    headers['content-encoding'] = 'gzip';
    headers['vary'] = 'Accept-Encoding';
  }
  if (content.kind !== 'none') headers['content-length'] = String(bytes.length);
  return { status: reply.status, headers, body: once(bytes), warnings, whole: bytes };
}

/** Source: RFC 7234 section 5.5; `-` stands for the agent, as Kubernetes writes it. */
export function warningHeader(text: string): string {
  return `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[\r\n]+/g, ' ')}"`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

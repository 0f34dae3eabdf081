import { parseGoUrl } from './go-url.ts';
import type { CelValue } from './values.ts';

export interface UrlParts {
  readonly scheme: string;
  /** With the port. */
  readonly host: string;
  /** Percent-encoded. */
  readonly path: string;
  readonly query: ReadonlyMap<string, CelValue>;
}

/** Go's `url.ParseRequestURI`: an absolute URL or an absolute path; undefined for other text. */
export function parseUrl(text: string): UrlParts | undefined {
  const parsed = parseGoUrl(text, 'request');
  if (!parsed.ok) return undefined;
  const { scheme, host, path, query } = parsed.value;
  return { scheme, host, path, query: parseQuery(query.replace(/#.*$/s, '')) };
}

function parseQuery(text: string): Map<string, CelValue> {
  const out = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const [name = '', ...rest] = pair.split('=');
    const key = decode(name);
    const known = out.get(key) ?? [];
    known.push(decode(rest.join('=')));
    out.set(key, known);
  }
  return out;
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

export function urlPart(text: string, name: 'scheme' | 'host' | 'hostname' | 'port' | 'path'): string {
  const parts = parseUrl(text);
  if (parts === undefined) return '';
  const port = /:(\d*)$/.exec(parts.host.replace(/^\[[^\]]*\]/, ''))?.[1];
  if (name === 'port') return port ?? '';
  if (name !== 'hostname') return parts[name];
  const bare = port === undefined ? parts.host : parts.host.slice(0, -port.length - 1);
  return bare.replace(/^\[(.*)\]$/, '$1');
}

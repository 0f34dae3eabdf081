import { err, ok, type Result } from '../../base/result.ts';

export interface GoUrl {
  readonly scheme: string;
  /** With the port. */
  readonly host: string;
  readonly user: string | undefined;
  /** As written. */
  readonly path: string;
  /** What follows the scheme when that is no path from a root: `mailto:opaque`. */
  readonly opaque: string;
  readonly query: string;
  readonly fragment: string;
}

/** Go's `url.Parse` (`ParseRequestURI` with `mode` request); fails in its words: `parse "x": missing protocol scheme`. (go1.24 net/url) */
export function parseGoUrl(text: string, mode: 'reference' | 'request' = 'reference'): Result<GoUrl, string> {
  const fail = (why: string): Result<never, string> => err(`parse ${JSON.stringify(text)}: ${why}`);
  const hash = mode === 'reference' ? text.indexOf('#') : -1;
  let rest = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? '' : text.slice(hash + 1);
  if (Array.from(rest).some((character) => character < ' ' || character === '\u007f'))
    return fail('net/url: invalid control character in URL');
  if (rest === '' && mode === 'request') return fail('empty url');
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(rest);
  const scheme = (match?.[1] ?? '').toLowerCase();
  if (match === null && rest.startsWith(':')) return fail('missing protocol scheme');
  if (match !== null) rest = rest.slice(match[0].length);
  const question = rest.indexOf('?');
  const query = question < 0 ? '' : rest.slice(question + 1);
  if (question >= 0) rest = rest.slice(0, question);
  if (!rest.startsWith('/')) {
    if (scheme !== '') return ok({ scheme, host: '', user: undefined, path: '', opaque: rest, query, fragment });
    if (mode === 'request') return fail('invalid URI for request');
    if ((rest.split('/')[0] ?? '').includes(':')) return fail('first path segment in URL cannot contain colon');
  }
  let host = '';
  let user: string | undefined;
  if ((scheme !== '' || (mode === 'reference' && !rest.startsWith('///'))) && rest.startsWith('//')) {
    const slash = rest.indexOf('/', 2);
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? '' : rest.slice(slash);
    const atSign = authority.lastIndexOf('@');
    host = authority.slice(atSign + 1);
    if (atSign >= 0) {
      user = authority.slice(0, atSign);
      if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) return fail('net/url: invalid userinfo');
    }
    const bad = badHost(host);
    if (bad !== undefined) return fail(bad);
  }
  const escape = badEscape(rest) ?? badEscape(fragment);
  if (escape !== undefined) return fail(`invalid URL escape ${JSON.stringify(escape)}`);
  return ok({ scheme, host, user, path: rest, opaque: '', query, fragment });
}

function badEscape(text: string): string | undefined {
  const match = /%(?![0-9a-fA-F]{2})/.exec(text);
  return match === null ? undefined : text.slice(match.index, match.index + 3);
}

function badHost(host: string): string | undefined {
  if (host.startsWith('[')) {
    const close = host.lastIndexOf(']');
    if (close < 0) return "missing ']' in host";
    return badPort(host.slice(close + 1));
  }
  const colon = host.lastIndexOf(':');
  const bad = colon < 0 ? undefined : badPort(host.slice(colon));
  if (bad !== undefined) return bad;
  const escape = badEscape(host);
  if (escape !== undefined) return `invalid URL escape ${JSON.stringify(escape)}`;
  const character = /[ "<>^`{|}\\]/.exec(host)?.[0];
  return character === undefined ? undefined : `invalid character ${JSON.stringify(character)} in host name`;
}

function badPort(port: string): string | undefined {
  return port === '' || /^:\d*$/.test(port) ? undefined : `invalid port ${JSON.stringify(port)} after host`;
}

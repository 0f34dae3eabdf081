import { type GoUrl, parseGoUrl } from '../cel/go-url.ts';
import { type FuncMap, func } from '../gotemplate/func.ts';
import { fromBytes, toBytes } from '../gotemplate/go-string.ts';
import { MAP, STRING } from '../gotemplate/go-type.ts';
import { kindOf } from '../gotemplate/type-of.ts';
import { GoError, type Value } from '../gotemplate/value.ts';
import { NIL_DEREFERENCE } from './items.ts';

/** URLs. Source: sprig@3.3.0 url.go, go@1.26 net/url/url.go. */
export function urlFunctions(): FuncMap {
  return new Map([
    ['urlParse', func([STRING], parsed)],
    ['urlJoin', func([MAP], joined)],
  ]);
}

function parsed(text: string): Value {
  const url = read(text, 'unable to parse url');
  return new Map<string, Value>([
    ['scheme', url.scheme],
    ['host', unescaped(url.host)],
    ['hostname', hostname(unescaped(url.host))],
    ['path', unescaped(url.path)],
    ['query', url.query],
    ['opaque', url.opaque],
    ['fragment', unescaped(url.fragment)],
    ['userinfo', url.user === undefined ? '' : userinfo(url.user)],
  ]);
}

function read(text: string, complaint: string): GoUrl {
  const url = parseGoUrl(text);
  if (!url.ok) throw new GoError(`${complaint}: ${url.error}`);
  return url.value;
}

function hostname(host: string): string {
  const bare = host.replace(/:\d*$/, '');
  return bare.startsWith('[') && bare.endsWith(']') ? bare.slice(1, -1) : bare;
}

function userinfo(written: string): string {
  const colon = written.indexOf(':');
  if (colon < 0) return escaped(unescaped(written), PASSWORD);
  return `${escaped(unescaped(written.slice(0, colon)), PASSWORD)}:${escaped(unescaped(written.slice(colon + 1)), PASSWORD)}`;
}

/** What a part of a URL may hold as it is. */
const PASSWORD = /[A-Za-z0-9\-_.~$&+,;=]/;
const PATH = /[A-Za-z0-9\-_.~$&+,/:;=@]/;
const FRAGMENT = /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/;
const HOST = /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/;

function escaped(text: string, safe: RegExp): string {
  let out = '';
  for (const byte of toBytes(text)) {
    const character = String.fromCharCode(byte);
    out += safe.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  for (const [part] of text.matchAll(/%[0-9a-fA-F]{2}|[^%]+|%/g)) {
    if (part.length === 3 && part.startsWith('%')) bytes.push(Number.parseInt(part.slice(1), 16));
    else bytes.push(...toBytes(part));
  }
  return fromBytes(Uint8Array.from(bytes));
}

function joined(parts: Map<string, Value>): string {
  const part = (key: string): string => {
    const value = parts.has(key) ? parts.get(key) : '';
    if (typeof value === 'string') return value;
    if (value === null || value === undefined) {
      throw new GoError(NIL_DEREFERENCE);
    }
    throw new GoError(`unable to parse ${key} key, must be of type string, but ${kindOf(value)} found`);
  };
  const [scheme, host, path, query] = [part('scheme'), part('host'), part('path'), part('query')];
  const [opaque, fragment, user] = [part('opaque'), part('fragment'), part('userinfo')];
  const shownUser = user === '' ? undefined : read(`proto://${user}@host`, 'unable to parse userinfo in dict').user;
  let out = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') out += opaque;
  else {
    const authority = shownUser === undefined ? '' : `${userinfo(shownUser)}@`;
    if (host !== '' || shownUser !== undefined || (scheme !== '' && path !== '')) out += `//${authority}`;
    out += escaped(host, HOST);
    const shown = path === '*' ? path : escaped(path, PATH);
    if (shown !== '' && !shown.startsWith('/') && host !== '') out += '/';
    if (out === '' && (shown.split('/', 1)[0] ?? '').includes(':')) out += './';
    out += shown;
  }
  if (query !== '') out += `?${query}`;
  return fragment === '' ? out : `${out}#${escaped(fragment, FRAGMENT)}`;
}

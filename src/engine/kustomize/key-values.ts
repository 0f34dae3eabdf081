import { utf8Bytes, utf8Text } from '../../base/files.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { fail, wrapped } from './failure.ts';
import type { GeneratorArgs } from './kustomization-type.ts';
import type { Loader } from './load.ts';

export interface KeyValue {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** The bytes as text; undefined when they are not UTF-8. */
  readonly text: string | undefined;
}

/** The pairs that a generator's sources hold: env files, literals, files (api/kv). @throws KustomizeFailure */
export function loadKeyValues(loader: Loader, args: GeneratorArgs): readonly KeyValue[] {
  const envs = args.envs ?? [];
  const literals = args.literals ?? [];
  const files = args.files ?? [];
  return [
    ...wrapped(`env source files: ${goList(envs)}`, () => envs.flatMap((path) => fromEnvFile(loader.load(path)))),
    ...wrapped(`literal sources ${goList(literals)}`, () => literals.map(fromLiteral)),
    ...wrapped(`file sources: ${goList(files)}`, () => files.map((source) => fromFile(loader, source))),
  ];
}

export function goList(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}

function ofText(key: string, text: string): KeyValue {
  return { key, bytes: utf8Bytes(text), text };
}

function fromLiteral(source: string): KeyValue {
  const equals = source.indexOf('=');
  if (equals <= 0) fail(`invalid literal source ${source}, expected key=value`);
  return ofText(source.slice(0, equals), removeQuotes(source.slice(equals + 1)));
}

function removeQuotes(text: string): string {
  const first = text[0];
  if (text.length < 2 || first !== text.at(-1)) return text;
  return first === '"' || first === "'" ? text.slice(1, -1) : text;
}

/** Key and path of `key=path` or `path`. */
export function parseFileSource(source: string): { key: string; path: string } {
  const parts = source.split('=');
  if (parts.length === 1)
    return {
      key:
        source
          .split('/')
          .filter((step) => step !== '')
          .at(-1) ?? (source === '' ? '.' : '/'),
      path: source,
    };
  if (parts.length > 2) fail(`source ${quoted(source)} key name or file path contains '='`);
  const [key = '', path = ''] = parts;
  if (key === '') fail(`missing key name for file path ${quoted(path)} in source ${quoted(source)}`);
  if (path === '') fail(`missing file path for key name ${quoted(key)} in source ${quoted(source)}`);
  return { key, path };
}

function fromFile(loader: Loader, source: string): KeyValue {
  const { key, path } = parseFileSource(source);
  const bytes = loader.load(path);
  return { key, bytes, text: utf8Text(bytes) };
}

function fromEnvFile(bytes: Uint8Array): readonly KeyValue[] {
  const out: KeyValue[] = [];
  let start = 0;
  let number = 0;
  while (start < bytes.length) {
    let end = bytes.indexOf(0x0a, start);
    if (end < 0) end = bytes.length;
    const stop = end > start && bytes[end - 1] === 0x0d ? end - 1 : end;
    const line = bytes.subarray(start, stop);
    const text = utf8Text(line);
    if (text === undefined)
      fail(`line [${[...line].join(' ')}] has invalid utf8 bytes : ${String.fromCharCode(...line)}`);
    const pair = fromLine(number === 0 && text.startsWith('\ufeff') ? text.slice(1) : text);
    if (pair !== undefined && pair.key !== '') out.push(pair);
    start = end + 1;
    number++;
  }
  return out;
}

function fromLine(text: string): KeyValue | undefined {
  const line = text.replace(/^[\t\n\v\f\r \u0085\u00a0\p{Z}]+/u, '');
  if (line === '' || line.startsWith('#')) return undefined;
  const equals = line.indexOf('=');
  return equals < 0 ? ofText(line, '') : ofText(line.slice(0, equals), line.slice(equals + 1));
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  let out = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const a = bytes[index] as number;
    const b = bytes[index + 1];
    const c = bytes[index + 2];
    out +=
      (ALPHABET[a >> 2] as string) +
      (ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)] as string) +
      (b === undefined ? '=' : (ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)] as string)) +
      (c === undefined ? '=' : (ALPHABET[c & 63] as string));
    if (out.length > 65536) {
      parts.push(out);
      out = '';
    }
  }
  parts.push(out);
  return parts.join('');
}

/** Base64 in lines of 70 characters, as Go's YAML library has it (datamap.go); on one line when it fits. */
export function base64Lines(bytes: Uint8Array): string {
  const text = base64(bytes);
  if (text.length < 70) return text;
  return text.replace(/.{1,70}/g, '$&\n');
}

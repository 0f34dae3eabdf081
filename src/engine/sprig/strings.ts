import { sprint } from '../gotemplate/format.ts';
import { type FuncMap, func, variadic } from '../gotemplate/func.ts';
import { byteLength, compareStrings, sliceBytes } from '../gotemplate/go-string.ts';
import { ANY, INT, STRING, STRING_MAP } from '../gotemplate/go-type.ts';
import { strings } from '../gotemplate/make-value.ts';
import { quote } from '../gotemplate/quote.ts';
import { GoError, isList, type TypedList, TypedMap, type Value } from '../gotemplate/value.ts';
import { lowerText, titleText, trimSpace, trimWhere, upperText } from './letter-case.ts';
import { checkTextBytes } from './limits.ts';
import { stringPieces } from './split.ts';
import { stringList, stringOf } from './text.ts';
import { pascalCase, separatedCase, swapCase, uncapitalize } from './word-case.ts';
import { abbreviate, initials, withoutSpace, wrap } from './words.ts';

/** Texts. Source: sprig@3.3.0 strings.go, functions.go. */
export function stringFunctions(): FuncMap {
  return new Map([
    ['hello', func([], () => 'Hello!')],
    ['trim', func([STRING], trimSpace)],
    ['trimAll', func([STRING, STRING], trimAll)],
    ['trimall', func([STRING, STRING], trimAll)],
    ['trimPrefix', func([STRING, STRING], (prefix, text) => withoutPrefix(text, prefix))],
    ['trimSuffix', func([STRING, STRING], (suffix, text) => withoutSuffix(text, suffix))],
    ['upper', func([STRING], upperText)],
    ['lower', func([STRING], lowerText)],
    ['title', func([STRING], titleText)],
    ['untitle', func([STRING], uncapitalize)],
    ['swapcase', func([STRING], swapCase)],
    ['camelcase', func([STRING], pascalCase)],
    ['snakecase', func([STRING], (text) => separatedCase(text, '_'))],
    ['kebabcase', func([STRING], (text) => separatedCase(text, '-'))],
    ['nospace', func([STRING], withoutSpace)],
    ['initials', func([STRING], initials)],
    ['abbrev', func([INT, STRING], (width, text) => (width < 4 ? text : abbreviate(text, 0, width)))],
    ['abbrevboth', func([INT, INT, STRING], abbreviateBoth)],
    ['wrap', func([INT, STRING], (width, text) => wrap(text, width, '', false))],
    ['wrapWith', func([INT, STRING, STRING], (width, line, text) => wrap(text, width, line, true))],
    ['trunc', func([INT, STRING], truncate)],
    ['substr', func([INT, INT, STRING], substring)],
    ['repeat', func([INT, STRING], (count, text) => repeat('repeat', text, count))],
    ['contains', func([STRING, STRING], (part, text) => text.includes(part))],
    ['hasPrefix', func([STRING, STRING], (prefix, text) => text.startsWith(prefix))],
    ['hasSuffix', func([STRING, STRING], (suffix, text) => text.endsWith(suffix))],
    ['replace', func([STRING, STRING, STRING], replace)],
    ['plural', func([STRING, STRING, INT], (one, many, count) => (count === 1 ? one : many))],
    ['quote', variadic([], ANY, (...values) => each(values, (value) => quote(stringOf(value))))],
    ['squote', variadic([], ANY, (...values) => each(values, (value) => `'${sprint(value)}'`))],
    ['cat', variadic([], ANY, (...values) => each(values, sprint))],
    ['indent', func([INT, STRING], (spaces, text) => indent('indent', spaces, text))],
    ['nindent', func([INT, STRING], (spaces, text) => `\n${indent('nindent', spaces, text)}`)],
    ['toString', func([ANY], stringOf)],
    ['toStrings', func([ANY], stringList)],
    ['join', func([STRING, ANY], join)],
    ['sortAlpha', func([ANY], sortAlpha)],
    ['splitList', func([STRING, STRING], (separator, text) => strings(stringPieces(text, separator, -1)))],
    ['split', func([STRING, STRING], (separator, text) => numbered(stringPieces(text, separator, -1)))],
    ['splitn', func([STRING, INT, STRING], (separator, count, text) => numbered(stringPieces(text, separator, count)))],
  ]);
}

function trimAll(cutset: string, text: string): string {
  const characters = new Set(cutset);
  return trimWhere(text, (character) => characters.has(character));
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function withoutSuffix(text: string, suffix: string): string {
  return text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text;
}

function abbreviateBoth(left: number, right: number, text: string): string {
  return right < 4 || (left > 0 && right < 7) ? text : abbreviate(text, left, right);
}

function truncate(count: number, text: string): string {
  const length = byteLength(text);
  if (count < 0) return length + count > 0 ? sliceBytes(text, length + count) : text;
  return length > count ? sliceBytes(text, 0, count) : text;
}

function substring(start: number, end: number, text: string): string {
  const length = byteLength(text);
  const outside = (range: string): never => {
    throw new GoError(`runtime error: slice bounds out of range [${range}`);
  };
  if (start < 0) {
    if (end < 0) return outside(`:${end}]`);
    return end > length ? outside(`:${end}] with length ${length}`) : sliceBytes(text, 0, end);
  }
  if (end < 0 || end > length) return start > length ? outside(`${start}:${length}]`) : sliceBytes(text, start);
  return start > end ? outside(`${start}:${end}]`) : sliceBytes(text, start, end);
}

function repeat(name: string, text: string, count: number): string {
  if (count < 0) throw new GoError('strings: negative Repeat count');
  checkTextBytes(name, byteLength(text) * count);
  return text.repeat(count);
}

function replace(old: string, replacement: string, text: string): string {
  const pieces = old === '' ? ['', ...stringPieces(text, '', -1), ''] : text.split(old);
  if (old === '' && text === '') return replacement;
  checkTextBytes('replace', byteLength(text) + (pieces.length - 1) * (byteLength(replacement) - byteLength(old)));
  return pieces.join(replacement);
}

function indent(name: string, spaces: number, text: string): string {
  const pad = repeat(name, ' ', spaces);
  const lines = text.split('\n');
  checkTextBytes(name, byteLength(text) + lines.length * spaces);
  return pad + lines.join(`\n${pad}`);
}

/** `values` but nil, written by `write`, with a space between them. */
function each(values: readonly Value[], write: (value: Value) => string): string {
  return values
    .filter((value) => value !== null)
    .map(write)
    .join(' ');
}

function join(separator: string, list: Value): string {
  const items = stringList(list) as readonly string[];
  const bytes = items.reduce((sum, item) => sum + byteLength(item), 0);
  checkTextBytes('join', bytes + byteLength(separator) * Math.max(0, items.length - 1));
  return items.join(separator);
}

/** A []string is sorted in place, as Go does: whoever else holds it sees that. */
function sortAlpha(list: Value): Value {
  return isList(list) || list instanceof Uint8Array ? sorted(stringList(list)) : strings([stringOf(list)]);
}

function sorted(list: TypedList): TypedList {
  return list.sort((a, b) => compareStrings(a as string, b as string));
}

/** `_0`, `_1`, ... */
function numbered(pieces: readonly string[]): Value {
  return new TypedMap(
    STRING_MAP,
    pieces.map((piece, index) => [`_${index}`, piece]),
  );
}

import { type Matcher, RE2JS } from 're2js';
import { type FuncMap, func } from '../gotemplate/func.ts';
import { INT, STRING, STRINGS } from '../gotemplate/go-type.ts';
import { strings, typedList } from '../gotemplate/make-value.ts';
import { canBackquote, quote } from '../gotemplate/quote.ts';
import { GoError, type Value } from '../gotemplate/value.ts';
import { checkListLength, checkTextBytes } from './limits.ts';

/** Regular expressions by RE2, in linear time. Source: sprig@3.3.0 regex.go, go@1.26 regexp/regexp.go. */
export function regexFunctions(): FuncMap {
  const find = (compiled: RE2JS, text: string): Value => {
    const matcher = compiled.matcher(text);
    return matcher.find() ? (matcher.group() ?? '') : '';
  };
  const findAll = (compiled: RE2JS, text: string, count: number): Value => {
    const found = matches(compiled, text, count).map(([from, to]) => text.slice(from, to));
    return found.length === 0 ? typedList(STRINGS, null) : strings(found);
  };
  const replace = (compiled: RE2JS, text: string, by: string): Value => replaceAll(compiled, text, template(by));
  const literally = (compiled: RE2JS, text: string, by: string): Value => replaceAll(compiled, text, () => by);
  return new Map([
    [
      'regexMatch',
      func(
        [STRING, STRING],
        (pattern, text) =>
          read(pattern, () => undefined)
            ?.matcher(text)
            .find() ?? false,
      ),
    ],
    ['mustRegexMatch', func([STRING, STRING], (pattern, text) => compile(pattern).matcher(text).find())],
    ['regexFind', func([STRING, STRING], (pattern, text) => find(mustCompile(pattern), text))],
    ['mustRegexFind', func([STRING, STRING], (pattern, text) => find(compile(pattern), text))],
    ['regexFindAll', func([STRING, STRING, INT], (pattern, text, count) => findAll(mustCompile(pattern), text, count))],
    ['mustRegexFindAll', func([STRING, STRING, INT], (pattern, text, count) => findAll(compile(pattern), text, count))],
    ['regexReplaceAll', func([STRING, STRING, STRING], (pattern, text, by) => replace(mustCompile(pattern), text, by))],
    ['mustRegexReplaceAll', func([STRING, STRING, STRING], (pattern, text, by) => replace(compile(pattern), text, by))],
    [
      'regexReplaceAllLiteral',
      func([STRING, STRING, STRING], (pattern, text, by) => literally(mustCompile(pattern), text, by)),
    ],
    [
      'mustRegexReplaceAllLiteral',
      func([STRING, STRING, STRING], (pattern, text, by) => literally(compile(pattern), text, by)),
    ],
    [
      'regexSplit',
      func([STRING, STRING, INT], (pattern, text, count) => split(pattern, mustCompile(pattern), text, count)),
    ],
    [
      'mustRegexSplit',
      func([STRING, STRING, INT], (pattern, text, count) => split(pattern, compile(pattern), text, count)),
    ],
    ['regexQuoteMeta', func([STRING], (text) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'))],
  ]);
}

/** Compiled expressions; a chart uses a few in many places. */
const MAX_CACHED = 500;
const cache = new Map<string, RE2JS>();

function read<T>(pattern: string, failed: (message: string) => T): RE2JS | T {
  const ready = cache.get(pattern);
  if (ready !== undefined) return ready;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(pattern, compiled);
  return compiled;
}

/** `regexp.Compile`. @throws GoError */
function compile(pattern: string): RE2JS {
  return read(pattern, (message): never => {
    throw new GoError(message);
  });
}

/** `regexp.MustCompile`, whose complaint says what it was about. @throws GoError */
function mustCompile(pattern: string): RE2JS {
  return read(pattern, (message): never => {
    throw new GoError(`regexp: Compile(${canBackquote(pattern) ? `\`${pattern}\`` : quote(pattern)}): ${message}`);
  });
}

type Span = readonly [from: number, to: number];

/** At most `count` matches, all when it is negative; an empty one right behind another is none. */
function matches(compiled: RE2JS, text: string, count: number): Span[] {
  const matcher = compiled.matcher(text);
  const out: Span[] = [];
  let previousEnd = -1;
  for (let at = 0; at <= text.length && (count < 0 || out.length < count); ) {
    if (!matcher.find(at)) break;
    const [from, to] = [matcher.start(), matcher.end()];
    const accepted = to !== at || from !== previousEnd;
    at = to === at ? at + width(text, at) : to;
    previousEnd = to;
    if (accepted) out.push([from, to]);
  }
  checkListLength('regexFindAll', out.length);
  return out;
}

/** Units of the character at `at`, at least one. */
function width(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

function replaceAll(compiled: RE2JS, text: string, by: (matcher: Matcher) => string): string {
  const matcher = compiled.matcher(text);
  let out = '';
  let lastEnd = 0;
  for (let at = 0; at <= text.length; ) {
    if (!matcher.find(at)) break;
    const [from, to] = [matcher.start(), matcher.end()];
    out += text.slice(lastEnd, from);
    if (to > lastEnd || from === 0) out += by(matcher);
    checkTextBytes('regexReplaceAll', out.length);
    lastEnd = to;
    const step = at < text.length ? width(text, at) : 1;
    at = at + step > to ? at + step : to;
  }
  return out + text.slice(lastEnd);
}

const REFERENCE = /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/** `$1`, `${name}` and `$$` in a replacement; a group that is not there is empty. (`Regexp.Expand`) */
function template(by: string): (matcher: Matcher) => string {
  if (!by.includes('$')) return () => by;
  return (matcher) =>
    by.replace(REFERENCE, (_, dollar?: string, braced?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      return dollar ?? groupOf(matcher, name);
    });
}

function groupOf(matcher: Matcher, name: string): string {
  try {
    return (
      (/^\d+$/.test(name)
        ? Number(name) <= matcher.groupCount()
          ? matcher.group(Number(name))
          : ''
        : matcher.group(name)) ?? ''
    );
  } catch {
    // No group has this name.
    return '';
  }
}

function split(pattern: string, compiled: RE2JS, text: string, count: number): Value {
  if (count === 0) return typedList(STRINGS, null);
  if (pattern !== '' && text === '') return strings(['']);
  const out: string[] = [];
  let begin = 0;
  let end = 0;
  for (const [from, to] of matches(compiled, text, count)) {
    if (count > 0 && out.length === count - 1) break;
    end = from;
    if (to !== 0) out.push(text.slice(begin, end));
    begin = to;
  }
  if (end !== text.length) out.push(text.slice(begin));
  return strings(out);
}

import {
  exactNumber,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
} from '../../base/json.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { fail, HelmFailure } from './failure.ts';
import { floats, goTypeName, mutableCopy } from './values.ts';

/** How the text behind `=` is read: `--set`, `--set-string`, `--set-json`, `--set-file`, `--set-literal`. */
export type SetMode = 'typed' | 'string' | 'json' | 'file' | 'literal';

/** Indexes and levels of names that are taken. Source: helm@4.1.4 pkg/strvals/parser.go. */
const MAX_INDEX = 65_536;
const MAX_LEVELS = 30;

/**
 * `values` with what `text` (`a.b=1,list[0].name=x,c={1,2}`) sets.
 * Source: helm@4.1.4 pkg/strvals.
 * @param readFile the text of a file that mode `file` names
 * @throws HelmFailure for text that is not of this form, or does not fit the values
 */
export function setValues(
  values: JsonObject,
  text: string,
  mode: SetMode,
  readFile: (path: string) => string = (path) => fail('values', `open ${path}: no such file or directory`),
): JsonObject {
  const into = mutableCopy(values);
  const parser = new Parser(text, mode, readFile);
  while (parser.key(into, 0) !== END);
  return into;
}

/** The text is at its end. */
const END = 'end';
type End = typeof END;
type MutableList = Json[];

class Parser {
  private readonly runes: readonly string[];
  private readonly mode: SetMode;
  private readonly readFile: (path: string) => string;
  private at = 0;

  constructor(text: string, mode: SetMode, readFile: (path: string) => string) {
    this.runes = Array.from(text);
    this.mode = mode;
    this.readFile = readFile;
  }

  /** Reads one `name=value` into `data`. */
  key(data: MutableJsonObject, level: number): End | undefined {
    const [name, last] = this.until(this.mode === 'literal' ? '=[.' : '=[,.');
    switch (last) {
      case '[':
        return this.indexed(data, name, level);
      case '=':
        return this.value(data, name);
      case '.':
        return this.inner(data, name, level + 1);
      case ',':
        if (name !== '') put(data, name, '');
        return fail('values', `key ${quoted(name)} has no value (cannot end with ,)`);
      default:
        return name === '' ? END : fail('values', `key ${quoted(name)} has no value`);
    }
  }

  private indexed(data: MutableJsonObject, name: string, level: number): End | undefined {
    const index = this.index();
    if (index === END) return END;
    const before = field(data, name);
    if (before !== undefined && !isArray(before)) return unfit(before, '[]interface {}');
    const list = before === undefined ? [] : [...before];
    const [after, end] = this.item(list, index, level);
    if (name !== '') put(data, name, after);
    return end;
  }

  private value(data: MutableJsonObject, name: string): End | undefined {
    const set = (value: Json): void => {
      if (name !== '') put(data, name, value);
    };
    if (this.mode === 'json') {
      set(this.json());
      return undefined;
    }
    const [value, end] = this.plain();
    set(value);
    return end;
  }

  /** A value that is no JSON: a list `{a,b}`, or text. */
  private plain(): readonly [Json, End?] {
    if (this.mode === 'literal') {
      const rest = this.runes.slice(this.at).join('');
      this.at = this.runes.length;
      return [rest];
    }
    if (this.at >= this.runes.length) return ['', END];
    if (this.runes[this.at] === '{') {
      this.at++;
      return [this.list()];
    }
    return [this.read(this.until(',')[0])];
  }

  private inner(data: MutableJsonObject, name: string, level: number): End | undefined {
    if (level > MAX_LEVELS) {
      return fail('values', `value name nested level is greater than maximum supported nested level of ${MAX_LEVELS}`);
    }
    const before = field(data, name);
    if (before !== undefined && !isObject(before)) return unfit(before, 'map[string]interface {}');
    const table = (before ?? {}) as MutableJsonObject;
    const end = this.key(table, level);
    const empty = Object.keys(table).length === 0;
    if (end === undefined && empty) return fail('values', `key map ${quoted(name)} has no value`);
    if (!empty && name !== '') put(data, name, table);
    return end;
  }

  /** What follows `name[index]`. */
  private item(list: MutableList, index: number, level: number): readonly [MutableList, End?] {
    if (index < 0) return fail('values', `negative ${index} index not allowed`);
    const [extra, last] = this.until('[.=');
    if (extra !== '') return fail('values', `unexpected data at end of array index: ${quotedRunes(extra)}`);
    switch (last) {
      case '=': {
        const value = this.mode === 'json' ? this.json() : this.plain()[0];
        return [withItem(list, index, value)];
      }
      case '[': {
        const next = this.index();
        if (next === END) return [list, END];
        const before = list[index] ?? null;
        if (before !== null && !isArray(before)) return unfit(before, '[]interface {}');
        const [after, end] = this.item(before === null ? [] : [...before], next, level);
        return end === undefined ? [withItem(list, index, after)] : [list, end];
      }
      case '.': {
        const before = list[index];
        const table = (isObject(before) ? before : {}) as MutableJsonObject;
        if (index < list.length) list[index] = table;
        const end = this.key(table, level);
        return end === undefined ? [withItem(list, index, table)] : [list, end];
      }
      default:
        return [list, END];
    }
  }

  /** The number before `]`; a bracket that is not closed ends everything, and is no error. */
  private index(): number | End {
    const [text, last] = this.until(']');
    if (last === undefined) return END;
    if (!/^[+-]?\d+$/.test(text)) {
      return fail('values', `error parsing index: strconv.Atoi: parsing ${quoted(text)}: invalid syntax`);
    }
    return Number(text);
  }

  private list(): readonly Json[] {
    const list: Json[] = [];
    for (;;) {
      const [text, last] = this.until(',}');
      if (last === undefined) return fail('values', "list must terminate with '}'");
      list.push(this.read(text));
      if (last === '}') break;
    }
    if (this.runes[this.at] === ',') this.at++;
    return list;
  }

  /** Text up to a rune of `stop`, which is taken too; a backslash takes the next rune as it is. */
  private until(stop: string): readonly [text: string, last: string | undefined] {
    let text = '';
    while (this.at < this.runes.length) {
      const rune = this.runes[this.at++] as string;
      if (stop.includes(rune)) return [text, rune];
      if (rune !== '\\' || this.mode === 'literal') text += rune;
      else if (this.at < this.runes.length) text += this.runes[this.at++];
    }
    return [text, undefined];
  }

  private read(text: string): Json {
    if (this.mode === 'string') return text;
    return this.mode === 'file' ? this.readFile(text) : typed(text);
  }

  /** The JSON value that begins here, and the comma behind it. */
  private json(): Json {
    if (this.skipBlank()) return null;
    const rest = this.runes.slice(this.at).join('');
    const end = jsonEnd(rest);
    let value: Json;
    try {
      value = floats(JSON.parse(rest.slice(0, end)) as Json);
    } catch {
      return fail('values', 'invalid JSON');
    }
    this.at += Array.from(rest.slice(0, end)).length;
    this.skipBlank();
    return value;
  }

  /** Skips white space and a comma; whether there was nothing else. */
  private skipBlank(): boolean {
    for (; this.at < this.runes.length; this.at++) {
      const rune = this.runes[this.at] as string;
      if (rune === ',') {
        this.at++;
        return true;
      }
      if (!/\s/u.test(rune)) return false;
    }
    return true;
  }
}

/** `%q` of a list of runes. */
function quotedRunes(text: string): string {
  const one = (rune: string): string =>
    rune === "'" ? "'\\''" : rune === '"' ? `'"'` : `'${quoted(rune).slice(1, -1)}'`;
  return `[${Array.from(text).map(one).join(' ')}]`;
}

/** Where the JSON value ends that `text` begins with. */
function jsonEnd(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (char === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (depth === 0) return at + 1;
    } else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') {
      depth--;
      if (depth <= 0) return at + (depth === 0 ? 1 : 0);
    } else if (depth === 0 && (char === ',' || /\s/.test(char))) return at;
  }
  return text.length;
}

function withItem(list: MutableList, index: number, value: Json): MutableList {
  if (index > MAX_INDEX) {
    return fail('values', `index of ${index} is greater than maximum supported index of ${MAX_INDEX}`);
  }
  while (list.length <= index) list.push(null);
  list[index] = value;
  return list;
}

function typed(text: string): Json {
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower === 'true';
  if (lower === 'null') return null;
  if (text === '0') return 0n;
  if (!text.startsWith('0') && /^[+-]?\d+$/.test(text)) {
    const value = BigInt(exactNumber(text.replace(/^\+/, '')));
    if (BigInt.asIntN(64, value) === value) return value;
  }
  return text;
}

/** What Go says when a value has another type than the name wants. */
function unfit(value: Json, wanted: string): never {
  const type = value === null ? 'nil' : goTypeName(value);
  throw new HelmFailure('values', `unable to parse key: interface conversion: interface {} is ${type}, not ${wanted}`);
}

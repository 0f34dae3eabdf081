import { type Json, stringifyJson } from '../../base/json.ts';
import { STR_TAG, TIMESTAMP_TAG, type YamlNode } from './node.ts';
import { type Dialect, parseFloatValue, parseTimestamp } from './resolve.ts';

/** What a scalar holds, and its tag. */
export interface ScalarReader {
  readonly dialect: Dialect;
  tag(node: YamlNode): string;
  value(node: YamlNode): Json;
  /** A float as Go's `g` format has it. */
  float(value: number): string;
}

/** Go's `%q` of a string, for the texts that messages hold. */
export function quoted(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (char === '"' || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\t') out += '\\t';
    else if (char === '\r') out += '\\r';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code === 0xfeff) out += '\\ufeff';
    else out += char;
  }
  return `${out}"`;
}

/**
 * Go's `%#v` of what a tree is decoded to. v3 makes a map of strings where all keys are text, and always at the top of a document;
 * v2 never does.
 */
export function goSyntaxOf(node: YamlNode, reader: ScalarReader, isDocument = false): string {
  switch (node.kind) {
    case 'map': {
      const pairs: (readonly [string, string])[] = [];
      let text = reader.dialect === 'v3';
      for (let index = 0; index < node.content.length; index += 2) {
        const key = node.content[index] as YamlNode;
        const isText = key.kind === 'scalar' && reader.tag(key) === STR_TAG;
        if (!isText && !isDocument) text = false;
        const shown = isText || isDocument ? quoted(key.value) : goSyntaxOf(key, reader);
        pairs.push([shown, goSyntaxOf(node.content[index + 1] as YamlNode, reader)]);
      }
      pairs.sort(([a], [b]) => Number(a) - Number(b) || (a < b ? -1 : 1));
      return `map[${text ? 'string' : 'interface {}'}]interface {}{${pairs.map((pair) => pair.join(':')).join(', ')}}`;
    }
    case 'seq':
      return `[]interface {}{${node.content.map((item) => goSyntaxOf(item, reader)).join(', ')}}`;
    case 'alias':
      return goSyntaxOf(node.alias as YamlNode, reader);
    case 'none':
      return 'interface {}(nil)';
    default:
      return scalarSyntax(node, reader);
  }
}

function scalarSyntax(node: YamlNode, reader: ScalarReader): string {
  const tag = reader.tag(node);
  if (tag === TIMESTAMP_TAG && reader.dialect === 'v3') return timeSyntax(node.value);
  if (tag === '!!float') {
    const number = parseFloatValue(node.value);
    if (Number.isNaN(number)) return 'NaN';
    if (!Number.isFinite(number)) return number > 0 ? '+Inf' : '-Inf';
    return reader.float(number);
  }
  const value = reader.value(node);
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'bigint':
      return value > 0x7fffffffffffffffn ? `0x${value.toString(16)}` : String(value);
    default:
      return value === null ? 'interface {}(nil)' : stringifyJson(value);
  }
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

function timeSyntax(text: string): string {
  const time = parseTimestamp(text);
  if (time === undefined) return quoted(text);
  const { year, month, day, hour, minute, second, nanoseconds, offsetMinutes } = time;
  const place = offsetMinutes === 0 ? 'time.UTC' : `time.Location("")`;
  return `time.Date(${year}, time.${MONTHS[month - 1]}, ${day}, ${hour}, ${minute}, ${second}, ${nanoseconds}, ${place})`;
}

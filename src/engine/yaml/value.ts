import { isArray, isObject, type Json, type MutableJsonObject, put } from '../../base/json.ts';
import { goSyntaxOf, quoted, type ScalarReader } from './go-syntax.ts';
import {
  BINARY_TAG,
  BOOL_TAG,
  FLOAT_TAG,
  FOLDED,
  INT_TAG,
  MERGE_TAG,
  NULL_TAG,
  QUOTED,
  STR_TAG,
  TAGGED,
  TIMESTAMP_TAG,
  type YamlNode,
} from './node.ts';
import {
  type Dialect,
  parseBoolean,
  parseFloatValue,
  parseInteger,
  parseTimestamp,
  printTimestamp,
  resolveTag,
} from './resolve.ts';
import { YamlFailure } from './token.ts';

export interface ValueOptions {
  readonly dialect: Dialect;
  /** Refuse a key that a mapping holds twice; without it the last one wins. */
  readonly uniqueKeys: boolean;
}

/** The JSON value of a tree. @throws YamlFailure */
export function nodeToJson(node: YamlNode, options: ValueOptions): Json {
  return new Reader(options).value(node);
}

/**
 * The same, and whether the tree holds a scalar that libyaml does not read back as it writes it: a folded one, or a literal one
 * that begins with a tab. @throws YamlFailure
 */
export function nodeToJsonWithDoubt(
  node: YamlNode,
  options: ValueOptions,
): { readonly value: Json; readonly doubtful: boolean } {
  const reader = new Reader(options);
  return { value: reader.value(node), doubtful: reader.doubtful };
}

/** The tag that decides the type of a scalar: its own, or that of its text when a program made it. */
export function scalarTag(node: YamlNode, dialect: Dialect): string {
  if (node.tag !== '') return node.tag;
  if ((node.style & QUOTED) !== 0 || node.value.includes('\n')) return STR_TAG;
  return resolveTag(node.value, dialect);
}

/** Reads single scalars, for messages. */
export function scalarReader(options: ValueOptions): ScalarReader {
  return {
    dialect: options.dialect,
    tag: (node) => scalarTag(node, options.dialect),
    value: (node) => new Reader(options).value(node),
    float: formatG,
  };
}

class Reader {
  private readonly options: ValueOptions;
  private decoded = 0;
  private aliased = 0;
  private aliasDepth = 0;
  private readonly open = new Set<YamlNode>();
  private readonly errors: string[] = [];
  private firstErrorLine = 0;
  private depth = 0;
  private infinite = false;
  private otherKeys = false;
  doubtful = false;

  constructor(options: ValueOptions) {
    this.options = options;
  }

  value(node: YamlNode): Json {
    const value = this.read(node);
    if (this.errors.length > 0) {
      throw new YamlFailure(`unmarshal errors:\n  ${this.errors.join('\n  ')}`, this.firstErrorLine, true);
    }
    if (this.otherKeys) throw new YamlFailure('json: unsupported type: map[interface {}]interface {}', 0, true);
    if (this.infinite) refuseInfinite(value);
    return value;
  }

  private read(node: YamlNode): Json {
    this.decoded++;
    if (this.aliasDepth > 0) {
      this.aliased++;
      // Go's guard against documents that grow by aliases (decode.go, allowedAliasRatio).
      if (this.aliased > 100 && this.decoded > 1000 && this.aliased / this.decoded > allowedAliasRatio(this.decoded)) {
        throw new YamlFailure('document contains excessive aliasing', 0);
      }
    }
    switch (node.kind) {
      case 'scalar':
        return this.scalar(node);
      case 'map': {
        const object: MutableJsonObject = {};
        this.depth++;
        this.mapping(node, object, undefined);
        this.depth--;
        return object;
      }
      case 'seq': {
        return node.content.map((item) => this.read(item));
      }
      case 'alias': {
        const target = node.alias as YamlNode;
        if (this.open.has(target)) throw new YamlFailure(`anchor '${node.value}' value contains itself`, 0);
        this.open.add(target);
        this.aliasDepth++;
        const value = this.read(target);
        this.aliasDepth--;
        this.open.delete(target);
        return value;
      }
      case 'none':
        return null;
    }
  }

  private mapping(node: YamlNode, object: MutableJsonObject, keep: Set<string> | undefined): void {
    const { content } = node;
    if (this.options.uniqueKeys && content.length > 2) this.checkKeys(node);
    let merge: YamlNode | undefined;
    for (let index = 0; index < content.length; index += 2) {
      const key = content[index] as YamlNode;
      const value = content[index + 1] as YamlNode;
      if (key.tag === MERGE_TAG || (key.tag === '' && key.value === '<<' && (key.style & QUOTED) === 0)) {
        merge = value;
        continue;
      }
      const name = this.key(key, value);
      if (keep !== undefined) {
        if (keep.has(name)) {
          this.read(value);
          continue;
        }
        keep.add(name);
      }
      put(object, name, this.read(value));
    }
    if (merge !== undefined) this.merge(merge, object, keep ?? new Set(Object.keys(object)));
  }

  /** What `<<` brings: keys that the mapping, or an earlier source, does not have. */
  private merge(source: YamlNode, object: MutableJsonObject, keep: Set<string>): void {
    const sources = source.kind === 'seq' ? source.content : [source];
    for (const item of sources) {
      const target = item.kind === 'alias' ? (item.alias as YamlNode) : item;
      if (target.kind !== 'map') throw new YamlFailure('map merge requires map or sequence of maps as the value', 0);
      if (this.open.has(target)) throw new YamlFailure(`anchor '${item.value}' value contains itself`, 0);
      this.open.add(target);
      this.aliasDepth++;
      this.mapping(target, object, keep);
      this.aliasDepth--;
      this.open.delete(target);
    }
  }

  /** v2 counts from the line of the value, v3 from that of the key. */
  private checkKeys(node: YamlNode): void {
    const { content } = node;
    const seen = new Map<string, YamlNode[]>();
    const values = new Map<YamlNode, YamlNode>();
    for (let index = 0; index < content.length; index += 2) {
      const key = content[index] as YamlNode;
      if (key.kind !== 'scalar') continue;
      const before = seen.get(key.value);
      values.set(key, content[index + 1] as YamlNode);
      if (before === undefined) seen.set(key.value, [key]);
      else before.push(key);
    }
    if (seen.size * 2 === content.length) return;
    for (const keys of seen.values()) {
      for (let first = 0; first < keys.length; first++) {
        for (let second = first + 1; second < keys.length; second++) {
          const a = keys[first] as YamlNode;
          const b = keys[second] as YamlNode;
          if (this.errors.length === 0) this.firstErrorLine = b.line;
          this.errors.push(
            this.options.dialect === 'v3'
              ? `line ${b.line}: mapping key ${quoted(b.value)} already defined at line ${a.line}`
              : `line ${values.get(b)?.line ?? b.line}: key ${quoted(b.value)} already set in map`,
          );
          if (this.options.dialect === 'v2') break;
        }
      }
    }
  }

  /** sigs.k8s.io/yaml turns keys of other types into text, as Go prints them (yaml.go, convertToJSONableObject). */
  private key(key: YamlNode, value: YamlNode): string {
    if (key.kind === 'alias') {
      const target = key.alias as YamlNode;
      return this.key(target, value);
    }
    if (key.kind !== 'scalar') {
      // What is wrong within it is met first.
      this.read(key);
      if (this.options.dialect === 'v3' && this.depth <= 1) {
        const what = key.kind === 'map' ? '!!map' : '!!seq';
        this.errors.push(`line ${key.line}: cannot unmarshal ${what} into string`);
        return '';
      }
      throw new YamlFailure(`invalid map key: ${goSyntaxOf(key, scalarReader(this.options))}`, 0);
    }
    const tag = scalarTag(key, this.options.dialect);
    if (tag === STR_TAG) return key.value;
    if (this.options.dialect === 'v3') {
      // Go's v3 makes a map of any keys of it, which its JSON encoder refuses; the outermost map is of strings.
      if (tag !== NULL_TAG) this.scalar(key);
      if (this.depth > 1) this.otherKeys = true;
      return key.value;
    }
    if (tag === FLOAT_TAG) {
      const number = parseFloatValue(key.value);
      if (!Number.isFinite(number)) return Number.isNaN(number) ? '.nan' : number > 0 ? '.inf' : '-.inf';
    }
    const read = this.scalar(key);
    switch (typeof read) {
      case 'string':
        return read;
      case 'number':
        return tag === FLOAT_TAG ? goKeyFloat(read) : String(read);
      case 'object': {
        throw this.unsupportedKey('%!s(<nil>)', '<nil>', value);
      }
      case 'bigint':
        if (read > 0x7fffffffffffffffn) throw this.unsupportedKey('uint64', `0x${read.toString(16)}`, value);
        return String(read);
      default:
        return String(read);
    }
  }

  private unsupportedKey(type: string, key: string, value: YamlNode): YamlFailure {
    const shown = goSyntaxOf(value, scalarReader(this.options));
    return new YamlFailure(
      `unsupported map key of type: ${type}, key: ${key}, value: ${shown === 'interface {}(nil)' ? '<nil>' : shown}`,
      0,
      true,
    );
  }

  private scalar(node: YamlNode): Json {
    const { value } = node;
    const { dialect } = this.options;
    const tag = scalarTag(node, dialect);
    switch (tag) {
      case STR_TAG:
        if ((node.style & FOLDED) !== 0 || (value.charCodeAt(0) === 0x09 && value.includes('\n'))) this.doubtful = true;
        return value;
      case TIMESTAMP_TAG:
        return dialect === 'v3' ? this.timestamp(node) : value;
      case MERGE_TAG:
        return value;
      case NULL_TAG:
        return this.checked(node, tag) ?? null;
      case BOOL_TAG:
        return this.checked(node, tag) ?? parseBoolean(value);
      case INT_TAG:
        return this.checked(node, tag) ?? (parseInteger(value, dialect) as number | bigint);
      case FLOAT_TAG: {
        if ((node.style & TAGGED) !== 0) {
          const found = resolveTag(value, dialect);
          if (found === INT_TAG) return Number(parseInteger(value, dialect));
          if (found !== FLOAT_TAG) this.cannot(found, value, tag);
        }
        const number = parseFloatValue(value);
        // A later key of the same name may yet take its place.
        if (!Number.isFinite(number)) this.infinite = true;
        return number;
      }
      case BINARY_TAG:
        return decodeBase64(value);
      default:
        return value;
    }
  }

  /** v3 decodes to Go's time, which its JSON encoder writes in its own form. */
  private timestamp(node: YamlNode): Json {
    const time = parseTimestamp(node.value);
    if (time === undefined) return this.cannot(resolveTag(node.value, this.options.dialect), node.value, TIMESTAMP_TAG);
    const text = printTimestamp(time);
    if (text !== undefined) return text;
    const why =
      'json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: timezone hour outside of range [0,23]';
    throw new YamlFailure(why, 0, true);
  }

  /** Undefined when an explicit tag fits the text. */
  private checked(node: YamlNode, tag: string): undefined {
    if ((node.style & TAGGED) !== 0 || (node.style & QUOTED) !== 0) {
      const found = resolveTag(node.value, this.options.dialect);
      if (found !== tag) this.cannot(found, node.value, tag);
    }
    return undefined;
  }

  private cannot(found: string, value: string, tag: string): never {
    throw new YamlFailure(`cannot decode ${found} \`${value}\` as a ${tag}`, 0);
  }
}

/** Go's JSON encoder refuses what it meets first, in the order of the keys. */
function refuseInfinite(value: Json): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const shown = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    throw new YamlFailure(`json: unsupported value: ${shown}`, 0, true);
  }
  if (isArray(value)) value.forEach(refuseInfinite);
  else if (isObject(value)) for (const key of Object.keys(value).sort()) refuseInfinite(value[key] as Json);
}

const RATIO_RANGE_LOW = 400_000;
const RATIO_RANGE_HIGH = 4_000_000;

function allowedAliasRatio(decoded: number): number {
  if (decoded <= RATIO_RANGE_LOW) return 0.99;
  if (decoded >= RATIO_RANGE_HIGH) return 0.1;
  return 0.99 - 0.89 * ((decoded - RATIO_RANGE_LOW) / (RATIO_RANGE_HIGH - RATIO_RANGE_LOW));
}

/** A float key as sigs.k8s.io/yaml prints it: `FormatFloat('g', -1, 32)`, with the infinities and NaN by YAML's names. */
function goKeyFloat(value: number): string {
  return formatG(Math.fround(value) === value ? value : Number(Math.fround(value).toPrecision(8)));
}

/** Go's `FormatFloat(value, 'g', -1, 64)`. */
export function formatG(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  // The shortest form decides as if six digits were asked for (strconv/ftoa.go).
  if (exponent >= -4 && exponent < 6) return plainDecimal(value);
  const sign = exponent < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plainDecimal(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return value.toFixed(20).replace(/0+$/, '');
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decodeBase64(text: string): string {
  const clean = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(clean)) {
    throw new YamlFailure('!!binary value contains invalid base64 data', 0);
  }
  const bytes: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const char of clean) {
    if (char === '=') break;
    buffer = ((buffer << 6) | BASE64.indexOf(char)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((buffer >> bits) & 0xff);
    }
  }
  return lossyText(bytes);
}

/** UTF-8 with U+FFFD for what is none, as Go's JSON encoder writes it. */
function lossyText(bytes: readonly number[]): string {
  let encoded = '';
  for (const byte of bytes) encoded += `%${byte.toString(16).padStart(2, '0')}`;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return bytes.map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : '\ufffd')).join('');
  }
}

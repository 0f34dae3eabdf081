import { isObject, type Json, type MutableJsonObject, parseJson, put } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { encodeBase64 } from '../schema/base64.ts';

/**
 * Messages by full name. A row is `[number, JSON name, type]`, and `'repeated'` or the map's `[key, value]` types as a fourth
 * element; the name '' marks an embedded struct, whose fields stand in the outer object. Types are protobuf scalars or message names.
 */
export type MessageTable = { readonly [message: string]: readonly FieldRow[] };
export type FieldRow = readonly [
  number: number,
  name: string,
  type: string,
  label?: 'repeated' | readonly [string, string],
];

/** `magic`: the prefix is missing. `syntax`: the bytes are no message of that type; `message` reads as the Go decoder's. */
export interface ProtobufError {
  readonly code: 'magic' | 'syntax' | 'unknown-kind';
  readonly message: string;
}

export interface DecodedEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The object, with `apiVersion` and `kind` set from the envelope. Empty strings stand where the sender wrote them. */
  readonly object: { readonly [key: string]: Json };
}

/** Nesting at which a message is refused: JSONSchemaProps is the only recursive one, and CRDs stay far below. */
const MAX_NESTING = 500;

const META = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
/** Kinds that every group version serves, and that live in meta/v1. */
const META_KINDS = new Set([
  'DeleteOptions',
  'CreateOptions',
  'UpdateOptions',
  'PatchOptions',
  'GetOptions',
  'ListOptions',
  'Status',
]);

class Malformed extends Error {}

/**
 * Decodes a Kubernetes protobuf body: `k8s\0`, then `runtime.Unknown` with the object inside. An envelope whose content type is
 * JSON is read as JSON. Error texts are those of the Go decoder (apimachinery runtime/serializer/protobuf).
 */
export function decodeProtobuf(bytes: Uint8Array, messages: MessageTable): Result<DecodedEnvelope, ProtobufError> {
  const magic = bytes.length >= 4 && bytes[0] === 0x6b && bytes[1] === 0x38 && bytes[2] === 0x73 && bytes[3] === 0;
  if (!magic) {
    return err({
      code: 'magic',
      message: 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    });
  }
  try {
    const unknown = envelope(bytes.subarray(4));
    const { apiVersion, kind, raw } = unknown;
    if (unknown.contentType.startsWith('application/json')) {
      const object = parseJson(utf8(raw));
      if (!isObject(object)) throw new Malformed('unexpected JSON value');
      return ok({ apiVersion, kind, object });
    }
    const name = messageName(apiVersion, kind, messages);
    if (name === undefined) {
      return err({ code: 'unknown-kind', message: `no kind "${kind}" is registered for version "${apiVersion}"` });
    }
    const object = new Decoder(messages).message(raw, name, 0);
    return ok({ apiVersion, kind, object: { kind, apiVersion, ...object } });
  } catch (error) {
    if (error instanceof Malformed) return err({ code: 'syntax', message: error.message });
    if (error instanceof SyntaxError || error instanceof RangeError)
      return err({ code: 'syntax', message: error.message });
    throw error;
  }
}

/** Full message name of a kind: `k8s.io.api.apps.v1.Deployment`. */
function messageName(apiVersion: string, kind: string, messages: MessageTable): string | undefined {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? 'core' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const folder = group === 'internal.apiserver.k8s.io' ? 'apiserverinternal' : (group.split('.')[0] ?? '');
  const names = [
    `k8s.io.api.${folder}.${version}.${kind}`,
    `k8s.io.apiextensions_apiserver.pkg.apis.${folder}.${version}.${kind}`,
    `k8s.io.kube_aggregator.pkg.apis.${folder}.${version}.${kind}`,
  ];
  if (group === 'meta.k8s.io' || META_KINDS.has(kind)) names.push(`${META}${kind}`);
  return names.find((name) => Object.hasOwn(messages, name));
}

function envelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array; contentType: string } {
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  let contentType = '';
  const reader = new Reader(bytes);
  while (!reader.done()) {
    const { number, wire } = reader.tag();
    if (wire !== 2 || number > 4) {
      reader.skip(wire);
      continue;
    }
    const part = reader.bytes();
    if (number === 1) {
      const inner = new Reader(part);
      while (!inner.done()) {
        const tag = inner.tag();
        if (tag.wire !== 2) inner.skip(tag.wire);
        else if (tag.number === 1) apiVersion = utf8(inner.bytes());
        else if (tag.number === 2) kind = utf8(inner.bytes());
        else inner.bytes();
      }
    } else if (number === 2) raw = part;
    else if (number === 4) contentType = utf8(part);
  }
  return { apiVersion, kind, raw, contentType };
}

class Decoder {
  readonly messages: MessageTable;
  readonly rows = new Map<string, Map<number, FieldRow>>();
  constructor(messages: MessageTable) {
    this.messages = messages;
  }

  message(bytes: Uint8Array, name: string, depth: number): MutableJsonObject {
    const out: MutableJsonObject = {};
    this.into(out, bytes, name, depth);
    return out;
  }

  private rowsOf(name: string): Map<number, FieldRow> {
    let rows = this.rows.get(name);
    if (rows === undefined) {
      const table = Object.hasOwn(this.messages, name) ? (this.messages[name] ?? []) : [];
      rows = new Map(table.map((row) => [row[0], row]));
      this.rows.set(name, rows);
    }
    return rows;
  }

  private into(out: MutableJsonObject, bytes: Uint8Array, name: string, depth: number): void {
    if (depth > MAX_NESTING) throw new Malformed('exceeded max depth');
    const rows = this.rowsOf(name);
    const reader = new Reader(bytes);
    while (!reader.done()) {
      const { number, wire } = reader.tag();
      const row = rows.get(number);
      if (row === undefined) {
        reader.skip(wire);
        continue;
      }
      const [, field, type, label] = row;
      if (label !== undefined && label !== 'repeated') this.mapEntry(out, field, label, reader, wire, depth);
      else if (label === 'repeated') this.repeated(out, field, type, reader, wire, depth);
      else if (field === '') this.into(out, expectBytes(reader, wire, 'embedded'), type, depth + 1);
      else put(out, field, this.value(reader, wire, type, depth, field));
    }
  }

  private repeated(
    out: MutableJsonObject,
    field: string,
    type: string,
    reader: Reader,
    wire: number,
    depth: number,
  ): void {
    const list = (Object.hasOwn(out, field) ? out[field] : []) as Json[];
    put(out, field, list);
    if (wire === 2 && (type === 'int32' || type === 'int64')) {
      const packed = new Reader(reader.bytes());
      while (!packed.done()) list.push(integer(packed.varint(), type));
    } else list.push(this.value(reader, wire, type, depth, field));
  }

  private mapEntry(
    out: MutableJsonObject,
    field: string,
    [, valueType]: readonly [string, string],
    reader: Reader,
    wire: number,
    depth: number,
  ): void {
    const map = (Object.hasOwn(out, field) ? out[field] : {}) as MutableJsonObject;
    put(out, field, map);
    const entry = new Reader(expectBytes(reader, wire, field));
    let key = '';
    let value: Json | undefined;
    while (!entry.done()) {
      const tag = entry.tag();
      if (tag.number === 1) key = utf8(expectBytes(entry, tag.wire, field));
      else if (tag.number === 2) value = this.value(entry, tag.wire, valueType, depth, field);
      else entry.skip(tag.wire);
    }
    put(map, key, value ?? this.empty(valueType));
  }

  private empty(type: string): Json {
    if (type === 'string' || type === 'bytes') return '';
    const value = this.special(new Uint8Array(), type);
    return value === undefined ? {} : value;
  }

  private value(reader: Reader, wire: number, type: string, depth: number, field: string): Json {
    switch (type) {
      case 'string':
        return utf8(expectBytes(reader, wire, field));
      case 'bytes':
        return encodeBase64(expectBytes(reader, wire, field));
      case 'bool':
        return expectVarint(reader, wire, field) !== 0n;
      case 'int32':
      case 'int64':
        return integer(expectVarint(reader, wire, field), type);
      case 'double':
        if (wire !== 1) throw new Malformed(`proto: wrong wireType = ${wire} for field ${goName(field)}`);
        return reader.double();
      default: {
        const bytes = expectBytes(reader, wire, field);
        const value = this.special(bytes, type);
        return value === undefined ? this.message(bytes, type, depth + 1) : value;
      }
    }
  }

  /** Messages whose JSON form is not an object of their fields. */
  private special(bytes: Uint8Array, type: string): Json | undefined {
    switch (type.slice(type.lastIndexOf('.') + 1)) {
      case 'IntOrString': {
        const { type: kind, intVal, strVal } = this.message(bytes, type, 0);
        return kind === 1 ? (strVal ?? '') : (intVal ?? 0);
      }
      case 'Quantity':
        return this.message(bytes, type, 0)['string'] ?? '0';
      case 'Time':
        return type.startsWith(META) ? this.time(bytes, type, 0) : undefined;
      case 'MicroTime':
        return type.startsWith(META) ? this.time(bytes, type, 6) : undefined;
      case 'Duration': {
        if (!type.startsWith(META)) return undefined;
        const { duration } = this.message(bytes, type, 0);
        return duration === undefined ? '0s' : goDuration(BigInt(duration as number | bigint));
      }
      case 'RawExtension':
      case 'FieldsV1':
      case 'JSON': {
        const raw = rawField(bytes);
        return raw.length === 0 ? (type.endsWith('FieldsV1') ? {} : null) : parseJson(utf8(raw));
      }
      case 'Verbs':
      case 'ExtraValue':
        return this.message(bytes, type, 0)['items'] ?? [];
      case 'JSONSchemaPropsOrArray': {
        const { schema, jSONSchemas } = this.message(bytes, type, 1);
        return jSONSchemas ?? schema ?? null;
      }
      case 'JSONSchemaPropsOrBool': {
        const { allows, schema } = this.message(bytes, type, 1);
        return schema ?? allows ?? false;
      }
      case 'JSONSchemaPropsOrStringArray': {
        const { schema, property } = this.message(bytes, type, 1);
        return property ?? schema ?? null;
      }
      default:
        return undefined;
    }
  }

  private time(bytes: Uint8Array, type: string, digits: number): Json {
    // An empty message is Go's zero time, which JSON writes as null.
    if (bytes.length === 0) return null;
    const { seconds, nanos } = this.message(bytes, type, 0);
    return rfc3339(BigInt((seconds as number | bigint | undefined) ?? 0), Number(nanos ?? 0), digits);
  }
}

function rawField(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes);
  let raw: Uint8Array = new Uint8Array();
  while (!reader.done()) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 2) raw = reader.bytes();
    else reader.skip(wire);
  }
  return raw;
}

function goName(field: string): string {
  return field.charAt(0).toUpperCase() + field.slice(1);
}
function expectBytes(reader: Reader, wire: number, field: string): Uint8Array {
  if (wire !== 2) throw new Malformed(`proto: wrong wireType = ${wire} for field ${goName(field)}`);
  return reader.bytes();
}
function expectVarint(reader: Reader, wire: number, field: string): bigint {
  if (wire !== 0) throw new Malformed(`proto: wrong wireType = ${wire} for field ${goName(field)}`);
  return reader.varint();
}

function integer(value: bigint, type: 'int32' | 'int64'): number | bigint {
  const signed = BigInt.asIntN(type === 'int32' ? 32 : 64, value);
  const small = Number(signed);
  return Number.isSafeInteger(small) ? small : signed;
}

class Reader {
  readonly data: Uint8Array;
  position = 0;
  constructor(data: Uint8Array) {
    this.data = data;
  }

  done(): boolean {
    return this.position >= this.data.length;
  }

  varint(): bigint {
    let low = 0;
    let shift = 0;
    // Up to 28 bits fit a number; longer ones go on with bigints.
    while (shift < 28) {
      const byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
      shift += 7;
    }
    let value = BigInt(low);
    for (; shift < 70; shift += 7) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Malformed('proto: integer overflow');
  }

  private byte(): number {
    const byte = this.data[this.position];
    if (byte === undefined) throw new Malformed('unexpected EOF');
    this.position++;
    return byte;
  }

  tag(): { number: number; wire: number } {
    const value = this.varint();
    const number = Number(value >> 3n);
    const wire = Number(value & 7n);
    if (wire === 4) throw new Malformed('proto: wiretype end group for non-group');
    if (number <= 0 || number > 0x1fff_ffff) throw new Malformed(`proto: illegal tag ${number} (wire type ${wire})`);
    return { number, wire };
  }

  bytes(): Uint8Array {
    const length = this.varint();
    if (length > 0x7fff_ffffn) throw new Malformed('proto: negative length found during unmarshaling');
    const end = this.position + Number(length);
    if (end > this.data.length) throw new Malformed('unexpected EOF');
    const part = this.data.subarray(this.position, end);
    this.position = end;
    return part;
  }

  double(): number {
    const view = new DataView(this.data.buffer, this.data.byteOffset, this.data.byteLength);
    if (this.position + 8 > this.data.length) throw new Malformed('unexpected EOF');
    const value = view.getFloat64(this.position, true);
    this.position += 8;
    return value;
  }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 2) this.bytes();
    else if (wire === 1 || wire === 5) {
      this.position += wire === 1 ? 8 : 4;
      if (this.position > this.data.length) throw new Malformed('unexpected EOF');
    } else throw new Malformed(`proto: illegal wireType ${wire}`);
  }
}

/** Text of UTF-8 bytes; malformed sequences become U+FFFD, as Go's string conversion to JSON does. */
function utf8(bytes: Uint8Array): string {
  const parts: string[] = [];
  let units: number[] = [];
  for (let index = 0; index < bytes.length; ) {
    const first = bytes[index] as number;
    if (first < 0x80) {
      units.push(first);
      index++;
    } else {
      const size =
        first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
      let code = size === 4 ? first & 7 : size === 3 ? first & 15 : first & 31;
      let valid = size > 0;
      for (let offset = 1; valid && offset < size; offset++) {
        const next = bytes[index + offset];
        if (next === undefined || (next & 0xc0) !== 0x80) valid = false;
        else code = (code << 6) | (next & 63);
      }
      if (
        valid &&
        ((size === 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
          (size === 4 && (code < 0x1_0000 || code > 0x10_ffff)))
      ) {
        valid = false;
      }
      if (!valid) {
        units.push(0xfffd);
        index++;
      } else {
        if (code > 0xffff) units.push(0xd800 + ((code - 0x1_0000) >> 10), 0xdc00 + ((code - 0x1_0000) & 0x3ff));
        else units.push(code);
        index += size;
      }
    }
    if (units.length > 4096) {
      parts.push(String.fromCharCode(...units));
      units = [];
    }
  }
  parts.push(String.fromCharCode(...units));
  return parts.join('');
}

const two = (value: number): string => String(value).padStart(2, '0');

/** RFC 3339 in UTC of seconds since the epoch; the calendar is Howard Hinnant's `civil_from_days`. */
function rfc3339(seconds: bigint, nanos: number, digits: number): string {
  const days = Number((seconds - (((seconds % 86_400n) + 86_400n) % 86_400n)) / 86_400n);
  const rest = Number(((seconds % 86_400n) + 86_400n) % 86_400n);
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1;
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const fraction = digits === 0 ? '' : `.${String(Math.floor(nanos / 1000)).padStart(6, '0')}`;
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}${fraction}Z`;
}

/** Go's `time.Duration.String` for whole milliseconds and above; smaller units are printed in nanoseconds' fraction of a second. */
function goDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const negative = nanoseconds < 0n;
  const total = negative ? -nanoseconds : nanoseconds;
  const sign = negative ? '-' : '';
  if (total < 1_000_000_000n) {
    const [unit, size] = total < 1000n ? ['ns', 1] : total < 1_000_000n ? ['µs', 1000] : ['ms', 1_000_000];
    return `${sign}${Number(total) / (size as number)}${unit}`;
  }
  const seconds = total / 1_000_000_000n;
  const fraction = String(total % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const hours = seconds / 3600n;
  const minutes = (seconds / 60n) % 60n;
  const text = `${seconds % 60n}${fraction === '' ? '' : `.${fraction}`}s`;
  return `${sign}${hours > 0n ? `${hours}h${minutes}m` : minutes > 0n ? `${minutes}m` : ''}${text}`;
}

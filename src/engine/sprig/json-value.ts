import { type Json, type MutableJsonObject, put } from '../../base/json.ts';
import { formatFloat } from '../gotemplate/float.ts';
import { canonical } from '../gotemplate/go-string.ts';
import { typeOf } from '../gotemplate/type-of.ts';
import { Complex, Func, GoError, isList, isMap, isNil, Struct, Typed, type Value } from '../gotemplate/value.ts';
import { encodeBase64 } from '../schema/base64.ts';
import { toValidUtf8 } from './cast.ts';
import { jsonFormOf } from './json-form.ts';
import { checkTextBytes, NodeMeter } from './limits.ts';

/**
 * A template's value as encoding/json would write it. What is shared is written as often as it is met, so its size is bounded.
 * @throws GoError with encoding/json's text
 */
export function toJson(value: Value, name: string): Json {
  return new Writer(name, canonical).write(value, 0);
}

/** The same, and whether it holds text that YAML does not read as JSON has it: certain control characters, very long keys. */
export function toJsonForYaml(value: Value, name: string): { readonly json: Json; readonly isOdd: boolean } {
  const writer = new Writer(name, toValidUtf8);
  const json = writer.write(value, 0);
  return { json, isOdd: writer.isOdd };
}

/** Characters that JSON leaves as they are, but that YAML refuses or takes for a line break. */
const ODD_CHARACTERS = /[\u007f-\u009f\ufffe\uffff]/;
/** Near the 1024 characters that a YAML key can have. */
const LONG_KEY = 500;

class Writer {
  isOdd = false;
  private readonly name: string;
  private readonly clean: (text: string) => string;
  private readonly meter: NodeMeter;
  private bytes = 0;
  /** Maps that are being written; lists cannot hold themselves. */
  private readonly open = new Set<Map<string, Value>>();

  /** @param clean what becomes of text with bytes that are no UTF-8 */
  constructor(name: string, clean: (text: string) => string) {
    this.name = name;
    this.meter = new NodeMeter(name);
    this.clean = clean;
  }

  write(value: Value, depth: number): Json {
    this.meter.visit(depth);
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return finite(value);
      case 'bigint':
        return integer(value);
      case 'boolean':
        return value;
      default:
        return isNil(value) ? null : this.container(value as object & Value, depth);
    }
  }

  private container(value: object & Value, depth: number): Json {
    if (isList(value)) return value.map((item) => this.write(item, depth + 1));
    if (isMap(value)) {
      if (this.open.has(value)) {
        throw new GoError(`json: unsupported value: encountered a cycle via ${typeOf(value).name}`);
      }
      this.open.add(value);
      const out: MutableJsonObject = {};
      for (const [key, item] of value) {
        if (key.length > LONG_KEY) this.isOdd = true;
        put(out, this.text(key), this.write(item, depth + 1));
      }
      this.open.delete(value);
      return out;
    }
    if (value instanceof Uint8Array) return this.text(encodeBase64(value));
    if (value instanceof Struct) return this.write(jsonFormOf(value), depth + 1);
    if (value instanceof Typed) return this.typed(value);
    if (value instanceof Complex || value instanceof Func) {
      throw new GoError(`json: unsupported type: ${typeOf(value).name}`);
    }
    return null;
  }

  private typed({ type, value }: Typed): Json {
    if (typeof value === 'bigint') return integer(value);
    if (typeof value === 'string') return type.name === 'json.Number' ? Number(value) : this.text(value);
    if (typeof value === 'boolean') return value;
    return type.kind === 'float32' && Number.isFinite(value) ? Number(formatFloat(value, 'g', -1, 32)) : finite(value);
  }

  private text(text: string): string {
    this.count(text.length);
    if (ODD_CHARACTERS.test(text)) this.isOdd = true;
    return this.clean(text);
  }

  private count(bytes: number): void {
    this.bytes += bytes;
    checkTextBytes(this.name, this.bytes);
  }
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new GoError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
}

function integer(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A value that Go decoded from JSON into an interface{}: every number a float64. */
export function fromJson(value: Json): Value {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'string':
      return toValidUtf8(value);
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'boolean':
      return value;
    default:
      break;
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(fromJson);
  return new Map(Object.entries(value).map(([key, item]) => [toValidUtf8(key), fromJson(item)] as const));
}

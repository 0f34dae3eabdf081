import { field, isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { decodeBase64 } from '../schema/base64.ts';
import type { Quantity } from '../schema/quantity.ts';
import { dereference, propertySchema, type ResolveSchema, type Schema } from '../schema/schema.ts';
import { spend } from './effort.ts';
import { parseDuration, parseTimestamp } from './time.ts';

/** A CEL value: ints are `bigint`, doubles `number`. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Uint8Array
  | readonly CelValue[]
  | CelMap
  | ObjectValue
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | QuantityValue
  | Address
  | Network
  | UrlValue
  | SemverValue
  | FormatValue
  | CelHost;

/** An unsigned integer. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}
/** Nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}
export class Optional {
  readonly value: CelValue | undefined;
  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}
export class QuantityValue {
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }
}
/** An IP address: `bits` is 32 or 128. */
export class Address {
  readonly value: bigint;
  readonly bits: 32 | 128;
  constructor(value: bigint, bits: 32 | 128) {
    this.value = value;
    this.bits = bits;
  }
}
export class Network {
  readonly address: Address;
  readonly prefix: number;
  constructor(address: Address, prefix: number) {
    this.address = address;
    this.prefix = prefix;
  }
}
export class UrlValue {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
export class SemverValue {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
/** A named string format of Kubernetes' `format` library; `check` says what is wrong with a text. */
export class FormatValue {
  readonly name: string;
  readonly check: (text: string) => readonly string[];
  constructor(name: string, check: (text: string) => readonly string[]) {
    this.name = name;
    this.check = check;
  }
}
/** A value that the host supplies, such as `authorizer`: its methods are calls out of CEL. */
export abstract class CelHost {
  abstract readonly type: string;
  /** The answer of a method; undefined when there is none of that name and arguments. */
  abstract call(method: string, args: readonly CelValue[]): CelValue | undefined;
  /** A field; undefined when there is none. */
  abstract get(name: string): CelValue | undefined;
}
/** A map made in CEL; keys are strings, booleans, bigints (ints and uints alike). */
export class CelMap {
  readonly entries: ReadonlyMap<string | boolean | bigint, CelValue>;
  /** Set for `Object.spec{...}` literals of MutatingAdmissionPolicies. */
  readonly typeName: string | undefined;
  constructor(entries: ReadonlyMap<string | boolean | bigint, CelValue>, name?: string) {
    this.entries = entries;
    this.typeName = name;
  }
}

/** A JSON object seen through its schema (undefined: untyped); fields are converted when they are read. */
export class ObjectValue {
  readonly json: JsonObject;
  readonly schema: Schema | undefined;
  readonly resolve: ResolveSchema;
  constructor(json: JsonObject, schema: Schema | undefined, resolve: ResolveSchema) {
    this.json = json;
    this.schema = schema;
    this.resolve = resolve;
  }

  has(name: string): boolean {
    const key = this.key(name);
    return (
      Object.hasOwn(this.json, key) &&
      (this.json[key] !== null || this.schemaOf(key)?.nullable === true || this.schema === undefined)
    );
  }

  get(name: string): CelValue | undefined {
    const key = this.key(name);
    const value = field(this.json, key);
    if (value === undefined) return undefined;
    return fromJson(value, this.schemaOf(key), this.resolve);
  }

  keys(): string[] {
    return Object.keys(this.json);
  }

  private key(name: string): string {
    if (Object.hasOwn(this.json, name)) return name;
    return name.includes('__') ? unescapeName(name) : name;
  }

  private schemaOf(key: string): Schema | undefined {
    return this.schema === undefined ? undefined : propertySchema(this.schema, key, this.resolve);
  }
}

const ESCAPES: { readonly [escaped: string]: string } = {
  __underscores__: '__',
  __dot__: '.',
  __dash__: '-',
  __slash__: '/',
};

/** Property names that are no identifiers are escaped: `foo__dot__bar`, `__namespace__`. (apiserver@0.34 pkg/cel/escaping.go) */
export function unescapeName(name: string): string {
  const keyword =
    /^__(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while)__$/.exec(
      name,
    );
  if (keyword !== null) return keyword[1] as string;
  return name.replaceAll(/__(?:underscores|dot|dash|slash)__/g, (escaped) => ESCAPES[escaped] ?? escaped);
}

/** Elements, characters or bytes of a value; 1 for one that has none. */
export function sizeOf(value: CelValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) return value.length;
  if (value instanceof CelMap) return value.entries.size;
  return value instanceof ObjectValue ? Object.keys(value.json).length : 1;
}

/** A JSON value as CEL sees it: whole numbers are ints unless the schema says `number`; formats make times and bytes. */
export function fromJson(value: Json, schema: Schema | undefined, resolve: ResolveSchema): CelValue {
  const own = schema === undefined ? undefined : dereference(schema, resolve);
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    return Number.isInteger(value) && own?.type !== 'number' ? BigInt(value) : value;
  }
  if (typeof value === 'string') return fromString(value, own);
  if (isArray(value)) {
    spend(value.length);
    return value.map((item) => fromJson(item, own?.items, resolve));
  }
  return isObject(value) ? new ObjectValue(value, own, resolve) : null;
}

function fromString(value: string, schema: Schema | undefined): CelValue {
  if (schema?.type !== 'string') return value;
  switch (schema.format) {
    case 'date-time': {
      const nanos = parseTimestamp(value);
      return nanos === undefined ? value : new Timestamp(nanos);
    }
    case 'date': {
      const nanos = parseTimestamp(`${value}T00:00:00Z`);
      return nanos === undefined ? value : new Timestamp(nanos);
    }
    case 'byte':
      return decodeBase64(value) ?? value;
    case 'duration': {
      const nanos = parseDuration(value);
      return nanos === undefined ? value : new Duration(nanos);
    }
    default:
      return value;
  }
}

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { MissingKey } from './evaluate.ts';
import { Executor } from './execute.ts';
import { sprint } from './format.ts';
import { func, variadic } from './func.ts';
import { fromBytes, hasEscapes, toBytes } from './go-string.ts';
import {
  ANY,
  BOOL,
  BYTES,
  FLOAT32,
  FLOAT64,
  INT,
  INT32,
  INT64,
  INTS,
  LIST,
  MAP,
  mapOf,
  namedType,
  pointerTo,
  STRING,
  STRING_MAP,
  STRINGS,
  structType,
  UINT8,
  UINT64,
} from './go-type.ts';
import { int64, strings, typedList } from './make-value.ts';
import { TemplateSet } from './template-set.ts';
import {
  type Func,
  GoError,
  type GoType,
  type Method,
  NilPointer,
  Struct,
  Typed,
  TypedMap,
  type Value,
} from './value.ts';

type Text = string | { readonly base64: string };

interface Case {
  readonly data: string;
  readonly template: string;
  readonly others?: Readonly<Record<string, string>>;
  readonly missingKey?: MissingKey;
  readonly name?: string;
  readonly output?: Text;
  readonly error?: Text;
}

interface Recording {
  readonly data: Readonly<Record<string, unknown>>;
  readonly cases: readonly Case[];
}

const recording = JSON.parse(readFileSync(new URL('./testdata/recorded.json', import.meta.url), 'utf8')) as Recording;

function value(json: unknown): Value {
  if (Array.isArray(json)) return json.map(value);
  if (typeof json === 'object' && json !== null) {
    return new Map(Object.entries(json).map(([key, item]) => [key, value(item)]));
  }
  return json as Value;
}

const fieldOf = (receiver: Value, name: string): Value => (receiver as Struct).fields.get(name);
const META = structType('main.Meta', {
  methods: new Map<string, Method>([
    ['Hello', (receiver) => func([STRING], (text) => `hello ${text}${sprint(fieldOf(receiver, 'Name'))}`)],
    ['Val', (receiver) => func([], () => fieldOf(receiver, 'N'))],
    ['Fail', () => func([STRING], fails)],
    ['Any', () => variadic([], ANY, (...all) => BigInt(all.length))],
  ]),
});
const FILES = namedType('main.Files', mapOf(BYTES), {
  methods: new Map<string, Method>([
    ['Get', (files) => func([STRING], (name) => textOf((files as TypedMap).get(name)))],
  ]),
});
const VERSIONS = namedType('main.VS', STRINGS, {
  methods: new Map<string, Method>([['Has', () => func([STRING], (text) => text === 'v1')]]),
});
const DURATION = namedType('time.Duration', INT64, { text: () => '1m30s' });
const NUMBER = namedType('json.Number', STRING, { text: (number) => (number as Typed).value as string });
const VERSION = structType('main.Ver', { text: (version) => `ver${sprint(fieldOf(version, 'V'))}` });

function textOf(bytes: Value): string {
  return bytes instanceof Uint8Array ? fromBytes(bytes) : '';
}

function fails(message: string): never {
  throw new GoError(message);
}

function meta(type: GoType): Struct {
  const fields = new Map<string, Value>([
    ['Name', 'nm'],
    ['N', 3n],
    ['L', strings(['a'])],
    ['Sub', new NilPointer(pointerTo(structType('main.Sub')))],
  ]);
  return new Struct(type, fields, undefined);
}

/** What testdata/record.go gives its templates. */
const functions: readonly (readonly [string, Func])[] = [
  ['i64', func([INT64], (number) => int64(number))],
  ['u8', func([UINT8], (number) => new Typed(UINT8, number))],
  ['u64', func([UINT64], (number) => new Typed(UINT64, number))],
  ['i32', func([INT32], (number) => new Typed(INT32, number))],
  ['f32', func([FLOAT64], (number) => new Typed(FLOAT32, Math.fround(number)))],
  ['strs', variadic([], STRING, (...items) => strings(items))],
  ['ints', variadic([], INT, (...items) => typedList(INTS, items.map(BigInt)))],
  ['smap', func([STRING, STRING], (key, text) => new TypedMap(STRING_MAP, [[key, text]]))],
  ['bytes', func([STRING], (text) => toBytes(text))],
  ['upper', func([STRING], (text) => text.toUpperCase())],
  ['addi', func([INT, INT], (a, b) => BigInt(a + b))],
  ['fl', func([FLOAT64], (number) => number)],
  ['id', func([ANY], (any) => any)],
  ['list', variadic([], ANY, (...items) => items)],
  ['dict', variadic([], ANY, (...items) => new Map(pairs(items)))],
  ['isb', func([BOOL], (flag) => flag)],
  ['fail', func([STRING], fails)],
  ['takel', func([LIST], (list) => BigInt(list.length))],
  ['takem', func([MAP], (map) => BigInt(map.size))],
  ['nilany', func([], () => null)],
  ['rawbytes', func([STRING], (text) => fromBytes(new Uint8Array(Buffer.from(text, 'base64'))))],
  ['meta', func([], () => meta(pointerTo(META)))],
  ['metav', func([], () => meta(META))],
  ['nilmeta', func([], () => new NilPointer(pointerTo(META)))],
  ['files', func([], () => new TypedMap(FILES, [['a', toBytes('A')]]))],
  ['vs', func([], () => typedList(VERSIONS, ['v1', 'v2']))],
  ['dur', func([], () => new Typed(DURATION, 90_000_000_000n))],
  ['num', func([], () => new Typed(NUMBER, '12'))],
  ['ver', func([], () => new Struct(pointerTo(VERSION), new Map([['V', '1.2']]), undefined))],
  ['takemeta', func([pointerTo(META)], (struct) => fieldOf(struct, 'Name'))],
  ['takefiles', func([mapOf(BYTES)], (map) => BigInt(map.size))],
  ['takestrs', func([STRINGS], (list) => BigInt(list.length))],
  ['fn', func([], () => func([INT, STRING], (a, b) => `${a}${b}`))],
];

function pairs(items: readonly Value[]): [string, Value][] {
  const out: [string, Value][] = [];
  for (let index = 0; index + 1 < items.length; index += 2) out.push([sprint(items[index]), items[index + 1]]);
  return out;
}

function execute({ template, name = 'a.tpl', others = {}, missingKey = 'zero' }: Case, data: Value): string {
  const called = new Map<string, Func>(functions);
  const set = new TemplateSet('root', called);
  const executor = new Executor(set, { missingKey });
  called.set(
    'include',
    func([STRING, ANY], (included, dot) => executor.execute(included, dot)),
  );
  const texts = Object.entries({ ...others, [name]: template }).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, text] of texts) set.parse(key, text);
  return executor.execute(name, data);
}

function result(given: Case): Pick<Case, 'output' | 'error'> {
  try {
    return { output: shown(execute(given, value(recording.data[given.data]))) };
  } catch (error) {
    if (error instanceof GoError) return { error: shown(error.message) };
    throw error;
  }
}

/** The text, or its bytes where JSON cannot hold them. */
function shown(text: string): Text {
  return hasEscapes(text) ? { base64: Buffer.from(toBytes(text)).toString('base64') } : text;
}

test.each(['hand', 'obj', 'fuzz', 'fuzz2', 'fmtfuzz'])('gives what Go gave for the templates over %s', (data) => {
  const cases = recording.cases.filter((given) => given.data === data);
  expect(cases.length).toBeGreaterThan(100);
  for (const given of cases) {
    const { output, error } = given;
    expect({ given, ...result(given) }).toEqual({ given, ...(error === undefined ? { output } : { error }) });
  }
});

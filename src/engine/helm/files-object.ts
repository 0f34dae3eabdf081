import { func } from '../gotemplate/func.ts';
import { fromBytes } from '../gotemplate/go-string.ts';
import { BYTES, mapOf, namedType, STRING } from '../gotemplate/go-type.ts';
import { strings } from '../gotemplate/make-value.ts';
import { GoError, type GoType, TypedMap, type Value } from '../gotemplate/value.ts';
import { encodeBase64 } from '../schema/base64.ts';
import { printYaml } from '../yaml/print.ts';
import type { ChartFile } from './chart.ts';
import { globMatcher } from './glob.ts';

type Contents = ReadonlyMap<string, Uint8Array>;

/** What `.Files` is. Source: helm@4.1.4 pkg/engine/files.go. */
const FILES: GoType<Map<string, Value>> = namedType('engine.files', mapOf(BYTES), {
  methods: new Map([
    ['Get', (receiver) => func([STRING], (name) => fromBytes(bytesOf(receiver, name)))],
    ['GetBytes', (receiver) => func([STRING], (name) => bytesOf(receiver, name))],
    ['Glob', (receiver) => func([STRING], (pattern) => glob(receiver as unknown as Contents, pattern))],
    ['AsConfig', (receiver) => func([], () => asYaml(receiver, (bytes) => wellFormed(fromBytes(bytes))))],
    ['AsSecrets', (receiver) => func([], () => asYaml(receiver, encodeBase64))],
    ['Lines', (receiver) => func([STRING], (name) => strings(linesOf(receiver, name)))],
  ]),
});

/** The files of a chart that templates may read. */
export function filesObject(files: readonly ChartFile[]): Value {
  return new TypedMap(
    FILES,
    files.map(({ name, data }) => [name, data]),
  );
}

function bytesOf(receiver: Value, name: string): Uint8Array {
  return (receiver as unknown as Contents).get(name) ?? new Uint8Array();
}

function glob(files: Contents, pattern: string): Value {
  const matches = globMatcher(pattern);
  return new TypedMap(
    FILES,
    [...files].filter(([name]) => matches(name)),
  );
}

function asYaml(receiver: Value, text: (bytes: Uint8Array) => string): string {
  const files = [...(receiver as unknown as Contents)];
  const values = files.map(([name, bytes]) => [name.slice(name.lastIndexOf('/') + 1), text(bytes)] as const);
  return printYaml(Object.fromEntries(values)).replace(/\n$/, '');
}

/** Bytes that are no UTF-8 reach YAML through JSON, which has none. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

function linesOf(receiver: Value, name: string): readonly string[] {
  const bytes = (receiver as unknown as Contents).get(name);
  if (bytes === undefined) return [];
  if (bytes.length === 0) throw new GoError('runtime error: index out of range [-1]');
  return fromBytes(bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes).split('\n');
}

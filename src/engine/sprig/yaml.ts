import { goJson } from '../../base/go-json.ts';
import type { Json } from '../../base/json.ts';
import { type FuncMap, func } from '../gotemplate/func.ts';
import { ANY, LIST, MAP, STRING } from '../gotemplate/go-type.ts';
import { GoError, isMap, type Value } from '../gotemplate/value.ts';
import { printYamlError } from '../yaml/error.ts';
import { parseYaml } from '../yaml/parse.ts';
import { printYaml } from '../yaml/print.ts';
import { toValidUtf8 } from './cast.ts';
import { mismatch, orEmpty } from './json.ts';
import { fromJson, toJsonForYaml } from './json-value.ts';
import { printPrettyYaml } from './pretty-yaml.ts';

/** YAML. Source: helm@4.1.4 pkg/engine/funcs.go. */
export function yamlFunctions(): FuncMap {
  return new Map([
    ['toYaml', func([ANY], (value) => orEmpty(() => print('toYaml', value)))],
    ['mustToYaml', func([ANY], strictly)],
    ['toYamlPretty', func([ANY], (value) => withoutLastBreak(printPrettyYaml(value)))],
    [
      'fromYaml',
      func([STRING], (text) =>
        decode(
          text,
          isMap,
          MAP.name,
          (error) => new Map([['Error', error]]),
          () => new Map(),
        ),
      ),
    ],
    [
      'fromYamlArray',
      func([STRING], (text) =>
        decode(
          text,
          Array.isArray,
          LIST.name,
          (error) => [error],
          () => [],
        ),
      ),
    ],
  ]);
}

/** Go makes JSON, reads that as YAML, and prints what it read. @throws GoError */
function print(name: string, value: Value): string {
  const { json, isOdd } = toJsonForYaml(value, name);
  if (!isOdd) return withoutLastBreak(printYaml(json));
  const read = parseYaml(goJson(json));
  if (!read.ok) throw new GoError(printYamlError(read.error));
  return withoutLastBreak(printYaml(read.value));
}

function strictly(value: Value): string {
  try {
    return print('mustToYaml', value);
  } catch (error) {
    if (!(error instanceof GoError && error.message.startsWith('json: '))) throw error;
    throw new GoError(`error marshaling into JSON: ${error.message}`);
  }
}

/** Helm takes one line break off the end. */
function withoutLastBreak(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** @param bad what stands for a text that is no `type` @param empty what stands for null */
function decode(
  text: string,
  fits: (value: Value) => boolean,
  type: string,
  bad: (error: string) => Value,
  empty: () => Value,
): Value {
  const parsed = parseYaml(toValidUtf8(text));
  if (!parsed.ok) return bad(`error converting YAML to JSON: ${printYamlError(parsed.error)}`);
  const json: Json = parsed.value;
  if (json === null) return empty();
  const value = fromJson(json);
  return fits(value) ? value : bad(`error unmarshaling JSON: while decoding JSON: ${mismatch(json, type)}`);
}

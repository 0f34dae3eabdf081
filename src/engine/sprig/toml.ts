import { type FuncMap, func } from '../gotemplate/func.ts';
import { ANY, STRING } from '../gotemplate/go-type.ts';
import type { Value } from '../gotemplate/value.ts';
import { parseToml } from './parse-toml.ts';
import { printToml, TomlError } from './print-toml.ts';

/** TOML. Source: helm@4.1.4 pkg/engine/funcs.go. */
export function tomlFunctions(): FuncMap {
  return new Map([
    ['toToml', func([ANY], print)],
    ['fromToml', func([STRING], parse)],
  ]);
}

/** Helm gives the encoder's complaint for the text. */
function print(value: Value): string {
  try {
    return printToml(value);
  } catch (error) {
    if (error instanceof TomlError) return error.message;
    throw error;
  }
}

function parse(text: string): Value {
  const parsed = parseToml(text);
  return parsed.ok ? parsed.value : new Map([['Error', parsed.error]]);
}

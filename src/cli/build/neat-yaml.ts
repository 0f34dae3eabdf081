import { isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';

/** Names of entries stand first, whatever their place in the alphabet. */
const FIRST = ['name', 'key', 'id'];

/**
 * YAML for people, as dyff prints what came and went: names first, then what is flat before what is deep, and quotes only where
 * a text would be read as something else. Source: gonvenience/neat@1.3 output_yaml.go, gonvenience/ytbx@1.4 restructure.go.
 */
export function neatYaml(value: Json): string {
  return print(value, '', false);
}

function print(value: Json, margin: string, inline: boolean): string {
  if (isArray(value) && value.length > 0) {
    return value
      .map((entry, index) => `${inline && index === 0 ? '' : margin}- ${print(entry, `${margin}  `, true)}`)
      .join('');
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    return orderedKeys(value)
      .map((key, index) => {
        const entry = value[key] as Json;
        const lead = `${inline && index === 0 ? '' : margin}${key}:`;
        if (!isFilled(entry)) return `${lead} ${print(entry, `${margin}  `, true)}`;
        return `${lead}\n${print(entry, isArray(entry) ? margin : `${margin}  `, false)}`;
      })
      .join('');
  }
  if (isArray(value)) return '[]\n';
  if (isObject(value)) return '{}\n';
  if (typeof value !== 'string') return `${value === null ? 'null' : String(value)}\n`;
  const lines = value.split('\n');
  if (lines.length > 1) return `|\n${lines.map((line) => `${margin}${line}\n`).join('')}`;
  return `${needsQuotes(value) ? JSON.stringify(value) : value}\n`;
}

function isFilled(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function needsQuotes(text: string): boolean {
  if (text.startsWith('-') || /[ *&:,]/.test(text)) return true;
  const parsed = parseYaml(text);
  return !parsed.ok || parsed.value !== text;
}

function orderedKeys(map: JsonObject): readonly string[] {
  const keys = Object.keys(map).sort();
  const first = FIRST.find((key) => Object.hasOwn(map, key));
  if (first === undefined) return keys;
  const rest = keys.filter((key) => key !== first);
  const depths = new Map(rest.map((key) => [key, depthOf(map[key] as Json)]));
  return [first, ...rest.sort((a, b) => (depths.get(a) ?? 0) - (depths.get(b) ?? 0))];
}

function depthOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((depth, entry) => Math.max(depth, 1 + depthOf(entry)), 0);
}

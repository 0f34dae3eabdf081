import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { field, isArray, isObject, parseJson, put } from '../../base/json.ts';

/** Paths of the keys that one object of a valid JSON text holds twice, as sigs.k8s.io/json reports them: once each, in the order found. */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  walkKeys(text, (path, times) => {
    if (times === 2) found.push(path);
  });
  return found;
}

/** Where a valid JSON text holds `unknown field "path"` (its first key) and `duplicate field "path"` (its second), in order. */
export function fieldPositions(text: string): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  let position = 0;
  walkKeys(text, (path, times) => {
    const problem = `${times === 1 ? 'unknown' : 'duplicate'} field "${path}"`;
    if (!positions.has(problem)) positions.set(problem, position++);
  });
  return positions;
}

const FRACTION = /[:,[]\s*-?\d+[.eE]/;

/** The numbers of a valid JSON text that are whole but written as `1.0` or `1e2`, by path, as they are written. */
export function wholeFractions(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!FRACTION.test(text)) return found;
  const scalar = (path: string, written: string): void => {
    if (/^-?\d+[.eE]/.test(written) && Number.isInteger(Number(written))) found.set(path, written);
  };
  walkKeys(text, () => undefined, scalar);
  return found;
}

/** Tells each key's path, before its value is read, and how often its object had it by then; and each value that is no text. */
function walkKeys(
  text: string,
  tell: (path: string, times: number) => void,
  scalar: (path: string, written: string) => void = () => undefined,
): void {
  let index = 0;
  const skip = (): void => {
    while (index < text.length && /\s/.test(text[index] as string)) index++;
  };
  const string = (): string => {
    const start = index++;
    while (text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
    index++;
    const raw = text.slice(start, index);
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  };
  // The text was parsed before, so its depth is bounded.
  const value = (path: string): void => {
    skip();
    const character = text[index];
    if (character === '{') object(path);
    else if (character === '[') array(path);
    else if (character === '"') string();
    else {
      const start = index;
      while (index < text.length && !/[\s,\]}]/.test(text[index] as string)) index++;
      scalar(path, text.slice(start, index));
    }
  };
  const object = (path: string): void => {
    const keys = new Map<string, number>();
    index++;
    for (;;) {
      skip();
      if (text[index] === '}') break;
      if (text[index] === ',') {
        index++;
        continue;
      }
      const key = string();
      const own = path === '' ? key : `${path}.${key}`;
      const times = (keys.get(key) ?? 0) + 1;
      keys.set(key, times);
      skip();
      index++;
      tell(own, times);
      value(own);
    }
    index++;
  };
  const array = (path: string): void => {
    index++;
    for (let item = 0; ; ) {
      skip();
      if (text[index] === ']') break;
      if (text[index] === ',') {
        index++;
        item++;
        continue;
      }
      value(`${path}[${item}]`);
    }
    index++;
  };
  value('');
}

/**
 * A valid JSON object as encoding/json fills a typed value with it: what comes again is read into what is there, so objects
 * grow, and items of a list are read into the items before them. (go@1.25 encoding/json/decode.go)
 */
export function mergeDuplicates(text: string): JsonObject {
  let index = 0;
  const skip = (): void => {
    while (/[\s,:]/.test(text[index] ?? '')) index++;
  };
  const scalar = (): Json => {
    const start = index;
    if (text[index] === '"') {
      index++;
      while (text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
      index++;
    } else while (index < text.length && !/[\s,\]}]/.test(text[index] as string)) index++;
    return parseJson(text.slice(start, index));
  };
  const value = (before: Json | undefined): Json => {
    skip();
    if (text[index] === '{') return object(isObject(before) ? before : {});
    return text[index] === '[' ? array(isArray(before) ? before : []) : scalar();
  };
  const object = (before: JsonObject): JsonObject => {
    const out: MutableJsonObject = { ...before };
    index++;
    for (skip(); text[index] !== '}'; skip()) {
      const key = scalar() as string;
      put(out, key, value(field(out, key)));
    }
    index++;
    return out;
  };
  const array = (before: readonly Json[]): readonly Json[] => {
    const out: Json[] = [];
    index++;
    for (skip(); text[index] !== ']'; skip()) out.push(value(before[out.length]));
    index++;
    return out;
  };
  return value(undefined) as JsonObject;
}

import { exactNumber } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type Branch, type Item, isBranch, isComment, isList, isTimestamp, type TreeValue } from './tree.ts';

const TOKEN = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(true|false|null))/gy;

/** Reads JSON into a tree that keeps the order of keys, also of those that look like numbers. */
export function readJson(text: string): Result<Branch, string> {
  try {
    JSON.parse(text);
  } catch {
    return err('Error unmarshalling input json: the text is not JSON');
  }
  // The syntax is known to be right: only what each token stands for is left to find.
  interface Open {
    readonly items?: Item[];
    readonly list?: TreeValue[];
    key?: string | undefined;
  }
  const stack: Open[] = [];
  let root: TreeValue | undefined;
  const add = (value: TreeValue): void => {
    const top = stack.at(-1);
    if (top === undefined) root = value;
    else if (top.list !== undefined) top.list.push(value);
    else if (top.key === undefined) top.key = value as string;
    else {
      top.items?.push({ key: top.key, value });
      top.key = undefined;
    }
  };
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [, mark, string, number, word] = match;
    if (mark === '{') {
      const items: Item[] = [];
      add({ items });
      stack.push({ items });
    } else if (mark === '[') {
      const list: TreeValue[] = [];
      add(list);
      stack.push({ list });
    } else if (mark === '}' || mark === ']') stack.pop();
    else if (string !== undefined) add(JSON.parse(string) as string);
    else if (number !== undefined) add(numberOf(number));
    else if (word !== undefined) add(word === 'null' ? null : word === 'true');
  }
  return root !== undefined && isBranch(root) ? ok(root) : err('SOPS only supports JSON files with a top-level object');
}

/** Integers stay exact, where Go makes a float of every JSON number. */
function numberOf(text: string): number | bigint {
  const value = exactNumber(text);
  return /^-?\d+$/.test(text) && text !== '-0' ? BigInt(value) : value;
}

/** As `json.Indent` with one tab prints it; comments are dropped. Source: sops@3.13 stores/json/store.go. */
export function writeJson(branch: Branch): string {
  return `${print(branch, '')}\n`;
}

function print(value: TreeValue, margin: string): string {
  const inner = `${margin}\t`;
  if (isList(value)) {
    const parts = value.filter((item) => !isComment(item)).map((item) => inner + print(item, inner));
    return parts.length === 0 ? '[]' : `[\n${parts.join(',\n')}\n${margin}]`;
  }
  if (value !== null && typeof value === 'object' && isBranch(value)) {
    const parts = value.items.flatMap(({ key, value: held }) =>
      typeof key === 'string' ? [`${inner}${goString(key)}: ${print(held, inner)}`] : [],
    );
    return parts.length === 0 ? '{}' : `{\n${parts.join(',\n')}\n${margin}}`;
  }
  if (typeof value === 'string') return goString(value);
  if (typeof value === 'number') return goNumber(value);
  if (value instanceof Uint8Array) return goString(new TextDecoder().decode(value));
  if (value === null || typeof value !== 'object') return String(value);
  return isTimestamp(value) ? goString(value.time) : 'null';
}

/** Go's encoder escapes what could end a script element. */
function goString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Go writes an exponent from 1e21 on, as JavaScript does, but below 1e-6 with two digits. */
function goNumber(value: number): string {
  return String(value).replace(/e([-+])(\d)$/, (_, sign: string, digit: string) =>
    sign === '-' ? `e-0${digit}` : `e+${digit}`,
  );
}

import { utf8Bytes, utf8Text } from '../../base/files.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { matchingPrefix } from './glob.ts';
import { type Node, parseTemplate } from './parse.ts';

/**
 * `NotSet`: strict mode met variables without values; `name` is the first, `names` are all of them. `Invalid`: the text is no
 * expression; `at` is where it begins.
 */
export type SubstituteError =
  | {
      readonly code: 'NotSet';
      readonly name: string;
      readonly names: readonly string[];
      readonly message: string;
    }
  | { readonly code: 'Invalid'; readonly message: string; readonly at: number };

export interface SubstituteOptions {
  /** A variable that is not set is an error unless the expression gives a default; else it is ''. */
  readonly strict?: boolean;
}

/** Operators that deal with an unset variable themselves. */
const DEFAULTS: ReadonlySet<string> = new Set(['=', ':=', ':-', ':?', ':+']);

/**
 * Replaces `${…}` expressions in `source` by their values. Source: fluxcd/pkg@e2cfd1a envsubst/template.go, funcs.go.
 * Lengths and offsets count UTF-8 bytes, as there.
 */
export function substitute(
  source: string,
  variables: ReadonlyMap<string, string>,
  options: SubstituteOptions = {},
): Result<string, SubstituteError> {
  const parsed = parseTemplate(source);
  if (!parsed.ok) return err({ code: 'Invalid', message: parsed.error.code, at: parsed.error.at });
  const parts: string[] = [];
  for (const node of parsed.value) {
    const value = evaluate(node, variables, options.strict === true);
    if (!value.ok) return err(told(value.error, parsed.value, source, variables));
    parts.push(value.value);
  }
  return ok(parts.join(''));
}

/** What an evaluation alone says of a failure. */
type Failure =
  | { readonly code: 'NotSet'; readonly name: string }
  | { readonly code: 'Invalid'; readonly message: 'negative substring length'; readonly name: string };

function told(
  failure: Failure,
  nodes: readonly Node[],
  source: string,
  variables: ReadonlyMap<string, string>,
): SubstituteError {
  const { code, name } = failure;
  if (code === 'Invalid') return { code, message: failure.message, at: Math.max(0, source.indexOf(`\${${name}:`)) };
  const names = [...new Set(nodes.flatMap((node) => unset(node, variables)))];
  return { code, name, names, message: `variable not set (strict mode): ${JSON.stringify(name)}` };
}

function unset(node: Node, variables: ReadonlyMap<string, string>): readonly string[] {
  if (node.kind === 'text') return [];
  const inside = node.args.flatMap((arg) => unset(arg, variables));
  return variables.has(node.name) || DEFAULTS.has(node.operator) ? inside : [...inside, node.name];
}

function evaluate(node: Node, variables: ReadonlyMap<string, string>, strict: boolean): Result<string, Failure> {
  if (node.kind === 'text') return ok(node.text);
  const args: string[] = [];
  for (const arg of node.args) {
    const value = evaluate(arg, variables, strict);
    if (!value.ok) return value;
    args.push(value.value);
  }
  const { name, operator } = node;
  const value = variables.get(name);
  if (value === undefined && strict && !DEFAULTS.has(operator)) {
    return err({ code: 'NotSet', name });
  }
  return operate(name, operator, value ?? '', args);
}

function operate(name: string, operator: string, value: string, args: readonly string[]): Result<string, Failure> {
  const [first = '', second = ''] = args;
  switch (operator) {
    case ',':
      return ok(mapFirst(value, (character) => character.toLowerCase()));
    case ',,':
      return ok(value.toLowerCase());
    case '^':
      return ok(mapFirst(value, (character) => character.toUpperCase()));
    case '^^':
      return ok(value.toUpperCase());
    case '#':
      return ok(args.length === 0 ? String(utf8Bytes(value).length) : removePrefix(value, first, false));
    case '##':
      return ok(removePrefix(value, first, true));
    case '%':
      return ok(removeSuffix(value, first, false));
    case '%%':
      return ok(removeSuffix(value, first, true));
    case ':':
      return substring(name, value, first, args[1]);
    case '/':
      return ok(value.replace(first, () => second));
    case '//':
      return ok(value.replaceAll(first, () => second));
    case '/#':
      return ok(args.length === 2 && value.startsWith(first) ? second + value.slice(first.length) : value);
    case '/%':
      return ok(
        args.length === 2 && value.endsWith(first) ? value.slice(0, value.length - first.length) + second : value,
      );
    default:
      return ok(value === '' ? args.join('') : value);
  }
}

function mapFirst(value: string, map: (character: string) => string): string {
  const [first] = value;
  return first === undefined ? value : map(first) + value.slice(first.length);
}

function removePrefix(value: string, pattern: string, longest: boolean): string {
  const characters = Array.from(value);
  return characters.slice(matchingPrefix(characters, pattern, longest)).join('');
}

/** Flux reverses value and pattern, so that a class such as `[a-b]` never matches at the end; kept for its sake. */
function removeSuffix(value: string, pattern: string, longest: boolean): string {
  const characters = Array.from(value).reverse();
  const length = matchingPrefix(characters, Array.from(pattern).reverse().join(''), longest);
  return characters.slice(length).reverse().join('');
}

const INTEGER = /^[-+]?\d{1,18}$/;

function substring(name: string, value: string, offset: string, length: string | undefined): Result<string, Failure> {
  if (!INTEGER.test(offset) || (length !== undefined && !INTEGER.test(length))) return ok(value);
  const bytes = utf8Bytes(value);
  let from = Number(offset);
  if (from < 0) from = Math.max(0, bytes.length + from);
  if (from >= bytes.length) return ok('');
  const count = length === undefined ? bytes.length : Number(length);
  // Flux panics here; an error says what is wrong.
  if (count < 0) return err({ code: 'Invalid', message: 'negative substring length', name });
  const cut = bytes.subarray(from, from + count);
  return ok(utf8Text(cut) ?? lossyText(cut));
}

/** Text of bytes that a cut left invalid: broken characters become U+FFFD. */
function lossyText(bytes: Uint8Array): string {
  let from = 0;
  let to = bytes.length;
  while (from < to && ((bytes[from] as number) & 0xc0) === 0x80) from++;
  const head = '\ufffd'.repeat(from);
  for (let back = 1; back <= 3 && to - back >= from; back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0xc0) continue;
    to = bytes.length - back;
    break;
  }
  const middle = utf8Text(bytes.subarray(from, to)) ?? '';
  return head + middle + '\ufffd'.repeat(bytes.length - to);
}

import { utf8Bytes, utf8Text } from '../../base/files.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { matchingPrefix } from './glob.ts';
import { type Node, type ParseError, parseTemplate } from './parse.ts';

/** `NotSet`: strict mode met a variable without a value; `name` is the variable. `Invalid`: the text is no expression. */
export type SubstituteError =
  | { readonly code: 'NotSet'; readonly name: string; readonly message: string }
  | { readonly code: 'Invalid'; readonly message: string };

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
  if (!parsed.ok) return invalid(parsed.error);
  const parts: string[] = [];
  for (const node of parsed.value) {
    const value = evaluate(node, variables, options.strict === true);
    if (!value.ok) return value;
    parts.push(value.value);
  }
  return ok(parts.join(''));
}

function invalid(message: ParseError | 'negative substring length'): Result<never, SubstituteError> {
  return err({ code: 'Invalid', message });
}

function evaluate(
  node: Node,
  variables: ReadonlyMap<string, string>,
  strict: boolean,
): Result<string, SubstituteError> {
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
    return err({ code: 'NotSet', name, message: `variable not set (strict mode): ${JSON.stringify(name)}` });
  }
  return operate(operator, value ?? '', args);
}

function operate(operator: string, value: string, args: readonly string[]): Result<string, SubstituteError> {
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
      return substring(value, first, args[1]);
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

function substring(value: string, offset: string, length: string | undefined): Result<string, SubstituteError> {
  if (!INTEGER.test(offset) || (length !== undefined && !INTEGER.test(length))) return ok(value);
  const bytes = utf8Bytes(value);
  let from = Number(offset);
  if (from < 0) from = Math.max(0, bytes.length + from);
  if (from >= bytes.length) return ok('');
  const count = length === undefined ? bytes.length : Number(length);
  // Flux panics here; an error says what is wrong.
  if (count < 0) return invalid('negative substring length');
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

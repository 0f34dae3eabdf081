import { err, ok, type Result } from '../../base/result.ts';
import { type Accept, type ScanMode, Scanner } from './scanner.ts';

/** A piece of a text with variables. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly operator: string; readonly args: readonly Node[] };

/** Wordings of fluxcd/pkg envsubst; a closed set. */
export type ParseError =
  | 'bad substitution'
  | 'missing closing brace'
  | 'unable to parse variable name'
  | 'unable to parse substitution within function'
  | 'unable to parse default function';

/** Substitutions nested deeper than this are refused: the parser is recursive, and nobody writes them by hand. */
const MAX_NESTING = 500;

class Failure extends Error {
  readonly code: ParseError;
  constructor(code: ParseError) {
    super(code);
    this.code = code;
  }
}

/** Why a text cannot be parsed, and where the expression begins that is to blame. */
export interface ParseFailure {
  readonly code: ParseError;
  readonly at: number;
}

/** Parses text with `${…}` expressions. Source of the grammar: fluxcd/pkg@e2cfd1a envsubst/parse/parse.go. */
export function parseTemplate(source: string): Result<readonly Node[], ParseFailure> {
  const scanner = new Scanner(source);
  const nodes: Node[] = [];
  let at = 0;
  try {
    for (;;) {
      at = scanner.place;
      switch (scanner.scan(anything, { text: true, open: true, escapes: '$' })) {
        case 'end':
          return ok(nodes);
        case 'text':
          nodes.push({ kind: 'text', text: scanner.text });
          break;
        case 'open':
          nodes.push(parseExpression(scanner, 0));
          break;
        default:
          return err({ code: 'bad substitution', at });
      }
    }
  } catch (cause) {
    if (cause instanceof Failure) return err({ code: cause.code, at });
    throw cause;
  }
}

const anything: Accept = () => true;
const identifier: Accept = (character) => /^[\p{L}\p{Nd}_]$/u.test(character);
const untilClose: Accept = (character) => character !== '}';
const upTo =
  (first: string, second: string): Accept =>
  (character, place) =>
    (place === 1 && first.includes(character)) || (place === 2 && second.includes(character));
const TEXT: ScanMode = { text: true };

/** The rest of `${…}` after the opening brace, its closing brace included. */
function parseExpression(scanner: Scanner, depth: number): Node {
  if (depth > MAX_NESTING) throw new Failure('bad substitution');
  if (scanner.peek() === '#') return parseLength(scanner);
  if (scanner.scan(identifier, TEXT) !== 'text') throw new Failure('unable to parse variable name');
  const name = scanner.text;
  switch (scanner.peek()) {
    case ':':
      return '=-?+'.includes(scanner.peek(1) || ' ')
        ? parseDefault(scanner, name, depth)
        : parseSubstring(scanner, name, depth);
    case '=':
      return parseDefault(scanner, name, depth);
    case ',':
    case '^':
      return close(scanner, name, operator(scanner, upTo(',^', ',^')), []);
    case '/':
      return parseReplace(scanner, name, depth);
    case '#':
      return parseRemove(scanner, name, '#', depth);
    case '%':
      return parseRemove(scanner, name, '%', depth);
    default:
      if (scanner.scan(identifier, { close: true }) !== 'close') throw new Failure('missing closing brace');
      return { kind: 'variable', name, operator: '', args: [] };
  }
}

function operator(scanner: Scanner, accept: Accept, failure: ParseError = 'bad substitution'): string {
  if (scanner.scan(accept, TEXT) !== 'text') throw new Failure(failure);
  return scanner.text;
}

function close(scanner: Scanner, name: string, operator: string, args: readonly Node[]): Node {
  if (scanner.scan(identifier, { close: true }) !== 'close') throw new Failure('bad substitution');
  return { kind: 'variable', name, operator, args };
}

function parseArgument(scanner: Scanner, accept: Accept, mode: ScanMode, depth: number): Node {
  switch (scanner.scan(accept, { ...mode, open: true })) {
    case 'open':
      return parseExpression(scanner, depth + 1);
    case 'text':
    case 'close':
      return { kind: 'text', text: scanner.text };
    default:
      throw new Failure('unable to parse substitution within function');
  }
}

/** `${#name}` */
function parseLength(scanner: Scanner): Node {
  const sign = operator(scanner, upTo('#', ''));
  return close(scanner, operator(scanner, identifier), sign, []);
}

/** `${name=word}`, `${name:=word}` and its kin; the word may hold further expressions. */
function parseDefault(scanner: Scanner, name: string, depth: number): Node {
  const accept = scanner.peek() === '=' ? upTo('=', '') : upTo(':', '=-?+');
  const sign = operator(scanner, accept, 'unable to parse default function');
  const args: Node[] = [];
  while (scanner.peek() !== '}') args.push(parseArgument(scanner, untilClose, TEXT, depth));
  return close(scanner, name, sign, args);
}

/** `${name:offset}`, `${name:offset:length}` */
function parseSubstring(scanner: Scanner, name: string, depth: number): Node {
  const sign = operator(scanner, upTo(':', ''));
  const offset = parseArgument(scanner, (character) => character !== ':' && character !== '}', TEXT, depth);
  switch (scanner.scan((character) => character === ':', { text: true, close: true })) {
    case 'close':
      return { kind: 'variable', name, operator: sign, args: [offset] };
    case 'text':
      return close(scanner, name, sign, [offset, parseArgument(scanner, untilClose, TEXT, depth)]);
    default:
      throw new Failure('bad substitution');
  }
}

/** `${name#pattern}`, `##`, `%`, `%%` */
function parseRemove(scanner: Scanner, name: string, sign: '#' | '%', depth: number): Node {
  const signs = operator(scanner, upTo(sign, sign));
  return close(scanner, name, signs, [parseArgument(scanner, untilClose, TEXT, depth)]);
}

/** `${name/text/other}`, `//`, `/#`, `/%` */
function parseReplace(scanner: Scanner, name: string, depth: number): Node {
  const mode: ScanMode = { text: true, escapes: '$\\' };
  const signs = operator(scanner, upTo('/', '/#%'));
  const pattern = parseArgument(scanner, (character) => character !== '/', mode, depth);
  if (scanner.scan((character) => character === '/', TEXT) !== 'text') throw new Failure('bad substitution');
  if (scanner.peek() === '}') return close(scanner, name, signs, [pattern]);
  return close(scanner, name, signs, [pattern, parseArgument(scanner, untilClose, mode, depth)]);
}

import { compilePattern } from '../schema/patterns.ts';
import type { TypeProblem } from './check.ts';
import { CLAUSES } from './format.ts';
import type { Expr } from './parse.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import { type CelType, declaredTypeName, printType, sameType } from './types.ts';

type TypeOf = (part: Expr) => CelType;

const CHECKS: { readonly [name: string]: (text: string) => boolean } = {
  duration: (text) => parseDuration(text) !== undefined,
  timestamp: (text) => parseTimestamp(text) !== undefined,
  matches: (text) => compilePattern(text) !== undefined,
};

/**
 * What can never be right in an expression that checks: literal arguments of `duration()`, `timestamp()` and `matches()`, lists and maps of
 * mixed types, clauses of `format()`. (cel-go@0.26 cel/validator.go, ext/strings.go)
 */
export function validateLiterals(expr: Expr, typeOf: TypeOf): readonly TypeProblem[] {
  const problems: TypeProblem[] = [];
  visit(expr, typeOf, false, problems);
  return problems;
}

function visit(expr: Expr, typeOf: TypeOf, inFormat: boolean, problems: TypeProblem[]): void {
  if (expr.kind === 'call') {
    const argument = badArgument(expr);
    if (argument !== undefined) problems.push(argument);
    const clause = badFormat(expr, typeOf);
    if (clause !== undefined) problems.push(clause);
  }
  const mixed = inFormat ? undefined : mixedTypes(expr, typeOf);
  if (mixed !== undefined) problems.push(mixed);
  const exempt = inFormat || (expr.kind === 'call' && expr.name === 'format');
  for (const part of partsOf(expr)) visit(part, typeOf, exempt, problems);
}

function badArgument({ name, target, args }: Extract<Expr, { kind: 'call' }>): TypeProblem | undefined {
  const argument = name === 'matches' && target === undefined ? args[1] : args[0];
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  if (check === undefined || (target !== undefined && name !== 'matches')) return undefined;
  if (argument?.kind !== 'literal' || typeof argument.value !== 'string' || check(argument.value)) return undefined;
  return { message: `invalid ${name} argument`, offset: argument.offset };
}

function mixedTypes(expr: Expr, typeOf: TypeOf): TypeProblem | undefined {
  const same = (parts: readonly { readonly part: Expr; readonly optional: boolean }[]): TypeProblem | undefined => {
    let first: CelType | undefined;
    for (const { part, optional } of parts) {
      const type = typeOf(part);
      const own = optional && type.kind === 'optional' ? type.value : type;
      if (first === undefined) first = own;
      else if (!sameType(first, own))
        return {
          message: `expected type '${printType(first)}' but found '${printType(own)}'`,
          offset: part.offset,
        };
    }
    return undefined;
  };
  if (expr.kind === 'list') return same(expr.items.map(({ value, optional }) => ({ part: value, optional })));
  if (expr.kind !== 'map') return undefined;
  return (
    same(expr.entries.map(({ key }) => ({ part: key, optional: false }))) ??
    same(expr.entries.map(({ value, optional }) => ({ part: value, optional })))
  );
}

const TAKES: { readonly [verb: string]: readonly string[] } = {
  s: ['string', 'bool', 'bytes', 'int', 'uint', 'double', 'timestamp', 'duration', 'null'],
  d: ['int', 'uint'],
  f: ['double'],
  e: ['double'],
  b: ['int', 'uint', 'bool'],
  x: ['int', 'uint', 'string', 'bytes'],
  X: ['int', 'uint', 'string', 'bytes'],
  o: ['int', 'uint'],
};

function takes(verb: string, type: CelType): boolean {
  if (type.kind === 'dyn' || type.kind === 'error') return true;
  if (verb === 's' && (type.kind === 'list' || type.kind === 'map' || type.kind === 'type')) return true;
  return type.kind === 'simple' && (TAKES[verb] ?? []).includes(type.name);
}

/** Only what is literal can be looked at: the text, and a list of arguments. */
function badFormat(expr: Extract<Expr, { kind: 'call' }>, typeOf: TypeOf): TypeProblem | undefined {
  const { name, target, args, offset } = expr;
  if (name !== 'format' || target?.kind !== 'literal' || typeof target.value !== 'string') return undefined;
  const [list] = args;
  if (list?.kind !== 'list') return undefined;
  let next = 0;
  for (const [, verb, percent, other] of target.value.matchAll(/%(?:(?:\.\d+)?([sdfebxXo])|(%)|(.?))/gs)) {
    if (percent !== undefined) continue;
    if (verb === undefined)
      return {
        message:
          other === ''
            ? 'unexpected end of string'
            : `could not parse formatting clause: unrecognized formatting clause "${other ?? ''}"`,
        offset,
      };
    const argument = list.items[next]?.value;
    if (argument === undefined) return { message: `index ${next} out of range`, offset };
    next++;
    const type = typeOf(argument);
    if (takes(verb, type)) continue;
    const given = type.kind === 'optional' ? 'optional_type' : declaredTypeName(type);
    return { message: `error during formatting: ${CLAUSES[verb]}, was given ${given}`, offset: argument.offset };
  }
  if (next < list.items.length)
    return {
      message: `too many arguments supplied to string.format (expected ${next}, got ${list.items.length})`,
      offset,
    };
  return undefined;
}

/** The parts of an expression, from left to right. */
export function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select':
      return [expr.operand];
    case 'index':
      return [expr.operand, expr.index];
    case 'and':
    case 'or':
      return [expr.left, expr.right];
    case 'ternary':
      return [expr.condition, expr.yes, expr.no];
    case 'list':
      return expr.items.map(({ value }) => value);
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    case 'call':
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    default:
      return [];
  }
}

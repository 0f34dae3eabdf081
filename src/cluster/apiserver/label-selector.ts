import type { Json } from '../../base/json.ts';
import { at, field, isArray, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { checkLabelKey, checkLabelValue } from './names.ts';
import { goQuote } from './status.ts';

export interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | '!' | '=' | '!=' | 'gt' | 'lt';
  readonly values: readonly string[];
}

type Labels = Readonly<Record<string, string>> | undefined;

const SPECIAL = new Set(['(', ')', ',', '!', '=', '>', '<']);

interface Token {
  readonly kind: 'end' | 'open' | 'close' | 'comma' | '!' | '=' | '==' | '!=' | '>' | '<' | 'in' | 'notin' | 'word';
  readonly text: string;
}

/** Parses `a=b,c in (d,e),!f`. Errors are worded as kubernetes@1.34 apimachinery/pkg/labels/selector.go. */
export function parseLabelSelector(text: string): Result<readonly Requirement[], string> {
  const tokens = lex(text);
  let position = 0;
  // Keywords count as words where a value may stand.
  const look = (values: boolean): Token => {
    const token = tokens[position] ?? { kind: 'end', text: '' };
    return values && (token.kind === 'in' || token.kind === 'notin') ? { kind: 'word', text: token.text } : token;
  };
  const take = (values: boolean): Token => {
    const token = look(values);
    position++;
    return token;
  };
  const requirements: Requirement[] = [];
  for (;;) {
    const token = look(true);
    if (token.kind === 'end') break;
    if (token.kind !== 'word' && token.kind !== '!')
      return err(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    const requirement = parseRequirement(look, take);
    if (!requirement.ok) return err(`unable to parse requirement: ${requirement.error}`);
    requirements.push(requirement.value);
    const next = take(true);
    if (next.kind === 'end') break;
    if (next.kind !== 'comma') return err(`found '${next.text}', expected: ',' or 'end of string'`);
    const after = look(true);
    if (after.kind !== 'word' && after.kind !== '!')
      return err(`found '${after.text}', expected: identifier after ','`);
  }
  return ok([...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

function parseRequirement(
  look: (values: boolean) => Token,
  take: (values: boolean) => Token,
): Result<Requirement, string> {
  let negated = false;
  if (look(true).kind === '!') {
    take(true);
    negated = true;
  }
  const word = take(true);
  if (word.kind !== 'word') return err(`found '${word.text}', expected: identifier`);
  const key = word.text;
  const badKey = checkLabelKey(key);
  if (badKey.length > 0) return err(`<nil>: Invalid value: ${goQuote(key)}: ${badKey.join('; ')}`);
  if (negated) return ok({ key, operator: '!', values: [] });
  const following = look(true);
  if (following.kind === 'end' || following.kind === 'comma') return ok({ key, operator: 'exists', values: [] });
  const operator = take(false);
  let values: string[];
  if (operator.kind === 'in' || operator.kind === 'notin') {
    const list = parseValues(look, take);
    if (!list.ok) return list;
    values = [...list.value];
  } else if (['=', '==', '!=', '>', '<'].includes(operator.kind)) {
    const exact = parseExactValue(look, take);
    if (!exact.ok) return exact;
    values = [exact.value];
  } else {
    return err(`found '${operator.text}', expected: in, notin, =, ==, !=, gt, lt`);
  }
  const operators = { '==': '=', '>': 'gt', '<': 'lt', in: 'in', notin: 'notin', '=': '=', '!=': '!=' } as const;
  const name = operators[operator.kind as keyof typeof operators];
  if (name === 'gt' || name === 'lt') {
    for (const value of values)
      if (!/^[-+]?\d+$/.test(value))
        return err(
          `values[0]: Invalid value: ${goQuote(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        );
  }
  for (const [index, value] of values.entries()) {
    const bad = checkLabelValue(value);
    if (bad.length > 0) return err(`values[${index}][${key}]: Invalid value: ${goQuote(value)}: ${bad.join('; ')}`);
  }
  return ok({ key, operator: name, values });
}

function parseValues(
  look: (values: boolean) => Token,
  take: (values: boolean) => Token,
): Result<readonly string[], string> {
  const open = take(true);
  if (open.kind !== 'open') return err(`found '${open.text}' expected: '('`);
  const first = look(true);
  if (first.kind === 'close') {
    take(true);
    return ok(['']);
  }
  if (first.kind !== 'word' && first.kind !== 'comma')
    return err(`found '${first.text}', expected: ',', ')' or identifier`);
  const values = new Set<string>();
  for (;;) {
    const token = take(true);
    if (token.kind === 'word') {
      values.add(token.text);
      const next = look(true);
      if (next.kind === 'close') break;
      if (next.kind !== 'comma') return err(`found '${next.text}', expected: ',' or ')'`);
    } else if (token.kind === 'comma') {
      if (values.size === 0) values.add('');
      const next = look(true);
      if (next.kind === 'close') {
        values.add('');
        break;
      }
      if (next.kind === 'comma') {
        take(true);
        values.add('');
      }
    } else return err(`found '${token.text}', expected: ',', or identifier`);
  }
  const close = take(true);
  if (close.kind !== 'close') return err(`found '${close.text}', expected: ')'`);
  return ok([...values].sort());
}

function parseExactValue(look: (values: boolean) => Token, take: (values: boolean) => Token): Result<string, string> {
  const next = look(true);
  if (next.kind === 'end' || next.kind === 'comma') return ok('');
  const token = take(true);
  return token.kind === 'word' ? ok(token.text) : err(`found '${token.text}', expected: identifier`);
}

function lex(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let index = 0;
  while (index < text.length) {
    const character = text[index] as string;
    if (/\s/.test(character)) {
      index++;
      continue;
    }
    let word = '';
    if (SPECIAL.has(character)) {
      const known: Readonly<Record<string, Token['kind']>> = {
        '(': 'open',
        ')': 'close',
        ',': 'comma',
        '!': '!',
        '=': '=',
        '==': '==',
        '!=': '!=',
        '>': '>',
        '<': '<',
      };
      word = character;
      const two = text.slice(index, index + 2);
      if (two === '==' || two === '!=') word = two;
      tokens.push({ kind: known[word] as Token['kind'], text: word });
    } else {
      let end = index;
      while (end < text.length && !SPECIAL.has(text[end] as string) && !/\s/.test(text[end] as string)) end++;
      word = text.slice(index, end);
      tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'word', text: word });
    }
    index += word.length;
  }
  return tokens;
}

export function matchesLabels(requirements: readonly Requirement[], labels: Labels): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'in':
      case '=':
        return value !== undefined && values.includes(value);
      case 'notin':
      case '!=':
        return value === undefined || !values.includes(value);
      case 'exists':
        return value !== undefined;
      case '!':
        return value === undefined;
      case 'gt':
      case 'lt': {
        if (value === undefined || !/^[-+]?\d+$/.test(value)) return false;
        const [a, b] = [BigInt(value), BigInt(values[0] as string)];
        return operator === 'gt' ? a > b : a < b;
      }
    }
  });
}

/** Whether a `LabelSelector` object (matchLabels, matchExpressions) selects `labels`. An empty one selects everything. */
export function selects(selector: Json | undefined, labels: Labels): boolean {
  if (!isObject(selector)) return false;
  const wanted = at(selector, 'matchLabels');
  if (isObject(wanted))
    for (const key of Object.keys(wanted))
      if (labels === undefined || !Object.hasOwn(labels, key) || labels[key] !== wanted[key]) return false;
  const expressions = field(selector, 'matchExpressions');
  if (!isArray(expressions)) return true;
  return expressions.every((expression) => {
    const key = stringAt(expression, 'key') ?? '';
    const list = field(expression, 'values');
    const values = isArray(list) ? list : [];
    const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (stringAt(expression, 'operator')) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}

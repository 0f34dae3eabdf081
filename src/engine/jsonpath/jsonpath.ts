import { equal, field, isArray, isObject, type Json } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';

type Step =
  | { readonly kind: 'field'; readonly names: readonly string[] }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | {
      readonly kind: 'slice';
      readonly from: number | undefined;
      readonly to: number | undefined;
      readonly step: number;
    }
  | { readonly kind: 'indices'; readonly indices: readonly number[] }
  | { readonly kind: 'filter'; readonly left: Operand; readonly operator: string; readonly right: Operand };
type Operand = { readonly path: readonly Step[] } | { readonly value: Json };

/** A compiled path; made by {@link compileJsonPath}. */
export interface JsonPath {
  readonly steps: readonly Step[];
}

class Malformed extends Error {}

/** Values that one path may find: a recursive descent over a large object stops here. */
const MAX_RESULTS = 100_000;

/**
 * Compiles Kubernetes' JSONPath as printer columns, scale paths and selectable fields write it: `.status.conditions[?(@.type=="Ready")].status`,
 * with or without braces around it. Fails on a path that the real parser refuses. (client-go@0.34 util/jsonpath)
 */
export function compileJsonPath(text: string): Result<JsonPath, { readonly message: string }> {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1] ?? text;
  try {
    const parser = new Parser(inner.startsWith('$') ? inner.slice(1) : inner);
    const steps = parser.path();
    if (!parser.done())
      throw new Malformed(
        `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
      );
    return ok({ steps });
  } catch (error) {
    if (error instanceof Malformed) return err({ message: error.message });
    throw error;
  }
}

/** Everything that the path finds, in document order; missing keys find nothing. */
export function findAll({ steps }: JsonPath, value: Json): readonly Json[] {
  return run(steps, [value]);
}

class Parser {
  readonly text: string;
  position = 0;
  constructor(text: string) {
    this.text = text;
  }

  done(): boolean {
    return this.position >= this.text.length;
  }

  path(end = ''): Step[] {
    const steps: Step[] = [];
    while (!this.done() && !end.includes(this.text.charAt(this.position))) {
      const char = this.text.charAt(this.position);
      if (this.text.startsWith('..', this.position)) {
        this.position += 2;
        steps.push({ kind: 'recursive' });
        if (!this.done() && this.text.charAt(this.position) !== '[') steps.push(this.name(end));
      } else if (char === '.') {
        this.position++;
        if (!this.done() && this.text.charAt(this.position) !== '[' && !end.includes(this.text.charAt(this.position)))
          steps.push(this.name(end));
      } else if (char === '[') steps.push(this.brackets());
      else if (steps.length === 0) steps.push(this.name(end));
      else throw new Malformed(`unrecognized character in action: ${char}`);
    }
    return steps;
  }

  private name(end: string): Step {
    if (this.text.charAt(this.position) === '*') {
      this.position++;
      return { kind: 'wildcard' };
    }
    let out = '';
    while (!this.done()) {
      const char = this.text.charAt(this.position);
      if (char === '\\' && this.position + 1 < this.text.length) {
        out += this.text.charAt(this.position + 1);
        this.position += 2;
      } else if (char === '.' || char === '[' || char === ']' || end.includes(char) || /[\s,()=!<>{}]/.test(char))
        break;
      else {
        out += char;
        this.position++;
      }
    }
    if (out === '') throw new Malformed('expected a field name');
    return { kind: 'field', names: [out] };
  }

  private brackets(): Step {
    this.position++;
    if (this.text.startsWith('?(', this.position)) return this.filter();
    const close = this.closing();
    const body = this.text.slice(this.position, close).trim();
    this.position = close + 1;
    if (body === '*') return { kind: 'slice', from: undefined, to: undefined, step: 1 };
    if (/^['"]/.test(body)) return { kind: 'field', names: quotedNames(body) };
    const slice = /^(-?\d*)\s*:\s*(-?\d*)(?:\s*:\s*(-?\d*))?$/.exec(body);
    if (slice !== null) {
      const number = (text: string | undefined): number | undefined =>
        text === undefined || text === '' ? undefined : Number(text);
      return { kind: 'slice', from: number(slice[1]), to: number(slice[2]), step: number(slice[3]) ?? 1 };
    }
    const indices = body.split(',').map((part) => part.trim());
    if (indices.every((part) => /^-?\d+$/.test(part))) return { kind: 'indices', indices: indices.map(Number) };
    if (/^[\w-]+$/.test(body)) return { kind: 'field', names: [body] };
    throw new Malformed(`invalid array index ${body}`);
  }

  /** Where this bracket ends; quotes may hold brackets. */
  private closing(): number {
    let quote = '';
    for (let index = this.position; index < this.text.length; index++) {
      const char = this.text.charAt(index);
      if (quote !== '') {
        if (char === '\\') index++;
        else if (char === quote) quote = '';
      } else if (char === '"' || char === "'") quote = char;
      else if (char === ']') return index;
    }
    throw new Malformed('unterminated array');
  }

  private filter(): Step {
    this.position += 2;
    const left = this.operand();
    this.blanks();
    const operator = /^(?:==|!=|<=|>=|<|>)/.exec(this.text.slice(this.position, this.position + 2))?.[0] ?? 'exists';
    let right: Operand = { value: null };
    if (operator !== 'exists') {
      this.position += operator.length;
      right = this.operand();
      this.blanks();
    }
    if (!this.text.startsWith(')]', this.position)) throw new Malformed('unterminated filter');
    this.position += 2;
    return { kind: 'filter', left, operator, right };
  }

  private blanks(): void {
    while (this.text.charAt(this.position) === ' ') this.position++;
  }

  private operand(): Operand {
    this.blanks();
    const char = this.text.charAt(this.position);
    if (char === '@' || char === '$') {
      this.position++;
      return { path: this.path(' =!<>)') };
    }
    if (char === '"' || char === "'") {
      const end = endOfQuote(this.text, this.position);
      const value = this.text.slice(this.position + 1, end).replaceAll(/\\(.)/g, '$1');
      this.position = end + 1;
      return { value };
    }
    const word = /^[^\s=!<>)]+/.exec(this.text.slice(this.position))?.[0];
    if (word === undefined) throw new Malformed('unexpected end of filter');
    this.position += word.length;
    if (word === 'true' || word === 'false') return { value: word === 'true' };
    if (/^-?\d+(?:\.\d+)?$/.test(word)) return { value: Number(word) };
    throw new Malformed(`unrecognized identifier ${word}`);
  }
}

function endOfQuote(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let index = start + 1; index < text.length; index++) {
    if (text.charAt(index) === '\\') index++;
    else if (text.charAt(index) === quote) return index;
  }
  throw new Malformed('unterminated quoted string');
}

function quotedNames(body: string): string[] {
  const names: string[] = [];
  let position = 0;
  while (position < body.length) {
    const char = body.charAt(position);
    if (char === '"' || char === "'") {
      const end = endOfQuote(body, position);
      names.push(body.slice(position + 1, end).replaceAll(/\\(.)/g, '$1'));
      position = end + 1;
    } else if (char === ',' || char === ' ') position++;
    else throw new Malformed(`invalid array index ${body}`);
  }
  return names;
}

function run(steps: readonly Step[], start: readonly Json[]): readonly Json[] {
  let values = start;
  for (const step of steps) {
    const next: Json[] = [];
    for (const value of values) {
      apply(step, value, next);
      if (next.length > MAX_RESULTS) return [];
    }
    values = next;
  }
  return values;
}

function apply(step: Step, value: Json, out: Json[]): void {
  switch (step.kind) {
    case 'field':
      for (const name of step.names) {
        const found = field(value, name);
        if (found !== undefined) out.push(found);
      }
      return;
    case 'wildcard':
      out.push(...childrenOf(value));
      return;
    case 'recursive':
      descend(value, out);
      return;
    case 'indices':
      if (isArray(value)) {
        for (const index of step.indices) {
          const found = value[index < 0 ? index + value.length : index];
          if (found !== undefined) out.push(found);
        }
      }
      return;
    case 'slice':
      if (isArray(value) && step.step > 0) {
        const size = value.length;
        const from = step.from === undefined ? 0 : step.from < 0 ? step.from + size : step.from;
        const to = step.to === undefined ? size : step.to < 0 ? step.to + size : step.to;
        for (let index = Math.max(from, 0); index < Math.min(to, size); index += step.step)
          out.push(value[index] as Json);
      }
      return;
    case 'filter':
      for (const item of childrenOf(value)) if (holds(step, item)) out.push(item);
      return;
  }
}

function childrenOf(value: Json): readonly Json[] {
  return isArray(value) ? value : isObject(value) ? Object.values(value) : [];
}

function descend(value: Json, out: Json[]): void {
  if ((!isArray(value) && !isObject(value)) || out.length > MAX_RESULTS) return;
  out.push(value);
  for (const child of childrenOf(value)) descend(child, out);
}

function holds({ left, operator, right }: Extract<Step, { kind: 'filter' }>, item: Json): boolean {
  const read = (operand: Operand): Json | undefined =>
    'value' in operand ? operand.value : run(operand.path, [item])[0];
  const a = read(left);
  if (operator === 'exists') return a !== undefined;
  const b = read(right);
  if (a === undefined || b === undefined) return false;
  if (operator === '==') return equal(a, b);
  if (operator === '!=') return !equal(a, b);
  const comparable =
    (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');
  if (!comparable) return false;
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

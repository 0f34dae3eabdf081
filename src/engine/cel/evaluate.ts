import { err, ok, type Result } from '../../base/result.ts';
import { bounded, OutOfBudget, spend } from './effort.ts';
import { callFunction, callMethod, NAMESPACES } from './functions.ts';
import {
  arithmetic,
  CelFailure,
  checkedInt,
  checkedUint,
  equals,
  isList,
  isMap,
  isOrdered,
  keysOf,
  lookup,
  mapKey,
  typeOf,
} from './operators.ts';
import { attributeName, type Expr, typeName, variableOf } from './parse.ts';
import { CelHost, CelMap, type CelValue, Duration, Optional, sizeOf, TypeValue, Uint } from './values.ts';

export interface EvaluateOptions {
  /** Kubernetes' cost units (a selection is 1); absent: {@link DEFAULT_COST_LIMIT}. */
  readonly costLimit?: number;
}

/** apiserver@0.34 pkg/cel/limits.go: PerCallLimit and RuntimeCELCostBudget. */
export const DEFAULT_COST_LIMIT = 1_000_000;
export const RUNTIME_COST_BUDGET = 10_000_000;

/** `cost`: the budget is used up; `evaluation`: the expression failed, in cel-go's words. */
export interface EvaluationError {
  readonly code: 'cost' | 'evaluation';
  readonly message: string;
}

/** Values by variable name; a function is called when the variable is first read. */
export type Variables = ReadonlyMap<string, CelValue | (() => CelValue)>;

export interface Evaluated {
  readonly value: CelValue;
  readonly cost: number;
}

export function evaluateExpr(
  expr: Expr,
  variables: Variables,
  { costLimit = DEFAULT_COST_LIMIT }: EvaluateOptions,
): Result<Evaluated, EvaluationError> {
  const interpreter = new Interpreter(variables, costLimit);
  try {
    const value = bounded(() => interpreter.eval(expr, undefined));
    return ok({ value, cost: interpreter.cost });
  } catch (error) {
    if (error instanceof OutOfBudget) {
      return err({ code: 'cost', message: 'operation cancelled: actual cost limit exceeded' });
    }
    if (error instanceof CelFailure) return err({ code: 'evaluation', message: error.message });
    if (error instanceof RangeError) return err({ code: 'cost', message: 'expression is nested too deeply' });
    throw error;
  }
}

interface Scope {
  readonly name: string;
  value: CelValue;
  readonly parent: Scope | undefined;
}

/** Types that can be named. */
const TYPES: ReadonlySet<string> = new Set(
  'bool int uint double string bytes list map null_type type google.protobuf.Timestamp google.protobuf.Duration'.split(
    ' ',
  ),
);

class Interpreter {
  cost = 0;
  private readonly variables: Variables;
  private readonly limit: number;
  private readonly computed = new Map<string, CelValue>();

  constructor(variables: Variables, limit: number) {
    this.variables = variables;
    this.limit = limit;
  }

  charge(amount: number): void {
    this.cost += amount;
    if (this.cost > this.limit) throw new OutOfBudget();
  }

  eval(expr: Expr, scope: Scope | undefined): CelValue {
    switch (expr.kind) {
      case 'literal':
        return expr.value;
      case 'uint':
        return new Uint(expr.value);
      case 'bytes':
        return Uint8Array.from(expr.value);
      case 'ident':
        this.charge(1);
        return this.variable(expr, scope);
      case 'select':
        return this.select(expr, scope);
      case 'index':
        return this.index(expr, scope);
      case 'and':
      case 'or':
        return this.logical(expr, scope);
      case 'ternary': {
        const condition = this.eval(expr.condition, scope);
        if (typeof condition !== 'boolean') throw new CelFailure('no such overload');
        return this.eval(condition ? expr.yes : expr.no, scope);
      }
      case 'list':
        return this.list(expr, scope);
      case 'map':
        return this.map(expr, scope);
      case 'struct': {
        const entries = new Map<string, CelValue>();
        for (const { name, value, optional } of expr.fields) {
          const made = this.eval(value, scope);
          if (!optional) entries.set(name, made);
          else if (made instanceof Optional && made.value !== undefined) entries.set(name, made.value);
        }
        this.charge(40);
        return new CelMap(entries, expr.type);
      }
      case 'call':
        return this.call(expr, scope);
    }
  }

  private lookupVariable(name: string, scope: Scope | undefined): CelValue | undefined {
    for (let level = scope; level !== undefined; level = level.parent) if (level.name === name) return level.value;
    const known = this.computed.get(name);
    if (known !== undefined) return known;
    const found = this.variables.get(name);
    if (typeof found !== 'function') return found;
    const value = found();
    this.computed.set(name, value);
    return value;
  }

  private variable(expr: Extract<Expr, { kind: 'ident' }>, scope: Scope | undefined): CelValue {
    this.demand(expr, scope);
    const found = this.lookupVariable(expr.name, scope);
    return found === undefined ? new TypeValue(expr.name) : found;
  }

  /** What begins with a variable that is not there is told by its whole name. (cel-go@0.26 interpreter/attributes.go maybeAttribute) */
  private demand(expr: Expr, scope: Scope | undefined): void {
    const head = variableOf(expr);
    if (head === undefined || TYPES.has(head) || this.lookupVariable(head, scope) !== undefined) return;
    throw new CelFailure(`no such attribute(s): ${attributeName(expr)}`);
  }

  private select(expr: Extract<Expr, { kind: 'select' }>, scope: Scope | undefined): CelValue {
    const qualified = typeName(expr);
    if (qualified !== undefined && TYPES.has(qualified)) return new TypeValue(qualified);
    this.demand(expr, scope);
    const operand = this.eval(expr.operand, scope);
    this.charge(1);
    if (expr.optional || operand instanceof Optional) return this.optionalGet(operand, expr.field);
    const found = this.fieldOf(operand, expr.field);
    if (found === undefined) throw new CelFailure(`no such key: ${expr.field}`);
    return found;
  }

  private fieldOf(value: CelValue, name: string): CelValue | undefined {
    if (isMap(value)) return lookup(value, name);
    if (value instanceof CelHost) return value.get(name);
    // What has no fields lacks this one too. (cel-go@0.26 interpreter/attributes.go refQualify)
    return undefined;
  }

  private optionalGet(operand: CelValue, key: CelValue): Optional {
    const inner = operand instanceof Optional ? operand.value : operand;
    if (inner === undefined) return new Optional(undefined);
    if (isList(inner)) return new Optional(typeof key === 'bigint' ? inner[Number(key)] : undefined);
    if (isMap(inner)) return new Optional(lookup(inner, key));
    if (inner instanceof CelHost && typeof key === 'string') return new Optional(inner.get(key));
    throw new CelFailure('no such overload');
  }

  private index(expr: Extract<Expr, { kind: 'index' }>, scope: Scope | undefined): CelValue {
    this.demand(expr, scope);
    const operand = this.eval(expr.operand, scope);
    const index = this.eval(expr.index, scope);
    this.charge(1);
    if (expr.optional || operand instanceof Optional) return this.optionalGet(operand, index);
    if (isList(operand)) {
      const position =
        index instanceof Uint
          ? index.value
          : typeof index === 'number' && Number.isInteger(index)
            ? BigInt(index)
            : index;
      if (typeof position !== 'bigint') throw new CelFailure('no such overload');
      if (position < 0n || position >= BigInt(operand.length)) throw new CelFailure(`index out of bounds: ${position}`);
      return operand[Number(position)] as CelValue;
    }
    const found = isMap(operand) ? lookup(operand, index) : undefined;
    if (found === undefined)
      throw new CelFailure(`no such key: ${typeof index === 'string' ? index : String(mapKey(index))}`);
    return found;
  }

  /** The other side decides when one side failed. */
  private logical(expr: Extract<Expr, { kind: 'and' | 'or' }>, scope: Scope | undefined): boolean {
    const decisive = expr.kind === 'or';
    let failure: CelFailure | undefined;
    for (const side of [expr.left, expr.right]) {
      try {
        const value = this.eval(side, scope);
        if (value === decisive) return decisive;
        if (typeof value !== 'boolean') failure ??= new CelFailure('no such overload');
      } catch (error) {
        if (!(error instanceof CelFailure)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return !decisive;
  }

  private list(expr: Extract<Expr, { kind: 'list' }>, scope: Scope | undefined): CelValue {
    this.charge(10);
    const out: CelValue[] = [];
    for (const { value, optional } of expr.items) {
      const item = this.eval(value, scope);
      if (!optional) out.push(item);
      else if (item instanceof Optional && item.value !== undefined) out.push(item.value);
    }
    return out;
  }

  private map(expr: Extract<Expr, { kind: 'map' }>, scope: Scope | undefined): CelValue {
    this.charge(30);
    const entries = new Map<string | boolean | bigint, CelValue>();
    for (const { key, value, optional } of expr.entries) {
      const name = mapKey(this.eval(key, scope));
      if (name === undefined) throw new CelFailure('unsupported key type');
      const item = this.eval(value, scope);
      if (optional && !(item instanceof Optional)) throw new CelFailure('no such overload');
      if (optional && (item as Optional).value === undefined) continue;
      if (entries.has(name)) throw new CelFailure(`Failed with repeated key ${name}`);
      entries.set(name, optional ? ((item as Optional).value as CelValue) : item);
    }
    return new CelMap(entries);
  }

  private call(expr: Extract<Expr, { kind: 'call' }>, scope: Scope | undefined): CelValue {
    const macro = this.macro(expr, scope);
    if (macro !== undefined) return macro;
    const { name, target, args } = expr;
    if (target === undefined) {
      const values = args.map((arg) => this.eval(arg, scope));
      this.charge(1);
      return this.operate(name, values) ?? this.function(name, values);
    }
    const space = typeName(target);
    if (space !== undefined && NAMESPACES.has(space) && this.lookupVariable(space, scope) === undefined) {
      const values = args.map((arg) => this.eval(arg, scope));
      this.charge(1);
      return this.function(`${space}.${name}`, values);
    }
    const self = this.eval(target, scope);
    const values = args.map((arg) => this.eval(arg, scope));
    this.charge(1);
    if (self instanceof CelHost) {
      const answer = self.call(name, values);
      if (answer !== undefined) return answer;
    }
    const answer = callMethod(name, self, values, (amount) => this.charge(amount));
    if (answer === undefined)
      throw new CelFailure(`no such overload: ${typeOf(self)}.${name}(${values.map(typeOf).join(', ')})`);
    return answer;
  }

  private function(name: string, values: readonly CelValue[]): CelValue {
    const answer = callFunction(name, values, (amount) => this.charge(amount));
    if (answer === undefined) throw new CelFailure(`no such overload: ${name}(${values.map(typeOf).join(', ')})`);
    return answer;
  }

  private operate(name: string, values: readonly CelValue[]): CelValue | undefined {
    const [a, b] = values;
    if (a === undefined) return undefined;
    if (name === '!_') {
      if (typeof a !== 'boolean') throw new CelFailure('no such overload');
      return !a;
    }
    if (name === '-_') {
      if (typeof a === 'bigint') return checkedInt(-a);
      if (typeof a === 'number') return -a;
      if (a instanceof Duration) return new Duration(-a.nanos);
      throw new CelFailure('no such overload');
    }
    if (b === undefined) return undefined;
    switch (name) {
      case '_==_':
      case '_!=_':
        this.charge(sizeCost(a, b));
        return equals(a, b) === (name === '_==_');
      case '_<_':
      case '_<=_':
      case '_>_':
      case '_>=_':
        this.charge(sizeCost(a, b));
        return isOrdered(name, a, b);
      case '@in':
        return this.contains(a, b);
      case '_+_':
      case '_-_':
      case '_*_':
      case '_/_':
      case '_%_': {
        if (name === '_+_') this.charge(sizeCost(a, b) * 2);
        const out = arithmetic(name.charAt(1), a, b);
        if (out === undefined) throw new CelFailure('no such overload');
        return out instanceof Uint ? checkedUint(out.value) : out;
      }
      default:
        return undefined;
    }
  }

  private contains(item: CelValue, container: CelValue): boolean {
    if (isList(container)) {
      this.charge(container.length);
      return container.some((other) => equals(other, item));
    }
    if (isMap(container)) return lookup(container, item) !== undefined;
    throw new CelFailure('no such overload');
  }

  /** Macros: the call is no call but a loop, a test or a binding. */
  private macro(expr: Extract<Expr, { kind: 'call' }>, scope: Scope | undefined): CelValue | undefined {
    const { name, target, args } = expr;
    if (target === undefined) return name === 'has' && args.length === 1 ? this.has(args[0] as Expr, scope) : undefined;
    if (target.kind === 'ident' && target.name === 'cel' && name === 'bind' && args.length === 3) {
      const value = this.eval(args[1] as Expr, scope);
      return this.eval(args[2] as Expr, { name: identOf(args[0]) ?? '', value, parent: scope });
    }
    if (name === 'optMap' || name === 'optFlatMap') return this.optionalMap(expr, scope);
    const variable = identOf(args[0]);
    if (variable === undefined) return undefined;
    const second = identOf(args[1]);
    if (args.length === 2 || (args.length === 3 && name === 'map')) {
      return LOOPS.has(name) ? this.loop(name, target, [variable], args.slice(1), scope) : undefined;
    }
    if (
      second !== undefined &&
      TWO_VARIABLE_LOOPS.has(name) &&
      (args.length === 3 || (args.length === 4 && name.startsWith('transform')))
    ) {
      return this.loop(name, target, [variable, second], args.slice(2), scope);
    }
    return undefined;
  }

  private has(expr: Expr, scope: Scope | undefined): boolean {
    if (expr.kind !== 'select') throw new CelFailure('invalid argument to has() macro');
    this.demand(expr, scope);
    const operand = this.eval(expr.operand, scope);
    this.charge(1);
    const inner = operand instanceof Optional ? operand.value : operand;
    if (inner === undefined) return false;
    if (isMap(inner)) return lookup(inner, expr.field) !== undefined;
    return inner instanceof CelHost && inner.get(expr.field) !== undefined;
  }

  private optionalMap(expr: Extract<Expr, { kind: 'call' }>, scope: Scope | undefined): CelValue | undefined {
    const variable = identOf(expr.args[0]);
    if (variable === undefined || expr.args.length !== 2 || expr.target === undefined) return undefined;
    const target = this.eval(expr.target, scope);
    if (!(target instanceof Optional)) throw new CelFailure('no such overload');
    if (target.value === undefined) return target;
    const out = this.eval(expr.args[1] as Expr, { name: variable, value: target.value, parent: scope });
    return expr.name === 'optMap' ? new Optional(out) : out;
  }

  private loop(
    name: string,
    target: Expr,
    names: readonly string[],
    body: readonly Expr[],
    scope: Scope | undefined,
  ): CelValue {
    const range = this.eval(target, scope);
    const pairs = this.pairs(range);
    const [first = '', second] = names;
    const outer: Scope = { name: first, value: null, parent: scope };
    const inner: Scope = second === undefined ? outer : { name: second, value: null, parent: outer };
    const single = second === undefined;
    const filter = body.length === 2 ? body[0] : name === 'filter' ? body[0] : undefined;
    const result = body.at(-1) as Expr;
    const list: CelValue[] = [];
    const entries = new Map<string | boolean | bigint, CelValue>();
    let matches = 0;
    let failure: CelFailure | undefined;
    for (const [key, value] of pairs) {
      this.charge(1);
      outer.value = single ? (isMap(range) ? key : value) : key;
      if (!single) inner.value = value;
      switch (name) {
        case 'all':
        case 'exists':
          try {
            const held = this.truth(result, inner);
            if (held === (name === 'exists')) return held;
          } catch (error) {
            if (!(error instanceof CelFailure)) throw error;
            failure ??= error;
          }
          break;
        case 'exists_one':
        case 'existsOne':
          if (this.truth(result, inner)) matches++;
          break;
        case 'filter':
          if (this.truth(result, inner)) list.push(outer.value);
          break;
        case 'map':
        case 'transformList':
          if (filter === undefined || this.truth(filter, inner)) list.push(this.eval(result, inner));
          break;
        case 'transformMap':
          if (filter === undefined || this.truth(filter, inner))
            entries.set(mapKey(key) ?? '', this.eval(result, inner));
          break;
        default: {
          if (filter !== undefined && !this.truth(filter, inner)) break;
          const made = this.eval(result, inner);
          if (!isMap(made)) throw new CelFailure('no such overload');
          for (const made1 of keysOf(made)) {
            const own = mapKey(made1) ?? '';
            if (entries.has(own)) throw new CelFailure(`insert failed: key ${own} already exists`);
            entries.set(own, lookup(made, made1) ?? null);
          }
        }
      }
    }
    if (name === 'all' || name === 'exists') {
      if (failure !== undefined) throw failure;
      return name === 'all';
    }
    if (name === 'exists_one' || name === 'existsOne') return matches === 1;
    return name === 'transformMap' || name === 'transformMapEntry' ? new CelMap(entries) : list;
  }

  private truth(expr: Expr, scope: Scope): boolean {
    const value = this.eval(expr, scope);
    if (typeof value !== 'boolean') throw new CelFailure('no such overload');
    return value;
  }

  private pairs(range: CelValue): readonly (readonly [CelValue, CelValue])[] {
    spend(sizeOf(range));
    if (isList(range)) return range.map((item, index) => [BigInt(index), item] as const);
    if (isMap(range)) return keysOf(range).map((key) => [key, lookup(range, key) ?? null] as const);
    throw new CelFailure(`got '${typeOf(range)}', expected iterable type`);
  }
}

const LOOPS = new Set(['all', 'exists', 'exists_one', 'existsOne', 'filter', 'map']);
const TWO_VARIABLE_LOOPS = new Set([
  'all',
  'exists',
  'existsOne',
  'exists_one',
  'transformList',
  'transformMap',
  'transformMapEntry',
]);

function identOf(expr: Expr | undefined): string | undefined {
  return expr?.kind === 'ident' ? expr.name : undefined;
}

/** A tenth of a unit per compared byte or item. */
function sizeCost(a: CelValue, b: CelValue): number {
  const size = (value: CelValue): number =>
    typeof value === 'string' || value instanceof Uint8Array || isList(value) ? value.length : 1;
  return Math.min(size(a), size(b)) * 0.1;
}

import { type Expr, typeName } from '../../cel/parse.ts';
import type { Schema } from '../schema.ts';
import { type Errors, forbidden } from './field-checks.ts';

/** apiextensions-apiserver@0.34 validation.go: per expression, and for a whole schema. */
const EXPRESSION_LIMIT = 10_000_000;
const SCHEMA_LIMIT = 100_000_000;
/** A request's bytes, which bound what has no bound of its own. (apiserver pkg/cel/limits.go) */
const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
const HINT =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

interface Estimate {
  readonly cost: number;
  /** Most elements, characters or entries of the value. */
  readonly size: number;
  readonly schema: Schema | undefined;
  /** A list that a function made: nothing is known of its elements. */
  readonly list?: boolean;
}

/** Worst-case costs of a schema's rules, as cel-go's estimator bounds them: sizes times tenths, loops times bodies. */
export class CostEstimates {
  private total = 0;
  private readonly contributions: { readonly path: string; readonly cost: number }[] = [];

  listSize(schema: Schema): number {
    if (schema.maxItems !== undefined) return schema.maxItems;
    return Math.floor(MAX_REQUEST_BYTES / (leastBytes(schema.items) + 1));
  }

  mapSize(schema: Schema): number {
    if (schema.maxProperties !== undefined) return schema.maxProperties;
    const { additionalProperties } = schema;
    return Math.floor(
      MAX_REQUEST_BYTES / (leastBytes(typeof additionalProperties === 'object' ? additionalProperties : undefined) + 6),
    );
  }

  /** Adds an expression at `path`; one that is above the limit is an error there. */
  rule(
    errors: Errors,
    expr: Expr,
    schema: Schema,
    cardinality: number,
    path: string,
    what: 'rule' | 'messageExpression',
  ): void {
    const scope = new Map<string, Estimate>([
      ['self', this.valueOf(schema)],
      ['oldSelf', this.valueOf(schema)],
    ]);
    const cost = this.estimate(expr, scope).cost * cardinality;
    this.total += cost;
    this.contributions.push({ path, cost });
    if (cost > EXPRESSION_LIMIT)
      errors.push(
        forbidden(
          path,
          `estimated ${what} cost exceeds budget by factor of ${factor(cost / EXPRESSION_LIMIT)} ${HINT}`,
        ),
      );
  }

  /** What the whole schema's rules come to. */
  report(errors: Errors, path: string): void {
    if (this.total <= SCHEMA_LIMIT) return;
    for (const { path: at, cost } of this.contributions.toSorted((a, b) => b.cost - a.cost).slice(0, 4)) {
      if (cost > EXPRESSION_LIMIT)
        errors.push(
          forbidden(at, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'),
        );
    }
    errors.push(
      forbidden(
        path,
        `x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of ${factor(this.total / SCHEMA_LIMIT)} ${HINT}`,
      ),
    );
  }

  private valueOf(schema: Schema | undefined): Estimate {
    return { cost: 1, size: this.sizeOf(schema), schema };
  }

  private sizeOf(schema: Schema | undefined): number {
    switch (schema?.type) {
      case 'string':
        if (schema.enum !== undefined)
          return Math.max(...schema.enum.map((item) => (typeof item === 'string' ? item.length : 0)));
        if (schema.format === 'date-time' || schema.format === 'duration' || schema.format === 'date') return 32;
        // A character may take four bytes.
        return schema.maxLength === undefined ? MAX_REQUEST_BYTES - 2 : schema.maxLength * 4;
      case 'array':
        return this.listSize(schema);
      case 'object':
        return this.mapSize(schema);
      case 'boolean':
      case 'integer':
      case 'number':
        return 1;
      default:
        return MAX_REQUEST_BYTES;
    }
  }

  private estimate(expr: Expr, scope: ReadonlyMap<string, Estimate>): Estimate {
    const leaf = (size: number, cost = 0): Estimate => ({ cost, size, schema: undefined });
    switch (expr.kind) {
      case 'literal':
        return leaf(typeof expr.value === 'string' ? expr.value.length : 1);
      case 'uint':
      case 'bytes':
        return leaf(1);
      case 'ident':
        // Names of types are constants.
        return scope.get(expr.name) ?? leaf(MAX_REQUEST_BYTES);
      case 'select': {
        const operand = this.estimate(expr.operand, scope);
        const schema = operand.schema?.properties?.[expr.field] ?? elementOf(operand.schema);
        return { cost: operand.cost + 1, size: this.sizeOf(schema), schema };
      }
      case 'index': {
        const [operand, index] = [this.estimate(expr.operand, scope), this.estimate(expr.index, scope)];
        const schema = elementOf(operand.schema);
        return { cost: operand.cost + index.cost + 1, size: this.sizeOf(schema), schema };
      }
      case 'and':
      case 'or':
        return leaf(1, this.estimate(expr.left, scope).cost + this.estimate(expr.right, scope).cost);
      case 'ternary': {
        const [yes, no] = [this.estimate(expr.yes, scope), this.estimate(expr.no, scope)];
        return {
          cost: this.estimate(expr.condition, scope).cost + Math.max(yes.cost, no.cost),
          size: Math.max(yes.size, no.size),
          schema: yes.schema,
        };
      }
      case 'list':
        return {
          size: expr.items.length,
          cost: 10 + sum(expr.items.map(({ value }) => this.estimate(value, scope).cost)),
          schema: undefined,
          list: !expr.items.every(({ value }) => value.kind === 'literal' && typeof value.value !== 'string'),
        };
      case 'map':
        return leaf(
          expr.entries.length,
          30 +
            sum(
              expr.entries.map(({ key, value }) => this.estimate(key, scope).cost + this.estimate(value, scope).cost),
            ),
        );
      case 'struct':
        return leaf(expr.fields.length, 40 + sum(expr.fields.map(({ value }) => this.estimate(value, scope).cost)));
      case 'call':
        return this.call(expr, scope);
    }
  }

  private call(expr: Extract<Expr, { kind: 'call' }>, scope: ReadonlyMap<string, Estimate>): Estimate {
    const { name, target, args } = expr;
    // Asking for presence is free. (PresenceTestHasCost, apiserver@0.34 pkg/cel/environment/base.go)
    if (name === 'has' && target === undefined) return { cost: 0, size: 1, schema: undefined };
    if (target !== undefined && LOOPS.has(name) && args[0]?.kind === 'ident') return this.loop(expr, target, scope);
    const spaced =
      target !== undefined &&
      typeName(target) !== undefined &&
      scope.get(typeName(target)?.split('.')[0] ?? '') === undefined;
    const self = target === undefined || spaced ? undefined : this.estimate(target, scope);
    const values = args.map((arg) => this.estimate(arg, scope));
    const all = self === undefined ? values : [self, ...values];
    const base = sum(all.map(({ cost }) => cost));
    const [first, second] = all;
    const size = first?.size ?? 1;
    const other = second?.size ?? 1;
    switch (name) {
      case '_==_':
      case '_!=_':
      case '_<_':
      case '_<=_':
      case '_>_':
      case '_>=_':
        return { cost: base + Math.max(1, Math.ceil(Math.min(size, other) * 0.1)), size: 1, schema: undefined };
      case '@in':
        return {
          cost: base + (second?.schema?.type === 'object' ? 1 : other),
          size: 1,
          schema: undefined,
        };
      case '_+_': {
        const text = [first, second].some(
          (value) => value !== undefined && (value.size > 1 || value.schema?.type === 'string'),
        );
        return { cost: base + (text ? Math.ceil((size + other) * 0.1) : 1), size: size + other, schema: undefined };
      }
      case 'matches':
        return { cost: base + Math.ceil((1 + size) * 0.1) * Math.ceil(other * 0.25), size: 1, schema: undefined };
      case 'string':
        // What a conversion makes has no known bound.
        return {
          cost: base + 1,
          size: first?.schema?.type === 'string' ? size : Number.POSITIVE_INFINITY,
          schema: undefined,
        };
      case 'startsWith':
      case 'endsWith':
        return { cost: base + Math.ceil(other * 0.1), size: 1, schema: undefined };
      case 'lowerAscii':
      case 'upperAscii':
      case 'substring':
      case 'trim':
      case 'url':
        return { cost: base + Math.ceil(size * 0.1), size, schema: undefined };
      case 'format':
        return { cost: base + 1, size: Number.POSITIVE_INFINITY, schema: undefined };
      case 'quote':
        return { cost: base + Math.ceil(size * 0.1), size: Number.POSITIVE_INFINITY, schema: undefined };
      case 'bytes':
        return { cost: base + Math.ceil(size * 0.1), size, schema: undefined };
      case 'contains':
        if (target?.kind === 'ident' && target.name === 'sets')
          return { cost: base + size * other + 1, size: 1, schema: undefined };
        return { cost: base + Math.ceil(size * 0.1) * Math.ceil(other * 0.1), size: 1, schema: undefined };
      case 'equivalent':
      case 'intersects':
        return { cost: base + size * other + 1, size: 1, schema: undefined };
      case 'split': {
        const limit = args[1]?.kind === 'literal' && typeof args[1].value === 'bigint' ? Number(args[1].value) : size;
        return { cost: base + Math.ceil(size * 0.2), size: limit, schema: undefined, list: true };
      }
      case 'replace':
        return { cost: base + Math.ceil(size * 0.2), size: replaced(size, args, values), schema: undefined };
      case 'join': {
        const whole = size * (elementSize(first, (schema) => this.sizeOf(schema)) ?? 1) + Math.max(0, size - 1) * other;
        const shown = second === undefined ? size * (elementSize(first, (schema) => this.sizeOf(schema)) ?? 1) : whole;
        return { cost: base + Math.ceil(shown * 0.1), size: shown, schema: undefined };
      }
      case 'find':
      case 'findAll':
        return {
          cost: base + Math.ceil((1 + size) * 0.1) * Math.ceil(other * 0.25),
          size,
          schema: undefined,
          list: name === 'findAll',
        };
      case 'sum':
      case 'min':
      case 'max':
      case 'isSorted':
      case 'indexOf':
      case 'lastIndexOf': {
        if (first?.schema?.type === 'string' || (first?.schema === undefined && first?.list === undefined))
          return { cost: base + Math.ceil(size * 0.1), size: 1, schema: undefined };
        const element = elementOf(first?.schema);
        const text = first?.list === true || element?.type === 'string';
        const each = text
          ? 1 + Math.ceil((first?.list === true ? Number.POSITIVE_INFINITY : this.sizeOf(element)) * 0.1)
          : 1;
        return { cost: base + size * each, size: 1, schema: undefined };
      }
      case 'quantity':
      case 'isQuantity':
      case 'semver':
      case 'isSemver':
      case 'cidr':
      case 'isIP':
      case 'isCIDR':
      case 'ip':
        if (self !== undefined) return { cost: base + 1, size: 1, schema: undefined };
        return { cost: base + Math.ceil(size * 0.1), size: 1, schema: undefined };
      case 'isCanonical':
        return { cost: base + Math.ceil(size * 0.2), size: 1, schema: undefined };
      case 'containsIP':
        return { cost: base + 4 + Math.ceil(stringSize(args[0], other) * 0.1), size: 1, schema: undefined };
      case 'containsCIDR':
        return { cost: base + 7 + Math.ceil(stringSize(args[0], other) * 0.1), size: 1, schema: undefined };
      case 'validate':
        // The longest pattern of a format has 128 characters, a quarter of which count. (apiserver@0.34 pkg/cel/format.go)
        return { cost: base + Math.ceil(Math.ceil(other * 0.1) * 32), size: 1, schema: undefined };
      default:
        return { cost: base + 1, size: self?.size ?? 1, schema: undefined };
    }
  }

  private loop(expr: Extract<Expr, { kind: 'call' }>, target: Expr, scope: ReadonlyMap<string, Estimate>): Estimate {
    const range = this.estimate(target, scope);
    const element = elementOf(range.schema);
    const isMap = range.schema?.type === 'object';
    const inner = new Map(scope);
    const item: Estimate = isMap
      ? // A key has no declared length, which counts as none.
        { cost: 1, size: 0, schema: { type: 'string' } }
      : { cost: 1, size: range.list === true ? Number.POSITIVE_INFINITY : this.sizeOf(element), schema: element };
    const names = expr.args.filter((arg) => arg.kind === 'ident').slice(0, 2);
    for (const name of names) if (name.kind === 'ident') inner.set(name.name, item);
    const two = expr.args[1]?.kind === 'ident' && expr.args.length > 2 && expr.name !== 'map';
    const body = sum(expr.args.slice(two ? 2 : 1).map((arg) => this.estimate(arg, inner).cost));
    const cost = range.cost + range.size * (body + (STEPS[expr.name] ?? 2));
    const kept = expr.name === 'filter';
    return {
      cost,
      size: range.size,
      schema: kept ? range.schema : undefined,
      list: (kept && range.list === true) || expr.name === 'map' || expr.name === 'transformList',
    };
  }
}

/** What a round costs beside its body: reading and growing what is made. (cel-go@0.26 parser/macro.go, checker/cost.go) */
const STEPS: { readonly [name: string]: number } = {
  all: 3,
  exists: 4,
  exists_one: 2,
  existsOne: 2,
  filter: 13,
  map: 12,
  transformList: 12,
  transformMap: 3,
  transformMapEntry: 2,
};

/** Most characters of `text.replace(from, to)`. (apiserver@0.34 pkg/cel/library/cost.go) */
function replaced(size: number, args: readonly Expr[], values: readonly Estimate[]): number {
  const [from] = args;
  const least = from?.kind === 'literal' && typeof from.value === 'string' ? from.value.length : 0;
  const most = values[1]?.size ?? 0;
  if (least === 0) return (size + 1) * most + size;
  return most <= least ? size : Math.ceil(size / least) * most;
}

/** Most characters of an element of a list of text; undefined for other lists. */
function elementSize(list: Estimate | undefined, sizeOf: (schema: Schema | undefined) => number): number | undefined {
  if (list?.list === true) return Number.POSITIVE_INFINITY;
  const element = elementOf(list?.schema);
  return element?.type === 'string' ? sizeOf(element) : undefined;
}

/** Only text has to be parsed. */
function stringSize(expr: Expr | undefined, size: number): number {
  return expr?.kind === 'call' ? 0 : size;
}

const LOOPS = new Set([
  'all',
  'exists',
  'exists_one',
  'existsOne',
  'filter',
  'map',
  'transformList',
  'transformMap',
  'transformMapEntry',
]);

function elementOf(schema: Schema | undefined): Schema | undefined {
  if (schema?.items !== undefined) return schema.items;
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** The fewest bytes that JSON of a value takes. (apiserver pkg/cel/common/schemas.go estimateMinSizeJSON) */
function leastBytes(schema: Schema | undefined): number {
  switch (schema?.type) {
    case 'boolean':
      return 4;
    case 'integer':
    case 'number':
      return 1;
    case 'object':
      return (
        2 +
        (schema.required ?? []).reduce(
          (bytes, name) => bytes + name.length + 4 + leastBytes(schema.properties?.[name]),
          0,
        )
      );
    default:
      return 2;
  }
}

/** Below 1.5 with more digits, lest it reads as if nothing were exceeded. (validation.go exceedsFactor) */
function factor(value: number): string {
  if (value > 100) return 'more than 100x';
  return value < 1.5 ? `${value.toFixed(6)}x` : `${value.toFixed(1)}x`;
}

import { propertySchema } from '../schema/schema.ts';
import { isFunction, isMethod, NAMESPACES } from './functions.ts';
import { type Expr, typeName } from './parse.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  compatible,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  join,
  list,
  map,
  NULL,
  opaque,
  optional,
  printType,
  STRING,
  TIMESTAMP,
  TYPE,
  typeOfSchema,
  UINT,
} from './types.ts';
import { unescapeName } from './values.ts';

export interface TypeProblem {
  readonly message: string;
  readonly offset: number;
}

/** Names and their types; what is not here is undeclared. */
export type Declarations = ReadonlyMap<string, CelType>;

/**
 * Checks an expression against declared variables: unknown names and fields, and operands that fit no overload where both are known.
 * Where a type is not known (`dyn`) nothing is said.
 */
export function checkExpr(
  expr: Expr,
  declarations: Declarations,
): { readonly type: CelType; readonly problems: readonly TypeProblem[] } {
  const checker = new Checker(declarations);
  const type = checker.visit(expr, undefined);
  return { type, problems: checker.problems };
}

interface Scope {
  readonly name: string;
  readonly type: CelType;
  readonly parent: Scope | undefined;
}

const QUANTITY = opaque('kubernetes.Quantity');
const URL = opaque('kubernetes.URL');
const IP = opaque('net.IP');
const CIDR = opaque('net.CIDR');
const SEMVER = opaque('kubernetes.Semver');
const FORMAT = opaque('kubernetes.NamedFormat');

/** Results of functions, whatever the operands. */
const RESULTS: { readonly [name: string]: CelType } = {
  int: INT,
  uint: UINT,
  double: DOUBLE,
  bool: BOOL,
  string: STRING,
  bytes: BYTES,
  dyn: DYN,
  type: TYPE,
  timestamp: TIMESTAMP,
  duration: DURATION,
  size: INT,
  matches: BOOL,
  contains: BOOL,
  startsWith: BOOL,
  endsWith: BOOL,
  find: STRING,
  findAll: list(STRING),
  charAt: STRING,
  indexOf: INT,
  lastIndexOf: INT,
  lowerAscii: STRING,
  upperAscii: STRING,
  replace: STRING,
  split: list(STRING),
  substring: STRING,
  trim: STRING,
  format: STRING,
  join: STRING,
  isSorted: BOOL,
  hasValue: BOOL,
  quantity: QUANTITY,
  isQuantity: BOOL,
  url: URL,
  isURL: BOOL,
  ip: IP,
  isIP: BOOL,
  cidr: CIDR,
  isCIDR: BOOL,
  semver: SEMVER,
  isSemver: BOOL,
  isGreaterThan: BOOL,
  isLessThan: BOOL,
  compareTo: INT,
  isInteger: BOOL,
  asInteger: INT,
  asApproximateFloat: DOUBLE,
  sign: INT,
  getScheme: STRING,
  getHost: STRING,
  getHostname: STRING,
  getPort: STRING,
  getEscapedPath: STRING,
  getQuery: map(STRING, list(STRING)),
  family: INT,
  isUnspecified: BOOL,
  isLoopback: BOOL,
  isLinkLocalMulticast: BOOL,
  isLinkLocalUnicast: BOOL,
  isGlobalUnicast: BOOL,
  containsIP: BOOL,
  containsCIDR: BOOL,
  masked: CIDR,
  prefixLength: INT,
  major: INT,
  minor: INT,
  patch: INT,
  validate: optional(list(STRING)),
  'format.named': optional(FORMAT),
  'sets.contains': BOOL,
  'sets.equivalent': BOOL,
  'sets.intersects': BOOL,
  'strings.quote': STRING,
  'base64.encode': STRING,
  'base64.decode': BYTES,
  'ip.isCanonical': BOOL,
  'lists.range': list(INT),
  getFullYear: INT,
  getMonth: INT,
  getDate: INT,
  getDayOfMonth: INT,
  getDayOfWeek: INT,
  getDayOfYear: INT,
  getHours: INT,
  getMinutes: INT,
  getSeconds: INT,
  getMilliseconds: INT,
};

/** Methods that only strings have, with the types of their first arguments. */
const STRING_METHODS: { readonly [name: string]: readonly CelType[] } = {
  contains: [STRING],
  startsWith: [STRING],
  endsWith: [STRING],
  matches: [STRING],
  find: [STRING],
  charAt: [INT],
  lowerAscii: [],
  upperAscii: [],
  replace: [STRING, STRING],
  split: [STRING],
  substring: [INT],
  trim: [],
};

class Checker {
  readonly problems: TypeProblem[] = [];
  private readonly declarations: Declarations;
  constructor(declarations: Declarations) {
    this.declarations = declarations;
  }

  private say(message: string, offset: number): CelType {
    this.problems.push({ message, offset });
    return DYN;
  }

  private known(name: string, scope: Scope | undefined): CelType | undefined {
    for (let level = scope; level !== undefined; level = level.parent) if (level.name === name) return level.type;
    return this.declarations.get(name);
  }

  visit(expr: Expr, scope: Scope | undefined): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value);
      case 'uint':
        return UINT;
      case 'bytes':
        return BYTES;
      case 'ident':
        return (
          this.known(expr.name, scope) ??
          (TYPE_NAMES.has(expr.name)
            ? TYPE
            : this.say(`undeclared reference to '${expr.name}' (in container '')`, expr.offset))
        );
      case 'select':
        return this.select(expr, scope);
      case 'index':
        return this.index(expr, scope);
      case 'and':
      case 'or': {
        const [left, right] = [this.visit(expr.left, scope), this.visit(expr.right, scope)];
        if (!compatible(left, BOOL) || !compatible(right, BOOL))
          this.noOverload(expr.kind === 'and' ? '_&&_' : '_||_', [left, right], expr.offset);
        return BOOL;
      }
      case 'ternary': {
        const condition = this.visit(expr.condition, scope);
        const [yes, no] = [this.visit(expr.yes, scope), this.visit(expr.no, scope)];
        if (!compatible(condition, BOOL) || !compatible(yes, no))
          return this.noOverload('_?_:_', [condition, yes, no], expr.offset);
        return join(yes, no);
      }
      case 'list': {
        const types = expr.items.map(({ value }) => this.visit(value, scope));
        return list(types.length === 0 ? DYN : types.reduce(join));
      }
      case 'map': {
        const keys = expr.entries.map(({ key }) => this.visit(key, scope));
        const values = expr.entries.map(({ value }) => this.visit(value, scope));
        return map(keys.length === 0 ? DYN : keys.reduce(join), values.length === 0 ? DYN : values.reduce(join));
      }
      case 'struct':
        for (const { value } of expr.fields) this.visit(value, scope);
        return DYN;
      case 'call':
        return this.call(expr, scope);
    }
  }

  private select(expr: Extract<Expr, { kind: 'select' }>, scope: Scope | undefined): CelType {
    const qualified = typeName(expr);
    if (qualified !== undefined && TYPE_NAMES.has(qualified)) return TYPE;
    const operand = this.visit(expr.operand, scope);
    const found = this.field(operand, expr.field, expr.offset);
    return expr.optional && found.kind !== 'optional' ? optional(found) : found;
  }

  private field(type: CelType, name: string, offset: number): CelType {
    switch (type.kind) {
      case 'dyn':
        return DYN;
      case 'optional': {
        const inner = this.field(type.value, name, offset);
        return inner.kind === 'optional' ? inner : optional(inner);
      }
      case 'map':
        return type.value;
      case 'struct':
        return Object.hasOwn(type.fields, name)
          ? (type.fields[name] as CelType)
          : this.say(`undefined field '${name}'`, offset);
      case 'object': {
        const plain = unescapeName(name);
        if (type.resource) {
          if (plain === 'apiVersion' || plain === 'kind') return STRING;
          if (plain === 'metadata') return META;
        }
        const schema = propertySchema(type.schema, plain, type.resolve);
        if (schema !== undefined) return typeOfSchema(schema, type.resolve);
        return this.say(`undefined field '${name}'`, offset);
      }
      default:
        return this.say(`type '${printType(type)}' does not support field selection`, offset);
    }
  }

  private index(expr: Extract<Expr, { kind: 'index' }>, scope: Scope | undefined): CelType {
    const operand = this.visit(expr.operand, scope);
    const index = this.visit(expr.index, scope);
    const inner = operand.kind === 'optional' ? operand.value : operand;
    const wrap = (type: CelType): CelType => (expr.optional || operand.kind === 'optional' ? optional(type) : type);
    if (inner.kind === 'list')
      return compatible(index, INT) ? wrap(inner.item) : this.noOverload('_[_]', [operand, index], expr.offset);
    if (inner.kind === 'map')
      return compatible(index, inner.key) ? wrap(inner.value) : this.noOverload('_[_]', [operand, index], expr.offset);
    if (inner.kind === 'dyn' || inner.kind === 'object') return DYN;
    return this.noOverload('_[_]', [operand, index], expr.offset);
  }

  private noOverload(name: string, args: readonly CelType[], offset: number, target?: CelType): CelType {
    const head = target === undefined ? '' : `${printType(target)}.`;
    return this.say(
      `found no matching overload for '${name}' applied to '${head}(${args.map(printType).join(', ')})'`,
      offset,
    );
  }

  private call(expr: Extract<Expr, { kind: 'call' }>, scope: Scope | undefined): CelType {
    const macro = this.macro(expr, scope);
    if (macro !== undefined) return macro;
    const { name, target, args, offset } = expr;
    const space = target === undefined ? undefined : typeName(target);
    if (
      target === undefined ||
      (space !== undefined && NAMESPACES.has(space) && this.known(space, scope) === undefined)
    ) {
      const types = args.map((arg) => this.visit(arg, scope));
      if (/^(?:_.+_|!_|-_|@in)$/.test(name) && target === undefined) return this.operator(name, types, offset);
      const qualified = space === undefined ? name : `${space}.${name}`;
      if (!isFunction(qualified)) return this.say(`undeclared reference to '${qualified}' (in container '')`, offset);
      return this.result(qualified, types);
    }
    const self = this.visit(target, scope);
    const types = args.map((arg) => this.visit(arg, scope));
    if (self.kind === 'dyn')
      return RESULTS[name] !== undefined && isMethod(name) ? this.memberResult(name, self, types) : DYN;
    if (!isMethod(name)) return this.say(`undeclared reference to '${name}' (in container '')`, offset);
    const wanted = Object.hasOwn(STRING_METHODS, name) ? STRING_METHODS[name] : undefined;
    if (
      wanted !== undefined &&
      (!compatible(self, STRING) ||
        types.length < wanted.length ||
        wanted.some((type, position) => !compatible(types[position] ?? DYN, type)))
    ) {
      return this.noOverload(name, types, offset, self);
    }
    return this.memberResult(name, self, types);
  }

  private memberResult(name: string, self: CelType, args: readonly CelType[]): CelType {
    switch (name) {
      case 'value':
      case 'orValue':
        return self.kind === 'optional' ? self.value : DYN;
      case 'or':
        return self;
      case 'ip':
        return IP;
      case 'add':
      case 'sub':
        return QUANTITY;
      case 'min':
      case 'max':
      case 'sum':
        return self.kind === 'list' ? self.item : DYN;
      case 'distinct':
      case 'sort':
      case 'slice':
      case 'reverse':
        return self;
      default:
        return this.result(name, args);
    }
  }

  private result(name: string, args: readonly CelType[]): CelType {
    if (name === 'optional.of' || name === 'optional.ofNonZeroValue') return optional(args[0] ?? DYN);
    if (name === 'optional.none') return optional(DYN);
    if (name.startsWith('format.') && name !== 'format.named') return FORMAT;
    return Object.hasOwn(RESULTS, name) ? (RESULTS[name] ?? DYN) : DYN;
  }

  private operator(name: string, types: readonly CelType[], offset: number): CelType {
    const [a = DYN, b = DYN] = types;
    const refuse = (): CelType => this.noOverload(name, types, offset);
    switch (name) {
      case '!_':
        return compatible(a, BOOL) ? BOOL : refuse();
      case '-_':
        return a.kind === 'dyn' || isNumber(a) ? a : refuse();
      case '_==_':
      case '_!=_':
        return compatible(a, b) ? BOOL : refuse();
      case '_<_':
      case '_<=_':
      case '_>_':
      case '_>=_':
        return a.kind === 'dyn' ||
          b.kind === 'dyn' ||
          (isNumber(a) && isNumber(b)) ||
          (compatible(a, b) && isOrdered(a))
          ? BOOL
          : refuse();
      case '@in':
        if (b.kind === 'list') return compatible(a, b.item) ? BOOL : refuse();
        if (b.kind === 'map') return compatible(a, b.key) ? BOOL : refuse();
        return b.kind === 'dyn' || b.kind === 'object' ? BOOL : refuse();
      default:
        return this.arithmetic(name, a, b) ?? refuse();
    }
  }

  private arithmetic(name: string, a: CelType, b: CelType): CelType | undefined {
    if (a.kind === 'dyn' || b.kind === 'dyn') return DYN;
    const [x, y] = [printType(a), printType(b)];
    if (isNumber(a) && x === y) return name === '_%_' && x === 'double' ? undefined : a;
    if (name === '_+_') {
      if (x === y && (x === 'string' || x === 'bytes' || a === DURATION)) return a;
      if (a.kind === 'list' && b.kind === 'list') return compatible(a, b) ? list(join(a.item, b.item)) : undefined;
      if ((a === TIMESTAMP && b === DURATION) || (a === DURATION && b === TIMESTAMP)) return TIMESTAMP;
    }
    if (name === '_-_') {
      if (a === TIMESTAMP && b === TIMESTAMP) return DURATION;
      if (b === DURATION && (a === TIMESTAMP || a === DURATION)) return a;
    }
    return undefined;
  }

  private macro(expr: Extract<Expr, { kind: 'call' }>, scope: Scope | undefined): CelType | undefined {
    const { name, target, args, offset } = expr;
    if (target === undefined) {
      if (name !== 'has' || args.length !== 1) return undefined;
      if (args[0]?.kind !== 'select') return this.say('invalid argument to has() macro', offset);
      this.visit(args[0], scope);
      return BOOL;
    }
    const first = args[0]?.kind === 'ident' ? args[0].name : undefined;
    if (first === undefined) return undefined;
    if (target.kind === 'ident' && target.name === 'cel' && name === 'bind' && args.length === 3) {
      const type = this.visit(args[1] as Expr, scope);
      return this.visit(args[2] as Expr, { name: first, type, parent: scope });
    }
    if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
      const self = this.visit(target, scope);
      const inner = this.visit(args[1] as Expr, {
        name: first,
        type: self.kind === 'optional' ? self.value : DYN,
        parent: scope,
      });
      return name === 'optMap' ? optional(inner) : inner;
    }
    const second = args[1]?.kind === 'ident' ? args[1].name : undefined;
    const one = ONE_VARIABLE.has(name) && (args.length === 2 || (args.length === 3 && name === 'map'));
    const two = !one && second !== undefined && TWO_VARIABLES.has(name) && args.length >= 3 && args.length <= 4;
    if (!one && !two) return undefined;
    const range = this.visit(target, scope);
    if (range.kind === 'simple' || range.kind === 'optional') {
      return this.say(
        `expression of type '${printType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        target.offset,
      );
    }
    const key = range.kind === 'map' ? range.key : range.kind === 'list' ? INT : range.kind === 'object' ? STRING : DYN;
    const value = range.kind === 'map' ? range.value : range.kind === 'list' ? range.item : DYN;
    let inner: Scope = { name: first, type: one && range.kind === 'list' ? value : key, parent: scope };
    if (two) inner = { name: second as string, type: value, parent: inner };
    const types = args.slice(two ? 2 : 1).map((arg) => this.visit(arg, inner));
    const result = types.at(-1) ?? DYN;
    if (name === 'map' || name === 'transformList') return list(result);
    if (name === 'transformMap') return map(key, result);
    if (name === 'transformMapEntry') return map(DYN, DYN);
    if (!compatible(result, BOOL)) this.noOverload('_&&_', [BOOL, result], offset);
    return name === 'filter' ? list(range.kind === 'list' ? value : key) : BOOL;
  }
}

const META: CelType = {
  kind: 'object',
  schema: { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } },
  resolve: () => undefined,
  resource: false,
};
const TYPE_NAMES = new Set([
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
]);
const ONE_VARIABLE = new Set(['all', 'exists', 'exists_one', 'existsOne', 'filter', 'map']);
const TWO_VARIABLES = new Set([
  'all',
  'exists',
  'existsOne',
  'exists_one',
  'transformList',
  'transformMap',
  'transformMapEntry',
]);

function literalType(value: null | boolean | bigint | number | string): CelType {
  if (value === null) return NULL;
  return typeof value === 'boolean'
    ? BOOL
    : typeof value === 'bigint'
      ? INT
      : typeof value === 'number'
        ? DOUBLE
        : STRING;
}

function isNumber(type: CelType): boolean {
  return type.kind === 'simple' && (type.name === 'int' || type.name === 'uint' || type.name === 'double');
}

function isOrdered(type: CelType): boolean {
  return (
    type.kind === 'simple' &&
    ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration', 'null'].includes(type.name)
  );
}

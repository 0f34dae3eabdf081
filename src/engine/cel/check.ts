import { propertySchema } from '../schema/schema.ts';
import { type Expr, typeName } from './parse.ts';
import { type Libraries, signatures } from './signatures.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  ERROR,
  INT,
  list,
  map,
  NULL,
  opaque,
  optional,
  parameter,
  printType,
  STRING,
  TIMESTAMP,
  typeOfSchema,
  typeOfType,
  UINT,
} from './types.ts';
import { assignable, mostGeneral, Substitutions, substitute } from './unify.ts';
import { unescapeName } from './values.ts';

export interface TypeProblem {
  readonly message: string;
  readonly offset: number;
}

/** Names and their types; what is not here is undeclared. A name may hold dots. */
export type Declarations = ReadonlyMap<string, CelType>;

/**
 * Checks an expression against declared variables and the functions of its libraries: unknown names and fields, operands that fit no
 * overload, lists and maps of mixed types. (cel-go@0.26 checker/checker.go)
 */
export function checkExpr(
  expr: Expr,
  declarations: Declarations,
  libraries: Libraries = 'all',
): { readonly type: CelType; readonly problems: readonly TypeProblem[]; typeOf(part: Expr): CelType } {
  const checker = new Checker(declarations, libraries);
  const type = checker.visit(expr, undefined);
  return {
    type: checker.resolved(type),
    problems: checker.problems,
    typeOf: (part) => checker.resolved(checker.types.get(part) ?? DYN),
  };
}

interface Scope {
  readonly name: string;
  readonly type: CelType;
  readonly parent: Scope | undefined;
}

type Call = Extract<Expr, { kind: 'call' }>;

class Checker {
  readonly problems: TypeProblem[] = [];
  readonly types = new Map<Expr, CelType>();
  private readonly declarations: Declarations;
  private readonly libraries: Libraries;
  private found = new Substitutions();
  private made = 0;

  constructor(declarations: Declarations, libraries: Libraries) {
    this.declarations = declarations;
    this.libraries = libraries;
  }

  resolved(type: CelType): CelType {
    return substitute(this.found, type, 'dyn');
  }

  private say(message: string, offset: number): CelType {
    this.problems.push({ message, offset });
    return ERROR;
  }

  private fresh(): CelType {
    return parameter(`_var${this.made++}`);
  }

  private fits(given: CelType, wanted: CelType): boolean {
    const found = assignable(this.found, [given], [wanted]);
    if (found !== undefined) this.found = found;
    return found !== undefined;
  }

  private local(name: string, scope: Scope | undefined): CelType | undefined {
    for (let level = scope; level !== undefined; level = level.parent) if (level.name === name) return level.type;
    return undefined;
  }

  private known(name: string, scope: Scope | undefined): CelType | undefined {
    const type = this.local(name, scope) ?? this.declarations.get(name);
    if (type !== undefined) return type;
    return Object.hasOwn(TYPE_NAMES, name) ? typeOfType(TYPE_NAMES[name] as CelType) : undefined;
  }

  visit(expr: Expr, scope: Scope | undefined): CelType {
    const type = this.typeOf(expr, scope);
    this.types.set(expr, type);
    return type;
  }

  private typeOf(expr: Expr, scope: Scope | undefined): CelType {
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
          this.say(`undeclared reference to '${expr.name}' (in container '')`, expr.offset)
        );
      case 'select':
        return this.select(expr, scope);
      case 'index': {
        const types = [this.visit(expr.operand, scope), this.visit(expr.index, scope)];
        return this.resolve(expr.optional ? '_[?_]' : '_[_]', types, false, expr.offset);
      }
      case 'and':
      case 'or':
        return this.logical(expr, scope);
      case 'ternary': {
        const types = [expr.condition, expr.yes, expr.no].map((part) => this.visit(part, scope));
        return this.resolve('_?_:_', types, false, expr.offset);
      }
      case 'list': {
        let type: CelType | undefined;
        for (const { value, optional: mayLack } of expr.items)
          type = this.join(type, this.element(this.visit(value, scope), mayLack, value.offset));
        return list(type ?? this.fresh());
      }
      case 'map':
        return this.mapType(expr, scope);
      case 'struct':
        return this.struct(expr, scope);
      case 'call':
        return this.call(expr, scope);
    }
  }

  private struct({ type, fields, offset }: Extract<Expr, { kind: 'struct' }>, scope: Scope | undefined): CelType {
    const made = this.libraries === 'mutations' ? mutationType(type) : undefined;
    for (const one of fields) {
      const given = this.element(this.visit(one.value, scope), one.optional, one.value.offset);
      if (made === undefined) continue;
      const wanted = made.fieldOf(one.name);
      if (wanted === undefined || !this.fits(given, wanted))
        this.say(
          `expected type of field '${one.name}' is '${wanted === undefined ? '' : printType(wanted)}' but provided type is '${printType(this.resolved(given))}'`,
          one.offset,
        );
    }
    if (made !== undefined) return made.type;
    return Object.hasOwn(TYPE_NAMES, type)
      ? (TYPE_NAMES[type] as CelType)
      : this.say(`undeclared reference to '${type}' (in container '')`, offset);
  }

  private mapType(expr: Extract<Expr, { kind: 'map' }>, scope: Scope | undefined): CelType {
    let [keyType, valueType]: [CelType | undefined, CelType | undefined] = [undefined, undefined];
    for (const { key, value, optional: mayLack } of expr.entries) {
      keyType = this.join(keyType, this.visit(key, scope));
      valueType = this.join(valueType, this.element(this.visit(value, scope), mayLack, value.offset));
    }
    return map(keyType ?? this.fresh(), valueType ?? this.fresh());
  }

  /** The type that an optional entry adds. */
  private element(type: CelType, mayLack: boolean, offset: number): CelType {
    if (!mayLack) return type;
    const own = substitute(this.found, type, 'keep');
    if (own.kind === 'optional') return own.value;
    if (own.kind !== 'dyn') this.mismatch(optional(own), own, offset);
    return own;
  }

  private join(before: CelType | undefined, type: CelType): CelType {
    if (before === undefined) return type;
    return this.fits(before, type) ? mostGeneral(before, type) : DYN;
  }

  private mismatch(wanted: CelType, given: CelType, offset: number): CelType {
    return this.say(`expected type '${printType(wanted)}' but found '${printType(given)}'`, offset);
  }

  private logical(expr: Extract<Expr, { kind: 'and' | 'or' }>, scope: Scope | undefined): CelType {
    // Chains are one call with many operands: all are looked at before one is found wrong.
    const operands: Expr[] = [];
    const collect = (part: Expr): void => {
      if (part.kind === expr.kind) {
        collect(part.left);
        collect(part.right);
      } else operands.push(part);
    };
    collect(expr);
    const types = operands.map((operand) => this.visit(operand, scope));
    let wrong = false;
    operands.forEach((operand, index) => {
      const type = types[index] as CelType;
      if (this.fits(type, BOOL)) return;
      this.mismatch(BOOL, type, operand.offset);
      wrong = true;
    });
    return wrong ? ERROR : BOOL;
  }

  private select(expr: Extract<Expr, { kind: 'select' }>, scope: Scope | undefined): CelType {
    const qualified = typeName(expr);
    const known = qualified === undefined ? undefined : this.known(qualified, scope);
    if (known !== undefined) return known;
    return this.field(expr, scope);
  }

  private field(expr: Extract<Expr, { kind: 'select' }>, scope: Scope | undefined): CelType {
    const type = substitute(this.found, this.visit(expr.operand, scope), 'keep');
    const target = type.kind === 'optional' ? type.value : type;
    const found = this.fieldOf(target, expr.field, expr.offset);
    return type.kind === 'optional' || expr.optional ? optional(found) : found;
  }

  private fieldOf(type: CelType, name: string, offset: number): CelType {
    switch (type.kind) {
      case 'dyn':
      case 'error':
        return DYN;
      case 'parameter':
        this.fits(DYN, type);
        return DYN;
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
        return schema === undefined
          ? this.say(`undefined field '${name}'`, offset)
          : typeOfSchema(schema, type.resolve);
      }
      default:
        this.say(
          type.kind === 'simple' && type.name.includes('.')
            ? `unexpected failed resolution of '${type.name}'`
            : `type '${printType(type)}' does not support field selection`,
          offset,
        );
        return DYN;
    }
  }

  private call(expr: Call, scope: Scope | undefined): CelType {
    const macro = this.macro(expr, scope);
    if (macro !== undefined) return macro;
    const { name, target, args, offset } = expr;
    const types = args.map((arg) => this.visit(arg, scope));
    if (target === undefined) return this.resolve(name, types, false, offset);
    const space = typeName(target);
    if (space !== undefined && signatures(this.libraries).has(`${space}.${name}`))
      return this.resolve(`${space}.${name}`, types, false, offset);
    const self = this.visit(target, scope);
    return this.resolve(name, [self, ...types], true, offset);
  }

  /** The result of the overloads that fit; `dyn` when they differ. */
  private resolve(name: string, args: readonly CelType[], member: boolean, offset: number): CelType {
    const overloads = signatures(this.libraries).get(name);
    if (overloads === undefined) return this.say(`undeclared reference to '${name}' (in container '')`, offset);
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.member !== member) continue;
      const names = new Map<string, CelType>();
      const wanted = overload.args.map((type) => this.instance(type, names));
      const own = this.instance(overload.result, names);
      const found = assignable(this.found, args, wanted);
      if (found === undefined) continue;
      this.found = found;
      const type = substitute(this.found, own, 'keep');
      if (result === undefined) result = type;
      else if (result.kind !== 'dyn' && printType(type) !== printType(result)) result = DYN;
    }
    if (result !== undefined) return result;
    const shown = args.map((type) => printType(this.resolved(type)));
    const call = member ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`;
    return this.say(`found no matching overload for '${name}' applied to '${call}'`, offset);
  }

  /** An overload's type with parameters of this call. */
  private instance(type: CelType, names: Map<string, CelType>): CelType {
    switch (type.kind) {
      case 'parameter': {
        const known = names.get(type.name) ?? this.fresh();
        names.set(type.name, known);
        return known;
      }
      case 'list':
        return list(this.instance(type.item, names));
      case 'map':
        return map(this.instance(type.key, names), this.instance(type.value, names));
      case 'optional':
        return optional(this.instance(type.value, names));
      case 'type':
        return type.of === undefined ? type : typeOfType(this.instance(type.of, names));
      default:
        return type;
    }
  }

  private macro(expr: Call, scope: Scope | undefined): CelType | undefined {
    const { name, target, args, offset } = expr;
    if (target === undefined) {
      if (name !== 'has' || args.length !== 1) return undefined;
      const [tested] = args;
      if (tested?.kind !== 'select') return this.say('invalid argument to has() macro', tested?.offset ?? offset);
      // The test stands where the macro does.
      this.field({ ...tested, offset }, scope);
      return BOOL;
    }
    if (target.kind === 'ident' && target.name === 'cel' && name === 'bind' && args.length === 3) {
      if (this.libraries !== 'all') return undefined;
      const [variable, value, body] = args as readonly [Expr, Expr, Expr];
      const first = this.variable(variable);
      if (first === undefined) return ERROR;
      const type = this.visit(value, scope);
      return this.visit(body, { name: first, type, parent: scope });
    }
    if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) return this.optionalMap(expr, scope);
    if (name === 'sortBy' && args.length === 2 && this.libraries === 'all') return this.sortBy(expr, scope);
    const one = ONE_VARIABLE.has(name) && (args.length === 2 || (args.length === 3 && name === 'map'));
    const two = TWO_VARIABLES.has(name) && (args.length === 3 || (args.length === 4 && name.startsWith('transform')));
    return one || two ? this.loop(expr, scope, one ? 1 : 2) : undefined;
  }

  private variable(expr: Expr | undefined): string | undefined {
    if (expr?.kind === 'ident') return expr.name;
    this.say('argument must be a simple name', expr?.offset ?? 0);
    return undefined;
  }

  private optionalMap({ name, target, args, offset }: Call, scope: Scope | undefined): CelType {
    const first = this.variable(args[0]);
    const self = this.visit(target as Expr, scope);
    if (first === undefined) return ERROR;
    this.resolve('hasValue', [self], true, offset);
    const value = this.resolve('value', [self], true, offset);
    const inner = this.visit(args[1] as Expr, { name: first, type: value, parent: scope });
    const yes = name === 'optMap' ? optional(inner) : inner;
    return this.resolve('_?_:_', [BOOL, yes, optional(this.fresh())], false, offset);
  }

  private sortBy({ target, args, offset }: Call, scope: Scope | undefined): CelType {
    const range = substitute(this.found, this.visit(target as Expr, scope), 'keep');
    const first = this.variable(args[0]);
    if (first === undefined) return ERROR;
    const type = range.kind === 'list' ? range.item : DYN;
    const key = this.visit(args[1] as Expr, { name: first, type, parent: scope });
    this.resolve('sort', [list(key)], true, offset);
    return range;
  }

  private loop({ name, target, args, offset }: Call, scope: Scope | undefined, variables: 1 | 2): CelType {
    const names = args.slice(0, variables).map((arg) => this.variable(arg));
    if (names.includes(undefined)) return ERROR;
    const over = target as Expr;
    const range = substitute(this.found, this.visit(over, scope), 'keep');
    const [key, value] = this.elements(range, over.offset);
    const [first = '', second] = names;
    let inner: Scope = { name: first, type: variables === 1 && range.kind === 'list' ? value : key, parent: scope };
    const element = inner.type;
    if (second !== undefined) inner = { name: second, type: value, parent: inner };
    const bodies = args.slice(variables);
    const types = bodies.map((body) => this.visit(body, inner));
    const last = types.at(-1) ?? DYN;
    const condition = (type: CelType, made: CelType): CelType =>
      this.resolve('_?_:_', [type, made, made], false, offset);
    switch (name) {
      case 'all':
      case 'exists':
        if (!this.fits(last, BOOL)) this.mismatch(BOOL, last, bodies.at(-1)?.offset ?? offset);
        return BOOL;
      case 'exists_one':
      case 'existsOne':
        condition(last, INT);
        return BOOL;
      case 'filter':
        condition(last, list(element));
        return list(element);
      case 'map':
      case 'transformList':
        if (bodies.length === 2) condition(types[0] as CelType, list(last));
        return list(last);
      case 'transformMap':
        if (bodies.length === 2) condition(types[0] as CelType, map(key, last));
        return map(key, last);
      default: {
        const made = map(this.fresh(), this.fresh());
        if (!this.fits(last, made)) this.mismatch(made, last, bodies.at(-1)?.offset ?? offset);
        if (bodies.length === 2) condition(types[0] as CelType, made);
        return substitute(this.found, made, 'keep');
      }
    }
  }

  private elements(range: CelType, offset: number): readonly [CelType, CelType] {
    switch (range.kind) {
      case 'list':
        return [INT, range.item];
      case 'map':
        return [range.key, range.value];
      case 'dyn':
      case 'error':
        return [DYN, DYN];
      case 'parameter':
        this.fits(DYN, range);
        return [DYN, DYN];
      default:
        this.say(
          `expression of type '${printType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
          offset,
        );
        return [ERROR, ERROR];
    }
  }
}

const PATCH_FIELDS: { readonly [name: string]: CelType } = { op: STRING, path: STRING, from: STRING, value: DYN };

/**
 * What a mutation may make: `Object` and what its fields hold (`Object.spec`), with fields of any type, and `JSONPatch`.
 * (apiserver@0.34 pkg/cel/mutation)
 */
function mutationType(
  name: string,
): { readonly type: CelType; fieldOf(field: string): CelType | undefined } | undefined {
  if (name === 'JSONPatch')
    return {
      type: opaque(name),
      fieldOf: (field) => (Object.hasOwn(PATCH_FIELDS, field) ? PATCH_FIELDS[field] : undefined),
    };
  return name === 'Object' || name.startsWith('Object.') ? { type: opaque(name), fieldOf: () => DYN } : undefined;
}

const META: CelType = {
  kind: 'object',
  schema: { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } },
  resolve: () => undefined,
  resource: false,
};
const TYPE_NAMES: { readonly [name: string]: CelType } = {
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  list: list(DYN),
  map: map(DYN, DYN),
  null_type: NULL,
  type: DYN,
  'google.protobuf.Timestamp': TIMESTAMP,
  'google.protobuf.Duration': DURATION,
};
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

import { equal, field, isArray, isObject, type Json } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { type CelError, compileCel, evaluate, type Program } from '../cel/cel.ts';
import { DEFAULT_COST_LIMIT, RUNTIME_COST_BUDGET } from '../cel/evaluate.ts';
import type { Expr } from '../cel/parse.ts';
import { BOOL, optional, STRING, typeOfSchema } from '../cel/types.ts';
import { fromJson, ObjectValue, Optional } from '../cel/values.ts';
import { duplicate, forbidden, invalid, required } from './field-error.ts';
import {
  dereference,
  type FieldError,
  NO_REFERENCES,
  type ResolveSchema,
  type Schema,
  type ValidationRule,
} from './schema.ts';
import { correlate } from './validate.ts';

export interface RulesOptions {
  readonly resolve?: ResolveSchema;
  /** The stored object, on updates: transition rules (with `oldSelf`) run only with it. */
  readonly old?: Json;
  /** For all rules of the object together; absent: Kubernetes' 10,000,000. */
  readonly costBudget?: number;
}

/**
 * Runs the `x-kubernetes-validations` of a custom resource's schema over a whole object that has passed `validate`.
 * (apiextensions-apiserver@0.34 pkg/apiserver/schema/cel/validation.go)
 */
export function validateRules(value: Json, schema: Schema, options: RulesOptions = {}): FieldError[] {
  const resolve = options.resolve ?? NO_REFERENCES;
  const root = dereference(schema, resolve);
  if (!hasRules(root, resolve)) return [];
  const run: Run = { resolve, budget: options.costBudget ?? RUNTIME_COST_BUDGET, errors: [], spent: false };
  visit(value, root, '', options.old, true, run);
  return run.errors;
}

/**
 * What stands in the way of CEL rules when the object is already wrong: an error to add, or undefined when rules may run.
 * (customresource strategy's hasBlockingErr)
 */
export function blockingError(errors: readonly FieldError[]): FieldError | undefined {
  const blocking = new Set([
    'FieldValueNotSupported',
    'FieldValueRequired',
    'FieldValueTooLong',
    'FieldValueTooMany',
    'FieldValueTypeInvalid',
  ]);
  if (!errors.some(({ reason }) => blocking.has(reason))) return undefined;
  return invalid(
    '',
    null,
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  );
}

const withRules = new WeakMap<Schema, boolean>();

/** Whether `schema` or anything below it has a rule. */
export function hasRules(schema: Schema, resolve: ResolveSchema = NO_REFERENCES): boolean {
  const known = withRules.get(schema);
  if (known !== undefined) return known;
  withRules.set(schema, false); // a recursive definition ends here
  const { items, properties, additionalProperties } = schema;
  const below = [
    ...(items === undefined ? [] : [items]),
    ...Object.values(properties ?? {}),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
  ];
  const found =
    (schema['x-kubernetes-validations']?.length ?? 0) > 0 ||
    below.some((child) => hasRules(dereference(child, resolve), resolve));
  withRules.set(schema, found);
  return found;
}

interface Run {
  readonly resolve: ResolveSchema;
  budget: number;
  readonly errors: FieldError[];
  spent: boolean;
}

interface CompiledRule {
  readonly program: Result<Program, CelError>;
  readonly message: Program | undefined;
  readonly transition: boolean;
}
const compiled = new WeakMap<ValidationRule, CompiledRule>();

/** Whether the expression names `name` anywhere. */
export function mentions(expr: Expr, name: string): boolean {
  switch (expr.kind) {
    case 'ident':
      return expr.name === name;
    case 'select':
      return mentions(expr.operand, name);
    case 'index':
      return mentions(expr.operand, name) || mentions(expr.index, name);
    case 'and':
    case 'or':
      return mentions(expr.left, name) || mentions(expr.right, name);
    case 'ternary':
      return mentions(expr.condition, name) || mentions(expr.yes, name) || mentions(expr.no, name);
    case 'list':
      return expr.items.some((item) => mentions(item.value, name));
    case 'map':
      return expr.entries.some((entry) => mentions(entry.key, name) || mentions(entry.value, name));
    case 'struct':
      return expr.fields.some((entry) => mentions(entry.value, name));
    case 'call':
      return (expr.target !== undefined && mentions(expr.target, name)) || expr.args.some((arg) => mentions(arg, name));
    default:
      return false;
  }
}

/** Compiles a rule of a schema; kept with the rule. */
export function compileRule(
  rule: ValidationRule,
  schema: Schema,
  resolve: ResolveSchema,
  isRoot: boolean,
): CompiledRule {
  const known = compiled.get(rule);
  if (known !== undefined) return known;
  const self = typeOfSchema(schema, resolve, isRoot);
  const variables = { self, oldSelf: rule.optionalOldSelf === true ? optional(self) : self };
  const program = compileCel(rule.rule, { variables, result: BOOL, libraries: 'kubernetes' });
  const text = rule.messageExpression ?? '';
  const message = text === '' ? undefined : compileCel(text, { variables, result: STRING, libraries: 'kubernetes' });
  const out: CompiledRule = {
    program,
    message: message?.ok === true ? message.value : undefined,
    transition: program.ok && mentions(program.value.expr, 'oldSelf'),
  };
  compiled.set(rule, out);
  return out;
}

function visit(value: Json, schema: Schema, path: string, old: Json | undefined, isRoot: boolean, run: Run): void {
  if (run.spent) return;
  if (value === null) return;
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    check(rule, value, schema, path, old, isRoot, run);
    if (run.spent) return;
  }
  if (isArray(value)) {
    if (schema.items === undefined) return;
    const items = dereference(schema.items, run.resolve);
    if (!hasRules(items, run.resolve)) return;
    const pairs = correlate(value, old, schema);
    value.forEach((item, index) => visit(item, items, `${path}[${index}]`, pairs(index), false, run));
  } else if (isObject(value)) {
    const { properties, additionalProperties } = schema;
    const others =
      typeof additionalProperties === 'object' ? dereference(additionalProperties, run.resolve) : undefined;
    for (const name of Object.keys(value).toSorted()) {
      const declared = properties !== undefined && Object.hasOwn(properties, name);
      const inner = declared ? dereference(properties[name] as Schema, run.resolve) : others;
      if (inner === undefined || !hasRules(inner, run.resolve)) continue;
      const innerPath = declared ? (path === '' ? name : `${path}.${name}`) : `${path}[${name}]`;
      visit(value[name] as Json, inner, innerPath, field(old, name), false, run);
    }
  }
}

function check(
  rule: ValidationRule,
  value: Json,
  schema: Schema,
  path: string,
  old: Json | undefined,
  isRoot: boolean,
  run: Run,
): void {
  const { program, message, transition } = compileRule(rule, schema, run.resolve, isRoot);
  const kind = schema.type ?? 'object';
  if (!program.ok) {
    run.errors.push(invalid(path, kind, `rule compile error: ${program.error.message}`));
    return;
  }
  if (transition && old === undefined && rule.optionalOldSelf !== true) return;
  // A rule that held, or not, over an unchanged value is not asked again. (ratcheting)
  const unchanged = old !== undefined && equal(value, old);
  const self =
    isRoot && isObject(value)
      ? new ObjectValue(value, rootSchema(schema), run.resolve)
      : fromJson(value, schema, run.resolve);
  const before =
    old === undefined
      ? undefined
      : isRoot && isObject(old)
        ? new ObjectValue(old, rootSchema(schema), run.resolve)
        : fromJson(old, schema, run.resolve);
  const oldSelf = rule.optionalOldSelf === true ? new Optional(before) : (before ?? null);
  const variables = { self, oldSelf };
  const result = evaluate(program.value, variables, { costLimit: Math.min(DEFAULT_COST_LIMIT, run.budget) });
  if (!result.ok) {
    if (result.error.code === 'cost' && run.budget < DEFAULT_COST_LIMIT) {
      run.spent = true;
      run.errors.push(
        invalid(
          path,
          kind,
          'validation failed due to running out of cost budget, no further validation rules will be run',
        ),
      );
      return;
    }
    const text =
      result.error.code === 'cost'
        ? `'${result.error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${rule.rule}`
        : `${result.error.message} evaluating rule: ${rule.message !== undefined && rule.message !== '' ? rule.message : rule.rule}`;
    run.errors.push(invalid(path, kind, text));
    return;
  }
  run.budget -= result.value.cost;
  if (result.value.value === true || (unchanged && !transition)) return;
  const detail = messageOf(rule, message, variables, run);
  const target = path + pathSuffix(rule.fieldPath, path);
  run.errors.push(failure(rule.reason, target, kind, detail));
}

const rootSchemas = new WeakMap<Schema, Schema>();

/** The root sees apiVersion, kind and metadata, which its schema need not declare. */
function rootSchema(schema: Schema): Schema {
  const known = rootSchemas.get(schema);
  if (known !== undefined) return known;
  const text: Schema = { type: 'string' };
  const out: Schema = {
    ...schema,
    properties: {
      ...schema.properties,
      apiVersion: text,
      kind: text,
      metadata: { type: 'object', properties: { name: text, generateName: text } },
    },
  };
  rootSchemas.set(schema, out);
  return out;
}

function messageOf(
  rule: ValidationRule,
  program: Program | undefined,
  variables: Parameters<typeof evaluate>[1],
  run: Run,
): string {
  if (program !== undefined) {
    const result = evaluate(program, variables, { costLimit: Math.min(DEFAULT_COST_LIMIT, run.budget) });
    if (result.ok) {
      run.budget -= result.value.cost;
      const text = typeof result.value.value === 'string' ? result.value.value.trim() : '';
      if (text !== '' && !text.includes('\n')) return text;
    }
  }
  const message = rule.message?.trim() ?? '';
  return message === '' ? `failed rule: ${rule.rule.trim()}` : message;
}

/** `.a['b']` behind the path of the value the rule stands at. */
function pathSuffix(fieldPath: string | undefined, path: string): string {
  if (fieldPath === undefined || fieldPath === '') return '';
  const suffix = fieldPath.replaceAll(/\['([^']*)'\]/g, '[$1]');
  return path === '' ? suffix.replace(/^\./, '') : suffix;
}

function failure(reason: string | undefined, path: string, kind: string, detail: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(path, detail);
    case 'FieldValueRequired':
      return required(path, detail);
    case 'FieldValueDuplicate':
      return duplicate(path, kind);
    default:
      return invalid(path, kind, detail);
  }
}

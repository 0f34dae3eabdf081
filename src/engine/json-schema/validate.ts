import { RE2JS } from 're2js';
import { equal, field, isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { formatObjection } from './formats.ts';
import { grouped, type Issue, quote, quoteAll, shown } from './issue.ts';
import { isMultiple, isWhole } from './numbers.ts';
import { openSchema, type SchemaDocument } from './schema-document.ts';

/** Schemas applied for one value: far above any real chart, and less than a second. */
const MAX_STEPS = 500_000;
/** Schemas inside of each other, references counted. */
const MAX_NESTING = 400;
/** Items compared pairwise for `uniqueItems`. */
const MAX_UNIQUE_ITEMS = 2000;

/**
 * What `schema` objects to in `value`, in the words and order of the validator that Helm uses; empty when it accepts it. No reference leads
 * out of the schema, patterns are RE2's, and work is bounded: an error is a sentence about the schema itself.
 * Source: JSON Schema drafts 4 to 2020-12; santhosh-tekuri/jsonschema@6.0.2 validator.go.
 */
export function validate(schema: Json, value: Json): Result<readonly Issue[], string> {
  const document = openSchema(schema);
  if (document === undefined) return err('the schema is nested too deep');
  try {
    const found = new Validator(document).check(document.root, value, [], undefined, 0);
    return ok(found === undefined ? [] : found.silent === 'group' ? found.causes : [found]);
  } catch (failure) {
    if (failure instanceof SchemaFailure) return err(failure.message);
    throw failure;
  }
}

class SchemaFailure extends Error {}

/** Schemas that were applied to the same value on the way here. */
interface Scope {
  readonly schema: JsonObject;
  readonly outer: Scope | undefined;
}

/** What no schema has looked at so far; undefined where nobody asks. */
interface Unseen {
  readonly properties: Set<string>;
  readonly items: Set<number>;
}

type Path = readonly string[];

class Validator {
  private readonly document: SchemaDocument;
  private readonly patterns = new Map<string, RE2JS>();
  private steps = 0;

  constructor(document: SchemaDocument) {
    this.document = document;
  }

  /** @param unseen is reduced by what `schema` looks at, when it accepts `value` */
  check(
    schema: Json,
    value: Json,
    path: Path,
    scope: Scope | undefined,
    depth: number,
    unseen?: Unseen,
  ): Issue | undefined {
    if (schema === false) return issue(path, 'false schema');
    if (!isObject(schema)) return undefined;
    if (++this.steps > MAX_STEPS) throw new SchemaFailure(`the schema takes more than ${MAX_STEPS} steps`);
    if (depth > MAX_NESTING) throw new SchemaFailure(`the schema leads deeper than ${MAX_NESTING} levels`);
    for (let outer = scope; outer !== undefined; outer = outer.outer) {
      if (outer.schema === schema) return issue(path, 'references of the schema lead in a circle');
    }
    const state = new Check(this, schema, value, path, { schema, outer: scope }, depth, this.unseenIn(value));
    const found = state.run();
    if (found === undefined && unseen !== undefined && state.unseen !== undefined) intersect(unseen, state.unseen);
    return found;
  }

  get draft(): number {
    return this.document.draft;
  }

  private unseenIn(value: Json): Unseen | undefined {
    if (!this.document.tracksEvaluation) return undefined;
    return {
      properties: new Set(isObject(value) ? Object.keys(value) : []),
      items: new Set(isArray(value) ? value.keys() : []),
    };
  }

  target(schema: JsonObject, reference: string): Json {
    const found = this.document.resolve(schema, reference);
    if (found !== undefined) return found;
    throw new SchemaFailure(`${JSON.stringify(reference)} is not in the schema, and nothing is fetched`);
  }

  matches(pattern: string, text: string): boolean {
    let compiled = this.patterns.get(pattern);
    if (compiled === undefined) {
      try {
        compiled = RE2JS.compile(pattern);
      } catch (failure) {
        throw new SchemaFailure(
          `invalid regex ${JSON.stringify(pattern)}: ${failure instanceof Error ? failure.message : ''}`,
        );
      }
      this.patterns.set(pattern, compiled);
    }
    return compiled.matcher(text).find();
  }
}

function intersect(unseen: Unseen, other: Unseen): void {
  for (const name of unseen.properties) if (!other.properties.has(name)) unseen.properties.delete(name);
  for (const index of unseen.items) if (!other.items.has(index)) unseen.items.delete(index);
}

function issue(at: Path, text: string, causes: readonly Issue[] = []): Issue {
  return { at, text, causes };
}

/** One schema object applied to one value. */
class Check {
  readonly unseen: Unseen | undefined;
  private readonly validator: Validator;
  private readonly schema: JsonObject;
  private readonly value: Json;
  private readonly path: Path;
  private readonly scope: Scope;
  private readonly depth: number;
  private readonly issues: Issue[] = [];

  constructor(
    validator: Validator,
    schema: JsonObject,
    value: Json,
    path: Path,
    scope: Scope,
    depth: number,
    unseen: Unseen | undefined,
  ) {
    this.validator = validator;
    this.schema = schema;
    this.value = value;
    this.path = path;
    this.scope = scope;
    this.depth = depth;
    this.unseen = unseen;
  }

  run(): Issue | undefined {
    const { draft } = this.validator;
    const reference = this.text('$ref');
    // What stands beside a reference counts only since 2019, but that validator looks at `const` first.
    if (reference !== undefined && draft < 2019) return this.constant() ?? this.referred(reference);
    const whole = this.general();
    if (whole !== undefined) return whole;
    if (reference !== undefined) this.addIssue(this.referred(reference));
    const { value } = this;
    if (isObject(value)) this.object(value);
    else if (isArray(value)) this.array(value);
    else if (typeof value === 'string') this.string(value);
    else if (typeof value === 'number' || typeof value === 'bigint') this.number(value);
    for (const keyword of draft >= 2019 ? ['$recursiveRef', '$dynamicRef'] : []) {
      const other = this.text(keyword);
      if (other !== undefined) this.addIssue(this.referred(other));
    }
    this.conditions();
    if (draft >= 2019) this.unevaluated();
    const [first, ...more] = this.issues;
    if (first === undefined || more.length === 0) return first;
    return { at: this.path, text: 'validation failed', causes: this.issues, silent: 'group' };
  }

  // Reading the schema.

  private get(keyword: string): Json | undefined {
    return field(this.schema, keyword);
  }

  private text(keyword: string): string | undefined {
    const value = this.get(keyword);
    return typeof value === 'string' ? value : undefined;
  }

  private amount(keyword: string): number | bigint | undefined {
    const value = this.get(keyword);
    return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
  }

  private list(keyword: string): readonly Json[] {
    const value = this.get(keyword);
    return isArray(value) ? value : [];
  }

  private map(keyword: string): JsonObject {
    const value = this.get(keyword);
    return isObject(value) ? value : {};
  }

  // Applying other schemas.

  /** `schema` on the same value. */
  private self(schema: Json): Issue | undefined {
    return this.validator.check(schema, this.value, this.path, this.scope, this.depth + 1, this.unseen);
  }

  private inner(schema: Json, value: Json, step: string | number): Issue | undefined {
    return this.validator.check(schema, value, [...this.path, String(step)], undefined, this.depth + 1);
  }

  private referred(reference: string): Issue | undefined {
    const found = this.self(this.validator.target(this.schema, reference));
    if (found === undefined) return undefined;
    const causes = found.silent === 'group' ? found.causes : [found];
    return { at: this.path, text: 'validation failed', causes, silent: 'reference' };
  }

  private add(text: string, causes: readonly Issue[] = []): void {
    this.issues.push(issue(this.path, text, causes));
  }

  private addIssue(found: Issue | undefined): void {
    if (found !== undefined) this.issues.push(found);
  }

  // Keywords.

  /** Those after which nothing else is looked at. */
  private general(): Issue | undefined {
    const { value, path } = this;
    const types = typesOf(this.get('type'));
    if (types.length > 0 && !types.some((type) => isOfType(value, type))) {
      return issue(path, `got ${typeName(value)}, want ${types.join(' or ')}`);
    }
    const other = this.constant();
    if (other !== undefined) return other;
    const allowed = this.get('enum');
    if (isArray(allowed) && !allowed.some((one) => equal(value, one))) {
      const simple = allowed.every((one) => !isArray(one) && !isObject(one));
      const list = allowed.map(shown).join(', ');
      const want = allowed.length === 1 ? list : `one of ${list}`;
      return issue(path, simple ? `value must be ${want}` : "'enum' failed");
    }
    const format = this.validator.draft < 2019 ? this.text('format') : undefined;
    const objection = format === undefined || typeof value !== 'string' ? undefined : formatObjection(format, value);
    return objection === undefined ? undefined : issue(path, `${shown(value)} is not valid ${format}: ${objection}`);
  }

  private constant(): Issue | undefined {
    const constant = this.validator.draft === 4 ? undefined : this.get('const');
    if (constant === undefined || equal(this.value, constant)) return undefined;
    const simple = !isArray(constant) && !isObject(constant);
    return issue(this.path, simple ? `value must be ${shown(constant)}` : "'const' failed");
  }

  private bound(keyword: string, got: number, isWrong: (got: number, want: number) => boolean): void {
    const want = this.amount(keyword);
    if (want !== undefined && isWrong(got, Number(want)))
      this.add(`${keyword}: got ${grouped(got)}, want ${grouped(want)}`);
  }

  private object(value: JsonObject): void {
    const names = Object.keys(value).sort();
    this.bound('minProperties', names.length, (got, want) => got < want);
    this.bound('maxProperties', names.length, (got, want) => got > want);
    const missing = missingOf(value, this.list('required'));
    if (missing.length === 1) this.add(`missing property ${quoteAll(missing)}`);
    else if (missing.length > 1) this.add(`missing properties ${quoteAll(missing)}`);
    this.dependencies(value, 'dependencies');
    this.properties(value, names);
    const named = this.validator.draft >= 6 ? this.get('propertyNames') : undefined;
    for (const name of named === undefined ? [] : names) {
      const found = this.validator.check(named as Json, name, [], undefined, this.depth + 1);
      if (found === undefined) continue;
      const causes = found.silent === 'group' ? found.causes : [found];
      this.issues.push(issue([], `invalid propertyName ${quote(name)}`, causes));
    }
    if (this.validator.draft < 2019) return;
    this.dependencies(value, 'dependentSchemas');
    this.dependencies(value, 'dependentRequired');
  }

  private dependencies(value: JsonObject, keyword: string): void {
    const dependencies = this.map(keyword);
    for (const name of Object.keys(dependencies).sort()) {
      if (!Object.hasOwn(value, name)) continue;
      const wanted = dependencies[name] as Json;
      if (!isArray(wanted)) this.addIssue(this.self(wanted));
      else {
        const missing = missingOf(value, wanted);
        if (missing.length > 0) this.add(`properties ${quoteAll(missing)} required, if ${quote(name)} exists`);
      }
    }
  }

  private properties(value: JsonObject, names: readonly string[]): void {
    const properties = this.map('properties');
    const patterns = this.map('patternProperties');
    const additional = this.get('additionalProperties');
    const refused: string[] = [];
    for (const name of names) {
      const inner = value[name] as Json;
      const own = field(properties, name);
      const matching = Object.keys(patterns).filter((pattern) => this.validator.matches(pattern, name));
      if (own !== undefined) this.addIssue(this.inner(own, inner, name));
      for (const pattern of matching) this.addIssue(this.inner(patterns[pattern] as Json, inner, name));
      if (own === undefined && matching.length === 0) {
        if (additional === undefined) continue;
        if (additional === false) refused.push(name);
        else this.addIssue(this.inner(additional, inner, name));
      }
      this.unseen?.properties.delete(name);
    }
    if (refused.length > 0) this.add(`additional properties ${quoteAll(refused)} not allowed`);
  }

  private array(value: readonly Json[]): void {
    this.bound('minItems', value.length, (got, want) => got < want);
    this.bound('maxItems', value.length, (got, want) => got > want);
    if (this.get('uniqueItems') === true) {
      if (value.length > MAX_UNIQUE_ITEMS) throw new SchemaFailure(`uniqueItems: more than ${MAX_UNIQUE_ITEMS} items`);
      const twice = duplicates(value);
      if (twice !== undefined) this.add(`items at ${grouped(twice[0])} and ${grouped(twice[1])} are equal`);
    }
    this.items(value);
    if (this.validator.draft >= 6) this.contains(value);
  }

  private items(value: readonly Json[]): void {
    const modern = this.validator.draft >= 2020;
    const items = this.get('items');
    const first = modern ? this.list('prefixItems') : isArray(items) ? items : [];
    const rest = modern ? items : isArray(items) ? this.get('additionalItems') : items;
    const checked = Math.min(first.length, value.length);
    for (let index = 0; index < checked; index++) {
      this.addIssue(this.inner(first[index] as Json, value[index] as Json, index));
    }
    for (let index = 0; index < checked; index++) this.unseen?.items.delete(index);
    if (rest === undefined) return;
    this.unseen?.items.clear();
    if (rest === false && !modern && isArray(items)) {
      if (checked < value.length) this.add(`last ${grouped(value.length - checked)} additionalItem(s) not allowed`);
      return;
    }
    for (let index = checked; index < value.length; index++)
      this.addIssue(this.inner(rest, value[index] as Json, index));
  }

  private contains(value: readonly Json[]): void {
    const wanted = this.get('contains');
    if (wanted === undefined) return;
    const modern = this.validator.draft >= 2019;
    const found = value.map((item, index) => this.inner(wanted, item, index));
    const matched = [...found.keys()].filter((index) => found[index] === undefined);
    if (this.validator.draft >= 2020) for (const index of matched) this.unseen?.items.delete(index);
    const misses = found.flatMap((one) => one ?? []);
    const least = modern ? this.amount('minContains') : undefined;
    const most = modern ? this.amount('maxContains') : undefined;
    const got = `matched ${grouped(matched.length)} items at ${matched.join(' ')}`;
    if (least !== undefined) {
      if (matched.length < Number(least)) {
        const want = `min ${grouped(least)} items required to match contains schema, but`;
        this.add(matched.length === 0 ? `${want} none matched` : `${want} ${got}`, misses);
      }
    } else if (matched.length === 0) this.add('no items match contains schema', misses);
    if (most !== undefined && matched.length > Number(most)) {
      this.add(`max ${grouped(most)} items required to match contains schema, but ${got}`);
    }
  }

  private string(value: string): void {
    if (this.get('minLength') !== undefined || this.get('maxLength') !== undefined) {
      let length = 0;
      for (const _ of value) length++;
      this.bound('minLength', length, (got, want) => got < want);
      this.bound('maxLength', length, (got, want) => got > want);
    }
    const pattern = this.text('pattern');
    if (pattern !== undefined && !this.validator.matches(pattern, value)) {
      this.add(`${quote(value)} does not match pattern ${quote(pattern)}`);
    }
  }

  private number(value: number | bigint): void {
    const say = (keyword: string, want: number | bigint): void => {
      this.add(`${keyword}: got ${grouped(value)}, want ${grouped(want)}`);
    };
    const compare = (keyword: string, exclusive: string, isBelow: (want: number | bigint) => boolean): void => {
      const want = this.amount(keyword);
      // Draft 4 says by a boolean that the bound itself is out.
      const open = this.get(exclusive) === true ? want : this.amount(exclusive);
      if (want !== undefined && this.get(exclusive) !== true && isBelow(want)) say(keyword, want);
      // biome-ignore lint/suspicious/noDoubleEquals: compares a number with a bigint by value
      if (open !== undefined && (isBelow(open) || value == open)) say(exclusive, open);
    };
    compare('minimum', 'exclusiveMinimum', (want) => value < want);
    compare('maximum', 'exclusiveMaximum', (want) => value > want);
    const unit = this.amount('multipleOf');
    if (unit !== undefined && !isMultiple(value, unit)) say('multipleOf', unit);
  }

  private conditions(): void {
    const not = this.get('not');
    if (
      not !== undefined &&
      this.validator.check(not, this.value, this.path, this.scope, this.depth + 1) === undefined
    ) {
      this.add("'not' failed");
    }
    const all = this.list('allOf').flatMap((schema) => this.self(schema) ?? []);
    if (all.length > 0) this.add("'allOf' failed", all);
    this.any();
    this.one();
    const condition = this.validator.draft >= 7 ? this.get('if') : undefined;
    if (condition === undefined) return;
    const next = this.get(this.self(condition) === undefined ? 'then' : 'else');
    if (next !== undefined) this.addIssue(this.self(next));
  }

  private any(): void {
    const schemas = this.list('anyOf');
    const misses: Issue[] = [];
    let matched = schemas.length === 0;
    for (const schema of schemas) {
      const found = this.self(schema);
      if (found !== undefined) misses.push(found);
      else matched = true;
      if (matched && this.unseen === undefined) break;
    }
    if (!matched) this.add("'anyOf' failed", misses);
  }

  private one(): void {
    const schemas = this.list('oneOf');
    const misses: Issue[] = [];
    let matched = -1;
    for (const [index, schema] of schemas.entries()) {
      const found = this.self(schema);
      if (found !== undefined) misses.push(found);
      else if (matched < 0) matched = index;
      else {
        this.add(`'oneOf' failed, subschemas ${matched}, ${index} matched`);
        return;
      }
    }
    if (schemas.length > 0 && matched < 0) this.add("'oneOf' failed, none matched", misses);
  }

  private unevaluated(): void {
    if (this.unseen === undefined) return;
    const properties = this.get('unevaluatedProperties');
    if (properties !== undefined && isObject(this.value)) {
      for (const name of [...this.unseen.properties].sort()) {
        this.addIssue(this.inner(properties, this.value[name] as Json, name));
      }
      this.unseen.properties.clear();
    }
    const items = this.get('unevaluatedItems');
    if (items === undefined || !isArray(this.value)) return;
    for (const index of this.unseen.items) this.addIssue(this.inner(items, this.value[index] as Json, index));
    this.unseen.items.clear();
  }
}

const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];

function typesOf(value: Json | undefined): readonly string[] {
  const given: readonly (Json | undefined)[] = isArray(value) ? value : [value];
  return TYPES.filter((type) => given.includes(type));
}

function typeName(value: Json): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'array';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function isOfType(value: Json, type: string): boolean {
  if (type !== 'integer') return typeName(value) === type;
  return (typeof value === 'number' || typeof value === 'bigint') && isWhole(value);
}

function missingOf(value: JsonObject, names: readonly Json[]): readonly string[] {
  return names.filter((name) => typeof name === 'string').filter((name) => !Object.hasOwn(value, name));
}

function duplicates(items: readonly Json[]): readonly [number, number] | undefined {
  for (let first = 0; first < items.length; first++) {
    for (let second = first + 1; second < items.length; second++) {
      if (equal(items[first], items[second])) return [first, second];
    }
  }
  return undefined;
}

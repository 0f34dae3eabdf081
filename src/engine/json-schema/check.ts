import { equal, field, isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Application, Path, Scope, Unseen, Validation } from './application.ts';
import { checkArray } from './check-array.ts';
import { checkObject } from './check-object.ts';
import { formatObjection } from './formats.ts';
import { grouped, type Issue, issue, quote, shown } from './issue.ts';
import { isMultiple, isWhole } from './numbers.ts';

/** One schema object applied to one value. */
export class Check implements Application {
  readonly unseen: Unseen | undefined;
  readonly validator: Validation;
  readonly schema: JsonObject;
  readonly value: Json;
  readonly path: Path;
  private readonly scope: Scope;
  readonly depth: number;
  readonly issues: Issue[] = [];

  constructor(
    validator: Validation,
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
    if (isObject(value)) checkObject(this, value);
    else if (isArray(value)) checkArray(this, value);
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

  get(keyword: string): Json | undefined {
    return field(this.schema, keyword);
  }

  text(keyword: string): string | undefined {
    const value = this.get(keyword);
    return typeof value === 'string' ? value : undefined;
  }

  amount(keyword: string): number | bigint | undefined {
    const value = this.get(keyword);
    return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
  }

  list(keyword: string): readonly Json[] {
    const value = this.get(keyword);
    return isArray(value) ? value : [];
  }

  map(keyword: string): JsonObject {
    const value = this.get(keyword);
    return isObject(value) ? value : {};
  }

  // Applying other schemas.

  /** `schema` on the same value. */
  self(schema: Json): Issue | undefined {
    return this.validator.check(schema, this.value, this.path, this.scope, this.depth + 1, this.unseen);
  }

  inner(schema: Json, value: Json, step: string | number): Issue | undefined {
    return this.validator.check(schema, value, [...this.path, String(step)], undefined, this.depth + 1);
  }

  private referred(reference: string): Issue | undefined {
    const found = this.self(this.validator.target(this.schema, reference));
    if (found === undefined) return undefined;
    const causes = found.silent === 'group' ? found.causes : [found];
    return { at: this.path, text: 'validation failed', causes, silent: 'reference' };
  }

  add(text: string, causes: readonly Issue[] = []): void {
    this.issues.push(issue(this.path, text, causes));
  }

  addIssue(found: Issue | undefined): void {
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

  bound(keyword: string, got: number, isWrong: (got: number, want: number) => boolean): void {
    const want = this.amount(keyword);
    if (want !== undefined && isWrong(got, Number(want)))
      this.add(`${keyword}: got ${grouped(got)}, want ${grouped(want)}`);
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

import { RE2JS } from 're2js';
import { isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Path, Scope, Unseen, Validation } from './application.ts';
import { Check } from './check.ts';
import { type Issue, issue } from './issue.ts';
import { openSchema, type SchemaDocument } from './schema-document.ts';

/** Schemas applied for one value: far above any real chart, and less than a second. */
const MAX_STEPS = 500_000;
/** Schemas inside of each other, references counted. */
const MAX_NESTING = 400;

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

class Validator implements Validation {
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

  giveUp(why: string): never {
    throw new SchemaFailure(why);
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

import type { Static, TSchema } from 'typebox';
import { Default, Errors } from 'typebox/value';
import type { Json, JsonObject } from '../base/json.ts';
import { clone, field, isObject } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { FluxObject, KubeObject } from './object.ts';

/** A column of `kubectl get`; `jsonPath` is in the API server's dialect. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date' | 'integer' | 'boolean' | 'number';
  readonly jsonPath: string;
}

/** What a kind is, written once: from it come the type, defaults, validation, CRD and reference page. */
export interface KindDefinition<Spec extends TSchema, Status extends TSchema> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** The Flux controller that serves the kind: the component of `weir install` it belongs to. */
  readonly component: string;
  readonly description: string;
  readonly spec: Spec;
  readonly status: Status;
  readonly printerColumns: readonly PrinterColumn[];
}

/** A value that does not fit its schema; `path` is in the API server's notation (`spec.url`, `spec.include[0]`). */
export interface SchemaIssue {
  readonly path: string;
  readonly message: string;
}

/** A property at every depth is read-only. */
export type ReadonlyDeep<T> = T extends (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> }
    : T;

export interface Kind<Spec, Status> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly component: string;
  readonly description: string;
  readonly printerColumns: readonly PrinterColumn[];
  /** `group/version`. */
  readonly apiVersion: string;
  /** JSON schemas as TypeBox builds them; `src/api/crd.ts` turns them into structural ones. */
  readonly specSchema: TSchema;
  readonly statusSchema: TSchema;
  /** The object with the schema's defaults filled in, as the API server stores it. */
  withDefaults(object: KubeObject): KubeObject;
  /** The object with defaults, typed, or every issue with its spec (the status is the controller's own). CEL rules are the API server's to check. */
  parse(object: KubeObject): Result<FluxObject<Spec, Status>, readonly SchemaIssue[]>;
}

/** The spec of a kind, the status of a kind, and its whole object: for the files that define one. */
export type SpecOf<S extends TSchema> = ReadonlyDeep<Static<S>>;

/** Makes a kind of its definition. */
export function defineKind<Spec extends TSchema, Status extends TSchema>(
  definition: KindDefinition<Spec, Status>,
): Kind<SpecOf<Spec>, SpecOf<Status>> {
  const { spec, status, ...names } = definition;
  const withDefaults = (object: KubeObject): KubeObject => {
    // Value.Default changes its argument, and writes objects only where the schema asks for them.
    const filled = Default(spec, clone((object.spec ?? {}) as JsonObject)) as JsonObject;
    return { ...object, spec: filled };
  };
  return {
    ...names,
    apiVersion: `${definition.group}/${definition.version}`,
    specSchema: spec,
    statusSchema: status,
    withDefaults,
    parse(object) {
      const filled = withDefaults(object);
      const issues = issuesOf(spec, filled.spec as JsonObject);
      return issues.length === 0 ? ok(filled as unknown as FluxObject<SpecOf<Spec>, SpecOf<Status>>) : err(issues);
    },
  };
}

/** Issues reported of one object; the rest is noise for a reader. */
const MAX_ISSUES = 20;

function issuesOf(schema: TSchema, value: JsonObject): readonly SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  for (const error of Errors(schema, value)) {
    if (issues.length >= MAX_ISSUES) break;
    const missing = error.keyword === 'required' ? (error.params.requiredProperties as readonly string[]) : [];
    const path = printPath(value, error.instancePath);
    if (missing.length === 0) issues.push({ path, message: error.message });
    for (const name of missing) issues.push({ path: `${path}.${name}`, message: 'Required value' });
  }
  return issues;
}

/** JSON pointer to `spec.a[0].b`. */
function printPath(root: Json, pointer: string): string {
  let text = 'spec';
  let current: Json | undefined = root;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (isObject(current)) {
      text += `.${key}`;
      current = field(current, key);
    } else {
      text += `[${key}]`;
      current = Array.isArray(current) ? (current[Number(key)] as Json | undefined) : undefined;
    }
  }
  return text;
}

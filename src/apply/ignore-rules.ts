import { groupOf, type KubeObject, versionOf } from '../api/object.ts';
import {
  equal,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
} from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KustomizeFailure } from '../engine/kustomize/failure.ts';
import { labelsMatch } from '../engine/kustomize/label-selector.ts';
import { compileRe2 } from '../engine/kustomize/re2.ts';

/** Fields of some objects whose drift is left alone: `spec.ignore`. */
export interface IgnoreRule {
  /** JSON pointers, split and decoded. */
  readonly paths: readonly (readonly string[])[];
  matches(object: KubeObject): boolean;
}

export interface IgnoreSpec {
  readonly paths: readonly string[];
  readonly target?: {
    readonly group?: string;
    readonly version?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly labelSelector?: string;
    readonly annotationSelector?: string;
  };
}

/**
 * Compiles the rules of a spec; an error names the part that cannot be read. Regular expressions match whole names.
 * Source: fluxcd/pkg@e2cfd1a ssa/jsondiff/selector.go.
 */
export function ignoreRules(specs: readonly IgnoreSpec[]): Result<readonly IgnoreRule[], string> {
  const rules: IgnoreRule[] = [];
  for (const { paths, target = {} } of specs) {
    const tests: ((object: KubeObject) => boolean)[] = [];
    const parts = [
      ['group', target.group, (object: KubeObject) => groupOf(object.apiVersion)],
      ['version', target.version, (object: KubeObject) => versionOf(object.apiVersion)],
      ['kind', target.kind, (object: KubeObject) => object.kind],
      ['name', target.name, (object: KubeObject) => object.metadata.name],
      ['namespace', target.namespace, (object: KubeObject) => object.metadata.namespace ?? ''],
    ] as const;
    for (const [part, pattern, read] of parts) {
      if (pattern === undefined || pattern === '') continue;
      const compiled = attempt(() => compileRe2(`^(?:${pattern})$`));
      if (!compiled.ok) return err(`${REFUSED}: invalid ${part} regex: ${compiled.error}`);
      tests.push((object) => compiled.value.test(read(object)));
    }
    for (const [part, text, key] of [
      ['label', target.labelSelector, 'labels'],
      ['annotation', target.annotationSelector, 'annotations'],
    ] as const) {
      if (text === undefined || text === '') continue;
      const fits = (map: Readonly<Record<string, string>>): boolean =>
        labelsMatch(text, () => new Map(Object.entries(map)));
      const parsed = attempt(() => fits({}));
      if (!parsed.ok) return err(`${REFUSED}: invalid ${part} selector: ${parsed.error}`);
      tests.push((object) => fits(object.metadata[key] ?? {}));
    }
    rules.push({ paths: paths.map(parsePointer), matches: (object) => tests.every((test) => test(object)) });
  }
  return ok(rules);
}

const REFUSED = 'failed to create ignore rule selector';

function attempt<T>(act: () => T): Result<T, string> {
  try {
    return ok(act());
  } catch (failure) {
    if (failure instanceof KustomizeFailure) return err(failure.message);
    throw failure;
  }
}

function parsePointer(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** `object` without the fields that the rules for `desired` ignore. */
export function withoutIgnored(object: KubeObject, desired: KubeObject, rules: readonly IgnoreRule[]): KubeObject {
  let result = object as unknown as Json;
  for (const rule of rules) {
    if (!rule.matches(desired)) continue;
    for (const path of rule.paths) result = setAt(result, path, undefined);
  }
  return result as unknown as KubeObject;
}

/**
 * What to send when something beside the ignored fields changed: an ignored field that applying would change is left out where
 * another applier owns it, or else takes its live value. Source: fluxcd/pkg@e2cfd1a ssa/manager_apply.go computeDriftedPaths.
 */
export function adoptIgnored(
  desired: KubeObject,
  { live, dryRun }: { readonly live: KubeObject; readonly dryRun: KubeObject },
  { ignore, manager }: { readonly ignore: readonly IgnoreRule[]; readonly manager: string },
): KubeObject {
  let result = desired as unknown as Json;
  for (const rule of ignore) {
    if (!rule.matches(desired)) continue;
    for (const path of rule.paths) {
      const value = valueAt(live as unknown as Json, path);
      const after = valueAt(dryRun as unknown as Json, path);
      const changes = value === undefined || after === undefined ? value !== after : !equal(value, after);
      if (!changes || valueAt(result, path) === undefined) continue;
      result = setAt(result, path, value === undefined || ownedByOther(live, path, manager) ? undefined : value);
    }
  }
  return result as unknown as KubeObject;
}

function ownedByOther(live: KubeObject, path: readonly string[], manager: string): boolean {
  return (live.metadata.managedFields ?? []).some((entry) => {
    if (entry.operation !== 'Apply' || entry.manager === manager) return false;
    let fields: Json | undefined = entry.fieldsV1;
    for (const step of path) fields = field(fields, `f:${step}`);
    return fields !== undefined;
  });
}

function valueAt(value: Json, path: readonly string[]): Json | undefined {
  let current: Json | undefined = value;
  for (const step of path) {
    current = isArray(current) ? (/^\d+$/.test(step) ? current[Number(step)] : undefined) : field(current, step);
  }
  return current;
}

/** `value` with another value at `path`; undefined removes. A path that leads nowhere changes nothing. */
function setAt(value: Json, path: readonly string[], to: Json | undefined): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (isArray(value)) {
    const index = /^\d+$/.test(step) ? Number(step) : -1;
    const item = value[index];
    if (item === undefined) return value;
    if (rest.length > 0) return value.with(index, setAt(item, rest, to));
    return to === undefined ? value.filter((_, other) => other !== index) : value.with(index, to);
  }
  const item = field(value, step);
  if (!isObject(value) || item === undefined) return value;
  return replaceKey(value, step, rest.length > 0 ? setAt(item, rest, to) : to);
}

function replaceKey(object: JsonObject, key: string, value: Json | undefined): JsonObject {
  const out: MutableJsonObject = {};
  for (const other of Object.keys(object)) {
    if (other !== key) put(out, other, object[other] as Json);
    else if (value !== undefined) put(out, other, value);
  }
  return out;
}

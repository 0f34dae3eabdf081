import { groupOf, type KubeObject } from '../api/object.ts';
import { at, type JsonObject } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type Expression, parseExpression } from './expression.ts';
import type { HealthRule, Verdict } from './verdict.ts';

/** `spec.healthCheckExprs[]`: how to judge a kind, or all kinds of a group that have no rule of their own. */
export interface HealthExpressionSpec {
  readonly apiVersion: string;
  readonly kind?: string;
  readonly inProgress?: string;
  readonly failed?: string;
  readonly current: string;
}

interface Compiled {
  readonly group: string;
  readonly kind: string;
  readonly rules: readonly (readonly [status: 'InProgress' | 'Failed' | 'Current', expression: Expression])[];
}

const compiledRules = new WeakMap<readonly HealthExpressionSpec[], Result<HealthRule, string>>();

/** Compiles health expressions into one rule, once. Source: fluxcd/pkg@e2cfd1a runtime/cel/status_reader.go. */
export function expressionRule(specs: readonly HealthExpressionSpec[]): Result<HealthRule, string> {
  const known = compiledRules.get(specs);
  if (known !== undefined) return known;
  const made = makeRule(specs);
  compiledRules.set(specs, made);
  return made;
}

function makeRule(specs: readonly HealthExpressionSpec[]): Result<HealthRule, string> {
  const all: Compiled[] = [];
  for (const [index, spec] of specs.entries()) {
    const compiled = compile(spec);
    if (!compiled.ok)
      return err(`failed to create custom status evaluator for healthchecks[${index}]: ${compiled.error}`);
    const { group, kind } = compiled.value;
    if (all.some((other) => other.group === group && other.kind === kind)) {
      const printed = group === '' ? kind : `${kind}.${group}`;
      return err(`duplicate custom health check for GroupKind ${printed} at healthchecks[${index}]`);
    }
    all.push(compiled.value);
  }
  return ok((object) => {
    const group = groupOf(object.apiVersion);
    const matching = all.filter((rule) => rule.group === group);
    const rule = matching.find(({ kind }) => kind === object.kind) ?? matching.find(({ kind }) => kind === '');
    return rule === undefined ? undefined : apply(rule, object);
  });
}

function compile(spec: HealthExpressionSpec): Result<Compiled, string> {
  const rules: [status: 'InProgress' | 'Failed' | 'Current', expression: Expression][] = [];
  for (const [status, text] of [
    ['InProgress', spec.inProgress],
    ['Failed', spec.failed],
    ['Current', spec.current],
  ] as const) {
    if (text === undefined || text === '') continue;
    const compiled = parseExpression(text);
    if (!compiled.ok) return err(`failed to parse the expression ${status}: ${compiled.error}`);
    rules.push([status, compiled.value]);
  }
  return ok({ group: groupOf(spec.apiVersion), kind: spec.kind ?? '', rules });
}

function apply(rule: Compiled, object: KubeObject): Verdict {
  const json = object as unknown as JsonObject;
  if (object.metadata.deletionTimestamp !== undefined) return { status: 'Terminating' };
  const observed = at(json, 'status', 'observedGeneration');
  if (typeof observed === 'number' && observed !== object.metadata.generation) return { status: 'InProgress' };
  for (const [status, expression] of rule.rules) {
    const result = expression.evaluate(json);
    if (!result.ok) return { status: 'Unknown', message: result.error };
    if (result.value) return { status };
  }
  return { status: 'InProgress' };
}

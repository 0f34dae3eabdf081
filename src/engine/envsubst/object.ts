import { isObject, type JsonObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { printYamlError } from '../yaml/error.ts';
import { parseYaml } from '../yaml/parse.ts';
import { printYaml } from '../yaml/print.ts';
import { substitute } from './evaluate.ts';

/** Label or annotation by which an object opts out; any other value than `disabled` has no effect. */
const POLICY = 'kustomize.toolkit.fluxcd.io/substitute';
const NAME = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

export interface ObjectSubstitution {
  readonly variables: ReadonlyMap<string, string>;
  /** A variable without a value is an error. */
  readonly strict: boolean;
  /** Substitute even without any variable, so that defaults apply (`substituteStrategy: Always`). */
  readonly always: boolean;
}

/**
 * Substitutes variables in the object's YAML text and reads the result, so that types may change (`${n}` can become a number).
 * Answers the same object when it opts out or there is nothing to do. Errors are worded as
 * fluxcd/pkg@e2cfd1a kustomize/kustomize_varsub.go does.
 */
export function substituteObject(
  object: JsonObject,
  { variables, strict, always }: ObjectSubstitution,
): Result<JsonObject, string> {
  if (optsOut(object) || (variables.size === 0 && !always)) return ok(object);
  for (const name of variables.keys()) {
    if (!NAME.test(name)) {
      return err(`envsubst error: '${name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'`);
    }
  }
  const text = printYaml(object);
  // Without an expression the text comes back as it is: reading it again would cost most of a build's time.
  if (!text.includes('$')) return ok(object);
  const replaced = substitute(text, variables, { strict });
  if (!replaced.ok) return err(`envsubst error: variable substitution failed: ${replaced.error.message}`);
  const parsed = parseYaml(replaced.value);
  if (!parsed.ok) return err(`envsubst error: YAMLToJSON: ${printYamlError(parsed.error)}`);
  if (!isObject(parsed.value)) return err('envsubst error: the result is not an object');
  return ok(parsed.value);
}

export function optsOut(object: JsonObject): boolean {
  return (
    stringAt(object, 'metadata', 'labels', POLICY) === 'disabled' ||
    stringAt(object, 'metadata', 'annotations', POLICY) === 'disabled'
  );
}

/** Variables of `data`: line breaks are removed from values, as Flux does. */
export function addVariables(into: Map<string, string>, data: Iterable<readonly [string, string]>): void {
  for (const [name, value] of data) into.set(name, value.replaceAll('\n', ''));
}

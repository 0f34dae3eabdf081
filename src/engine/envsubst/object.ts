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

/** Why an object's variables could not be replaced, as Flux words it, and the beginnings of the expressions to blame. */
export interface ObjectSubstitutionError {
  readonly message: string;
  /** `${name` of each, or all of one that is none; a file that holds it is where the mistake is. */
  readonly expressions: readonly string[];
}

/**
 * Substitutes variables in the object's YAML text and reads the result, so that types may change (`${n}` can become a number).
 * Answers the same object when it opts out or there is nothing to do. Errors are worded as
 * fluxcd/pkg@e2cfd1a kustomize/kustomize_varsub.go does.
 */
export function substituteObject(
  object: JsonObject,
  { variables, strict, always }: ObjectSubstitution,
): Result<JsonObject, ObjectSubstitutionError> {
  if (optsOut(object) || (variables.size === 0 && !always)) return ok(object);
  for (const name of variables.keys()) {
    if (!NAME.test(name)) {
      return refuse(`'${name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'`);
    }
  }
  const text = printYaml(object);
  // Without an expression the text comes back as it is: reading it again would cost most of a build's time.
  if (!text.includes('$')) return ok(object);
  const replaced = substitute(text, variables, { strict });
  if (!replaced.ok) {
    const { error } = replaced;
    const expressions =
      error.code === 'NotSet' ? error.names.map((name) => `\${${name}`) : [wholeExpression(text.slice(error.at))];
    return refuse(`variable substitution failed: ${error.message}`, expressions);
  }
  if (isCut(replaced.value, text, variables)) {
    return refuse('YAMLToJSON: yaml: invalid trailing UTF-8 octet', expressionsIn(text).slice(-1));
  }
  const parsed = parseYaml(replaced.value);
  if (!parsed.ok) {
    // Values hold no line breaks, so that lines before and after are the same ones; an error may be seen lines later.
    const until = text.split('\n', parsed.error.line + 1).join('\n');
    return refuse(`YAMLToJSON: ${printYamlError(parsed.error)}`, expressionsIn(until).slice(-1));
  }
  if (!isObject(parsed.value)) return refuse('the result is not an object');
  return ok(parsed.value);
}

/** Whether a substring ended within a character: a replacement character that nobody wrote. YAML is none then. */
function isCut(result: string, text: string, variables: ReadonlyMap<string, string>): boolean {
  if (!result.includes('\ufffd') || text.includes('\ufffd')) return false;
  return ![...variables.values()].some((value) => value.includes('\ufffd'));
}

function refuse(message: string, expressions: readonly string[] = []): Result<never, ObjectSubstitutionError> {
  return err({ message: `envsubst error: ${message}`, expressions });
}

/** Characters of a broken expression that are told. */
const MAX_EXPRESSION = 60;

/** As much of the expression at the beginning of a text as stands on its line. */
function wholeExpression(text: string): string {
  return (/^[^\n}]*\}?/.exec(text)?.[0] ?? '').slice(0, MAX_EXPRESSION).trimEnd();
}

/** Beginnings of the expressions of a text; one without a name is told by what stands in its place. */
function expressionsIn(text: string): readonly string[] {
  return [...text.matchAll(/\$\{(?:#?[\p{L}\p{Nd}_]+|[^\n]{0,20})/gu)].map(([found]) => found);
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

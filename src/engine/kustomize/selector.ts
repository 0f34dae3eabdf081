import { fail } from './failure.ts';
import { type GoRegexp, goRegexp } from './go-regexp.ts';
import type { Selector } from './kustomization-type.ts';
import type { Gvk } from './resource-id.ts';

/** A selector whose parts are compiled; an empty part fits all. */
export interface CompiledSelector {
  gvk(gvk: Gvk): boolean;
  name(name: string): boolean;
  namespace(namespace: string): boolean;
}

/** Compiles the regular expressions of a target (api/types/selector.go). @throws KustomizeFailure */
export function compileSelector(selector: Selector): CompiledSelector {
  const group = part(selector.group);
  const version = part(selector.version);
  const kind = part(selector.kind);
  const name = part(selector.name);
  const namespace = part(selector.namespace);
  const fits = (regexp: GoRegexp | undefined, text: string): boolean => regexp === undefined || regexp.test(text);
  return {
    gvk: (gvk) => fits(group, gvk.group) && fits(version, gvk.version) && fits(kind, gvk.kind),
    name: (text) => fits(name, text),
    namespace: (text) => fits(namespace, text),
  };
}

function part(pattern: string | undefined): GoRegexp | undefined {
  return pattern === undefined || pattern === '' ? undefined : goRegexp(`^(?:${pattern})$`);
}

type Requirement = (labels: ReadonlyMap<string, string>) => boolean;
const parsed = new Map<string, readonly Requirement[]>();

/** Whether labels fit a Kubernetes label selector; an empty one fits all. @throws KustomizeFailure */
export function labelsMatch(selector: string | undefined, labels: () => ReadonlyMap<string, string>): boolean {
  if (selector === undefined || selector === '') return true;
  let requirements = parsed.get(selector);
  if (requirements === undefined) {
    requirements = parseSelector(selector);
    if (parsed.size > 1000) parsed.clear();
    parsed.set(selector, requirements);
  }
  const map = labels();
  return requirements.every((fits) => fits(map));
}

const TOKEN = /\s*(?:(?<mark>==|!=|=|!|\(|\)|,|>|<)|(?<word>[^\s!=(),<>]+))/y;

function tokenize(text: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) break;
    tokens.push(match[0].trim());
  }
  return tokens;
}

/** apimachinery labels.Parse, as kyaml carries it. */
function parseSelector(text: string): readonly Requirement[] {
  const tokens = tokenize(text);
  const out: Requirement[] = [];
  let at = 0;
  const isMark = (token: string | undefined): boolean =>
    token === undefined || /^(?:==|!=|=|!|\(|\)|,|>|<)$/.test(token);
  const unable = (found: string | undefined, expected: string): never =>
    fail(`unable to parse requirement: found '${found ?? ''}', expected: ${expected}`);
  while (at < tokens.length) {
    const negated = tokens[at] === '!';
    if (negated) at++;
    const key = tokens[at++];
    if (isMark(key)) unable(key, "!, identifier, or 'end of string'");
    const name = key as string;
    if (negated) {
      out.push((labels) => !labels.has(name));
    } else {
      const operator = tokens[at];
      if (operator === undefined || operator === ',') out.push((labels) => labels.has(name));
      else {
        at++;
        if (operator === 'in' || operator === 'notin') {
          if (tokens[at] !== '(') unable(tokens[at], "'('");
          at++;
          const values = new Set<string>();
          while (at < tokens.length && tokens[at] !== ')') {
            if (tokens[at] === ',') {
              if (tokens[at + 1] === ')' || tokens[at + 1] === ',' || values.size === 0) values.add('');
              at++;
            } else values.add(tokens[at++] as string);
          }
          if (tokens[at] !== ')') unable(tokens[at], "',', or ')'");
          at++;
          out.push(
            operator === 'in'
              ? (labels) => labels.has(name) && values.has(labels.get(name) as string)
              : (labels) => !labels.has(name) || !values.has(labels.get(name) as string),
          );
        } else if (operator === '=' || operator === '==' || operator === '!=') {
          const value = isMark(tokens[at]) ? '' : (tokens[at++] as string);
          out.push(operator === '!=' ? (labels) => labels.get(name) !== value : (labels) => labels.get(name) === value);
        } else if (operator === '>' || operator === '<') {
          const bound = Number(tokens[at++]);
          out.push((labels) => {
            const value = Number(labels.get(name) ?? Number.NaN);
            return operator === '>' ? value > bound : value < bound;
          });
        } else unable(operator, 'in, notin, =, ==, !=, gt, lt');
      }
    }
    if (at < tokens.length) {
      if (tokens[at] !== ',') unable(tokens[at], "',' or 'end of string'");
      at++;
    }
  }
  return out;
}

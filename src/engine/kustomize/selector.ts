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

import { field, isArray, type Json, type JsonObject } from '../../base/json.ts';
import type { Application } from './application.ts';
import { issue, quote, quoteAll } from './issue.ts';

/** What a schema objects to in an object. */
export function checkObject(check: Application, value: JsonObject): void {
  const names = Object.keys(value).sort();
  check.bound('minProperties', names.length, (got, want) => got < want);
  check.bound('maxProperties', names.length, (got, want) => got > want);
  const missing = missingOf(value, check.list('required'));
  if (missing.length === 1) check.add(`missing property ${quoteAll(missing)}`);
  else if (missing.length > 1) check.add(`missing properties ${quoteAll(missing)}`);
  dependencies(check, value, 'dependencies');
  properties(check, value, names);
  const named = check.validator.draft >= 6 ? check.get('propertyNames') : undefined;
  for (const name of named === undefined ? [] : names) {
    const found = check.validator.check(named as Json, name, [], undefined, check.depth + 1);
    if (found === undefined) continue;
    const causes = found.silent === 'group' ? found.causes : [found];
    check.addIssue(issue([], `invalid propertyName ${quote(name)}`, causes));
  }
  if (check.validator.draft < 2019) return;
  dependencies(check, value, 'dependentSchemas');
  dependencies(check, value, 'dependentRequired');
}

function dependencies(check: Application, value: JsonObject, keyword: string): void {
  const dependencies = check.map(keyword);
  for (const name of Object.keys(dependencies).sort()) {
    if (!Object.hasOwn(value, name)) continue;
    const wanted = dependencies[name] as Json;
    if (!isArray(wanted)) check.addIssue(check.self(wanted));
    else {
      const missing = missingOf(value, wanted);
      if (missing.length > 0) check.add(`properties ${quoteAll(missing)} required, if ${quote(name)} exists`);
    }
  }
}

function properties(check: Application, value: JsonObject, names: readonly string[]): void {
  const properties = check.map('properties');
  const patterns = check.map('patternProperties');
  const additional = check.get('additionalProperties');
  const refused: string[] = [];
  for (const name of names) {
    const inner = value[name] as Json;
    const own = field(properties, name);
    const matching = Object.keys(patterns).filter((pattern) => check.validator.matches(pattern, name));
    if (own !== undefined) check.addIssue(check.inner(own, inner, name));
    for (const pattern of matching) check.addIssue(check.inner(patterns[pattern] as Json, inner, name));
    if (own === undefined && matching.length === 0) {
      if (additional === undefined) continue;
      if (additional === false) refused.push(name);
      else check.addIssue(check.inner(additional, inner, name));
    }
    check.unseen?.properties.delete(name);
  }
  if (refused.length > 0) check.add(`additional properties ${quoteAll(refused)} not allowed`);
}

function missingOf(value: JsonObject, names: readonly Json[]): readonly string[] {
  return names.filter((name) => typeof name === 'string').filter((name) => !Object.hasOwn(value, name));
}

import { field, isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import { parseConstraint, satisfies } from '../semver/constraint.ts';
import { parseVersion } from '../semver/version.ts';
import { type Chart, MAX_CHARTS } from './chart.ts';
import { coalesceTables, coalesceValues, mergeChartValues, type Warn } from './coalesce.ts';
import { fail } from './failure.ts';
import type { Dependency } from './metadata.ts';
import { mutableCopy, tableAt, valueAt } from './values.ts';

/** Whether `version` lies in `constraint`; false when one of them cannot be read. */
export function isCompatible(constraint: string, version: string): boolean {
  const wanted = parseConstraint(constraint);
  const found = parseVersion(version);
  return wanted.ok && found.ok && satisfies(found.value, wanted.value);
}

/** Refuses a chart whose `Chart.yaml` names dependencies that are not in `charts/`. @throws HelmFailure */
export function checkDependencies({ metadata, dependencies }: Chart): void {
  const there = new Set(dependencies.map((child) => child.metadata.name));
  const missing = metadata.dependencies.map(({ name }) => name).filter((name) => !there.has(name));
  if (missing.length === 0) return;
  const advice = 'You may need to run `helm dependency build` to fetch missing dependencies';
  const what = `found in Chart.yaml, but missing in charts/ directory: ${missing.join(', ')}`;
  fail('dependencies', `an error occurred while checking for chart dependencies. ${advice}: ${what}`);
}

/**
 * The chart with the dependencies that `values` leave enabled, under their aliases, and with the values that it imports from them.
 * Source: helm@4.1.4 pkg/chart/v2/util/dependencies.go.
 * @throws HelmFailure
 */
export function processDependencies(chart: Chart, values: JsonObject, warn: Warn): Chart {
  const budget = { charts: 0 };
  return importAll(enabledOnly(chart, values, '', warn, budget), warn);
}

function enabledOnly(chart: Chart, values: JsonObject, path: string, warn: Warn, budget: { charts: number }): Chart {
  // Aliases multiply charts at each level.
  if (++budget.charts > MAX_CHARTS) fail('limit', `a chart holds more than ${MAX_CHARTS} charts`);
  const { metadata } = chart;
  if (metadata.dependencies.length === 0) return chart;
  const isNamed = (child: Chart, wanted: Dependency): boolean =>
    child.metadata.name === wanted.name && isCompatible(wanted.version, child.metadata.version);
  const unnamed = chart.dependencies.filter((child) => !metadata.dependencies.some((wanted) => isNamed(child, wanted)));
  const named = metadata.dependencies.flatMap((wanted) => {
    const child = chart.dependencies.find((one) => isNamed(one, wanted));
    if (child === undefined) return [];
    return [wanted.alias === '' ? child : { ...child, metadata: { ...child.metadata, name: wanted.alias } }];
  });
  const children = [...unnamed, ...named];
  if (children.length > MAX_CHARTS) fail('limit', `a chart holds more than ${MAX_CHARTS} charts`);
  const wanted = metadata.dependencies.map((one) => (one.alias === '' ? one : { ...one, name: one.alias }));
  const combined = coalesceValues({ ...chart, dependencies: children }, values, warn);
  const decided = wanted.map((one) => ({ ...one, enabled: isEnabled(one, combined, path, warn) }));
  const off = new Set(decided.filter(({ enabled }) => !enabled).map(({ name }) => name));
  return {
    ...chart,
    metadata: { ...metadata, dependencies: decided.filter(({ name }) => !off.has(name)) },
    dependencies: children
      .filter((child) => !off.has(child.metadata.name))
      .map((child) => enabledOnly(child, combined, `${path}${child.metadata.name}.`, warn, budget)),
  };
}

/** Tags decide first; then the first condition whose path has a boolean. */
function isEnabled(wanted: Dependency, values: JsonObject, path: string, warn: Warn): boolean {
  for (const condition of wanted.condition.trim().split(',')) {
    if (condition === '') continue;
    const found = valueAt(values, path + condition);
    if (typeof found === 'boolean') return found;
    if (found !== undefined) warn(`returned non-bool value path=${condition} chart=${wanted.name}`);
  }
  const tags = field(values, 'tags');
  if (!isObject(tags)) return true;
  const found = wanted.tags.map((tag) => field(tags, tag)).filter((value) => value !== undefined);
  if (found.some((value) => typeof value !== 'boolean')) warn(`returned non-bool value of a tag chart=${wanted.name}`);
  return found.includes(true) || !found.includes(false);
}

function importAll(chart: Chart, warn: Warn): Chart {
  return importValues({ ...chart, dependencies: chart.dependencies.map((child) => importAll(child, warn)) }, warn);
}

/** Values of dependencies that `import-values` bring into the chart's own, under those that it has. */
function importValues(chart: Chart, warn: Warn): Chart {
  const { metadata } = chart;
  if (metadata.dependencies.length === 0) return chart;
  const own = mergeChartValues(chart, {}, warn);
  const imported: MutableJsonObject = {};
  const dependencies = metadata.dependencies.map((one) => {
    const pairs = one.importValues.flatMap((entry) => importPair(entry) ?? []);
    for (const { child, parent } of pairs) {
      const table = tableAt(own, `${one.name}.${child}`);
      if (table === undefined) warn(`ImportValues missing table from chart ${one.name}: ${child}`);
      else coalesceTables(imported, mutableCopy(nested(parent, table)), '', true, warn);
    }
    return { ...one, importValues: pairs.map(({ child, parent }) => ({ child, parent })) };
  });
  return {
    ...chart,
    metadata: { ...metadata, dependencies },
    values: coalesceTables(own, imported, '', true, warn),
  };
}

function importPair(entry: Json): { readonly child: string; readonly parent: string } | undefined {
  if (typeof entry === 'string') return { child: `exports.${entry}`, parent: '.' };
  if (!isObject(entry)) return undefined;
  return { child: printed(field(entry, 'child')), parent: printed(field(entry, 'parent')) };
}

/** Go's `%v`. */
function printed(value: Json | undefined): string {
  if (value === undefined || value === null) return '<nil>';
  return isArray(value) || isObject(value) ? JSON.stringify(value) : String(value);
}

function nested(path: string, table: JsonObject): JsonObject {
  if (path === '.') return table;
  let out: JsonObject = table;
  for (const step of path.split('.').reverse()) {
    const outer: MutableJsonObject = {};
    put(outer, step, out);
    out = outer;
  }
  return out;
}

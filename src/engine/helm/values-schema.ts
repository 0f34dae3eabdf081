import { utf8Text } from '../../base/files.ts';
import { field, isObject, type Json, type JsonObject, parseJson } from '../../base/json.ts';
import { printIssues } from '../json-schema/issue.ts';
import { validate } from '../json-schema/validate.ts';
import type { Chart } from './chart.ts';
import { fail } from './failure.ts';
import { goTypeName } from './values.ts';

/**
 * Checks the values of a chart, and of the charts in it, against their `values.schema.json`.
 * Source: helm@4.1.4 pkg/chart/common/util/jsonschema.go.
 * @throws HelmFailure with a line for each objection
 */
export function checkValues(chart: Chart, values: JsonObject): void {
  const found = objections(chart, values);
  if (found === '') return;
  fail('schema', `values don't meet the specifications of the schema(s) in the following chart(s):\n${found}`);
}

function objections(chart: Chart, values: JsonObject): string {
  let text = '';
  const { name } = chart.metadata;
  if (chart.schema !== undefined) {
    const found = ownObjections(chart.schema, values);
    if (found !== '') text += `${name}:\n${found}\n`;
  }
  for (const child of chart.dependencies) {
    const inner = field(values, child.metadata.name);
    if (inner === undefined || inner === null) continue;
    if (isObject(inner)) text += objections(child, inner);
    else {
      const type = goTypeName(inner);
      text += `${child.metadata.name}:\ninvalid type for values: expected object (map), got ${type}\n`;
    }
  }
  return text;
}

function ownObjections(schema: Uint8Array, values: JsonObject): string {
  let parsed: Json;
  try {
    parsed = parseJson(utf8Text(schema) ?? '');
  } catch (failure) {
    return `values.schema.json cannot be read: ${failure instanceof Error ? failure.message : 'it is no JSON'}`;
  }
  const found = validate(parsed, values);
  return found.ok ? printIssues(found.value) : `unable to validate schema: ${found.error}`;
}

import { isArray, isObject, type Json } from '../../base/json.ts';
import { dereference, type Schema } from '../schema/schema.ts';
import { atomFor, elementOf, fieldSchema, isScalar, itemSchema, type Typing } from './atoms.ts';
import { printElement } from './fields.ts';
import { goSyntax, goTypeName, goValue } from './go-print.ts';

/** What does not fit the schema, as `typed.AsTyped` says; `duplicates`: an item may come twice in a set or map list. */
export function validateTyped(value: Json, schema: Schema | undefined, typing: Typing, duplicates: boolean): string[] {
  const errors: string[] = [];
  check(value, schema === undefined ? undefined : dereference(schema, typing.resolve), [], typing, duplicates, errors);
  return errors;
}

function check(
  value: Json,
  schema: Schema | undefined,
  path: readonly string[],
  typing: Typing,
  duplicates: boolean,
  errors: string[],
): void {
  const say = (message: string): void => {
    errors.push(path.length === 0 ? message : `${path.map(printElement).join('')}: ${message}`);
  };
  if (value === null) return;
  const atom = atomFor(schema, value);
  if (atom.kind === 'scalar') {
    const fits =
      atom.type === 'untyped'
        ? isScalar(value)
        : atom.type === 'numeric'
          ? typeof value === 'number' || typeof value === 'bigint'
          : typeof value === atom.type;
    if (!fits) {
      say(
        atom.type === 'numeric'
          ? `expected numeric (int or float), got ${goTypeName(value)}`
          : atom.type === 'string'
            ? `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
            : `expected ${atom.type === 'untyped' ? 'any scalar' : 'boolean'}, got &{${goValue(value)}}`,
      );
    }
  } else if (atom.kind === 'map') {
    if (!isObject(value)) {
      say(`expected map, got &{${goValue(value)}}`);
      return;
    }
    for (const name of Object.keys(value).toSorted()) {
      const child = fieldSchema(atom.schema, name, typing);
      const inner = [...path, `f:${name}`];
      if (!child.declared) errors.push(`${inner.map(printElement).join('')}: field not declared in schema`);
      else check(value[name] as Json, child.schema, inner, typing, duplicates, errors);
    }
  } else {
    if (!isArray(value)) {
      say(`expected list, got &{${goValue(value)}}`);
      return;
    }
    const items = itemSchema(atom.schema, typing);
    const seen = new Set<string>();
    value.forEach((item, index) => {
      let element = `i:${index}`;
      if (!atom.atomic) {
        const found = elementOf(atom, item, typing);
        if ('error' in found) {
          say(`element ${index}: ${found.error}`);
          return;
        }
        element = found.element;
        if (seen.has(element) && !duplicates) say(`duplicate entries for key ${printElement(element)}`);
        seen.add(element);
      }
      check(item, items, [...path, element], typing, duplicates, errors);
    });
  }
}

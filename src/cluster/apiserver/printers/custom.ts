import type { Json, JsonObject } from '../../../base/json.ts';
import { at, field, isArray, stringAt, stringifyJson } from '../../../base/json.ts';
import { compileJsonPath, findAll } from '../../../engine/jsonpath/jsonpath.ts';
import { type Column, tableColumns } from '../../data/table-columns.ts';
import type { ResourceType } from '../resource-type.ts';
import { age } from './age.ts';
import type { Printer } from './printer.ts';

const printers = new WeakMap<object, Map<string, Printer>>();

/** The columns that a CRD's version declares. Source: kubernetes@1.34 apiextensions-apiserver pkg/registry/customresource/tableconvertor. */
export function customPrinter(type: ResourceType): Printer {
  const definition = type.definition as object;
  const known = printers.get(definition) ?? new Map<string, Printer>();
  printers.set(definition, known);
  let printer = known.get(type.version);
  if (printer === undefined) {
    printer = make(type);
    known.set(type.version, printer);
  }
  return printer;
}

interface Extra {
  readonly column: Column;
  readonly read: (object: JsonObject, nowMs: number) => Json;
}

function make(type: ResourceType): Printer {
  const versions = field(type.definition?.spec, 'versions');
  const version = isArray(versions) ? versions.find((one) => stringAt(one, 'name') === type.version) : undefined;
  const declared = field(version, 'additionalPrinterColumns');
  const extras: readonly Extra[] = isArray(declared)
    ? declared.map(extra)
    : [{ column: builtin('Age'), read: (object, now) => age(at(object, 'metadata', 'creationTimestamp'), now) }];
  return {
    columns: [builtin('Name'), ...extras.map(({ column }) => column)],
    cells: (object, now) => ({
      cells: [stringAt(object, 'metadata', 'name') ?? '', ...extras.map(({ read }) => read(object, now))],
    }),
  };
}

/** A column that every kind has. */
function builtin(name: 'Name' | 'Age'): Column {
  const column = tableColumns('/configmaps')?.find((one) => one.name === name);
  if (column === undefined) throw new Error(`no column ${name}`);
  // The server of custom resources calls an age a date.
  return name === 'Age' ? { ...column, type: 'date' } : column;
}

function extra(declared: Json): Extra {
  const type = (stringAt(declared, 'type') ?? 'string') as Column['type'];
  const column: Column = {
    name: stringAt(declared, 'name') ?? '',
    type,
    format: stringAt(declared, 'format') ?? '',
    description:
      stringAt(declared, 'description') ||
      `Custom resource definition column (in JSONPath format): ${stringAt(declared, 'jsonPath') ?? ''}`,
    priority: Number(field(declared, 'priority') ?? 0),
  };
  const path = compileJsonPath(stringAt(declared, 'jsonPath') ?? '');
  return {
    column,
    read: (object, now) => {
      if (!path.ok) return null;
      const found = findAll(path.value, object);
      return found.length === 0 ? null : cell(found, type, now);
    },
  };
}

function cell(found: readonly Json[], type: Column['type'], nowMs: number): Json {
  const [first = null] = found;
  switch (type) {
    case 'date':
      return typeof first === 'string' ? age(first, nowMs) : null;
    case 'integer':
      return typeof first === 'number' || typeof first === 'bigint'
        ? typeof first === 'number'
          ? Math.trunc(first)
          : first
        : null;
    case 'number':
      return typeof first === 'number' ? first : null;
    case 'boolean':
      return typeof first === 'boolean' ? first : null;
    default:
      return print(first);
  }
}

function print(value: Json): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : stringifyJson(value);
}

import type { Json, JsonObject } from '../../../base/json.ts';

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, more only with `-o wide`. */
  readonly priority: number;
}

export interface Row {
  readonly cells: readonly Json[];
  readonly conditions?: readonly Json[];
}

export interface Printer {
  readonly columns: readonly Column[];
  cells(object: JsonObject, nowMs: number): Row;
}

export function column(name: string, type: Column['type'] = 'string', priority = 0, format = ''): Column {
  return { name, type, format, description: '', priority };
}

/** The column every table begins with. */
export const NAME: Column = column('Name', 'string', 0, 'name');
export const AGE: Column = column('Age');

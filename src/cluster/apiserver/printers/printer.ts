import type { Json, JsonObject } from '../../../base/json.ts';
import { at } from '../../../base/json.ts';
import type { Column } from '../../data/table-columns.ts';
import { age } from './age.ts';
import { text } from './fields.ts';

export interface Row {
  readonly cells: readonly Json[];
  readonly conditions?: readonly Json[];
}

export interface Printer {
  readonly columns: readonly Column[];
  cells(object: JsonObject, nowMs: number): Row;
}

/** The cells of one object, all that `-o wide` shows. Source: kubernetes@1.34 pkg/printers/internalversion/printers.go. */
export type Cells = (object: JsonObject, nowMs: number) => readonly Json[];

export function nameOf(object: JsonObject): string {
  return text(object, 'metadata', 'name');
}

/** How long ago the object was made. */
export function created(object: JsonObject, nowMs: number): string {
  return age(at(object, 'metadata', 'creationTimestamp'), nowMs);
}

/** Cells of a name, some fields, the age, and what only `-o wide` shows. */
export function simple(fields: Cells, wide: Cells = () => []): Cells {
  return (object, now) => [nameOf(object), ...fields(object, now), created(object, now), ...wide(object, now)];
}

/** The first `max` of a list, and how many more there are. */
export function shorten(items: readonly string[], max: number, none: string, total: number = items.length): string {
  if (items.length === 0) return none;
  const more = items.length > max ? ` + ${total - max} more...` : '';
  return items.slice(0, max).join(',') + more;
}

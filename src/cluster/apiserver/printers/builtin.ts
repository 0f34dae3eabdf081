import { at, stringAt } from '../../../base/json.ts';
import type { ResourceType } from '../resource-type.ts';
import { type Printer, column, NAME } from './printer.ts';

const CREATED = column('Created At', 'date');

/** Kinds without a printer of their own show their name and when they were made. */
const PLAIN: Printer = {
  columns: [NAME, CREATED],
  cells: (object) => ({
    cells: [stringAt(object, 'metadata', 'name') ?? '', at(object, 'metadata', 'creationTimestamp') ?? null],
  }),
};

export function printerOf(_type: ResourceType): Printer {
  return PLAIN;
}
